from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import pytest

from crossgraft.adapters.bases.models import Model, adapter_bytes, check_given_folder, check_model_folder
from crossgraft.adapters.weights.tensors import weight_shapes
from crossgraft.errors import DataError, SpecError
from crossgraft.study import Origin


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "expected either path"),
        ({"path": "x", "hub": "y"}, "expected either path"),
        ({"hub": "owner/name"}, "needs revision"),
        ({"path": "x", "revision": "main"}, "a local folder has no revision"),
    ],
)
def test_a_model_is_a_folder_or_a_hub_id_with_revision(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Model(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "has no config.json"),
        (["config.json"], r"has no \*.safetensors; pickled weights are not loaded"),
        (["config.json", "model.safetensors"], "has no tokenizer .*save it there with tokenizer.save_pretrained"),
    ],
)
def test_what_a_model_folder_lacks_is_named(tmp_path: Path, files: list[str], message: str) -> None:
    for name in files:
        (tmp_path / name).write_bytes(struct.pack("<Q", 2) + b"{}")

    with pytest.raises(DataError, match=f"models.small.*{message}"):
        check_model_folder(tmp_path, "models.small")


@pytest.mark.parametrize("init", ["pissa", "pissa_niter_16", "olora"])
def test_an_adapter_that_rewrites_base_weights_is_refused(tmp_path: Path, init: str) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"init_lora_weights": init}))
    (tmp_path / "adapter_model.safetensors").touch()

    with pytest.raises(DataError, match="rewrites base weights"):
        check_given_folder(tmp_path, "adapters.old")


def test_a_folder_that_is_neither_adapter_nor_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is neither"):
        check_given_folder(tmp_path, "adapters.old")


def test_the_weight_of_an_adapter_is_known_from_the_shapes(tiny_model: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    with pytest.warns(FutureWarning):  # noqa: PT031 - PEFT's own
        wrapped = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
        wrapped.save_pretrained(tmp_path)

    told = adapter_bytes(weight_shapes(tiny_model), 4, ("all-linear",))

    assert told == pytest.approx((tmp_path / "adapter_model.safetensors").stat().st_size, rel=0.2)
    assert adapter_bytes(weight_shapes(tiny_model), 4, ("q_proj",)) < told


@pytest.mark.parametrize("method", ["gptq", "awq", "compressed-tensors"])
def test_packed_weights_are_refused_where_nothing_unpacks_them(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr("crossgraft.adapters.bases.models.find_spec", lambda module: None)
    folder = shutil.copytree(tiny_model, tmp_path / "packed")
    change_config(folder, quantization_config={"quant_method": method, "bits": 4})

    with pytest.raises(
        DataError, match=f"models.m: .* weights packed by {method}, which .* not installed here. Give the"
    ):
        check_model_folder(folder, "models.m")


def test_weights_that_a_folder_lacks_are_not_made_up(tiny_model: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from crossgraft.adapters.bases.loading import load_model

    folder = shutil.copytree(tiny_model, tmp_path / "other")
    change_config(folder, num_hidden_layers=3)

    with pytest.raises(DataError, match=r"models.m: .* lacks 9 weights of a LlamaForCausalLM \(such as model.layers.2"):
        load_model("m", Model(path=str(folder)), Origin(), "sdpa", torch.device("cpu"))


def change_config(folder: Path, **change: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
