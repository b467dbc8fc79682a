"""A quantised base: refused in a sentence where it cannot be, and another base in every id. It is not run here."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from crossgraft.adapters.bases.loading import device_of
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.weights import quantisation
from crossgraft.errors import DataError, MissingExtra, SpecError
from crossgraft.runs.campaign import Settings, describe_study, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
NF4 = Model(path="x", dtype="bfloat16", quantised="nf4")
QUANTISED = "models.tiny.quantised='nf4'"


def test_a_quantised_base_is_another_base(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")

    told = [[], [QUANTISED], ["models.tiny.quantised='int8'"]]
    ids = [{job.treatment_id for job in describe_study(load_study(adapter_spec, one), store).jobs} for one in told]

    assert len(set.union(*ids)) == 3 * len(ids[0])


def test_a_plain_base_keeps_its_identity() -> None:
    assert "quantised" not in Model(path="x").identity()


def test_without_cuda_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda module: object())

    with pytest.raises(DataError, match=r"models.big: quantised = 'nf4' needs a CUDA device; this run is on 'cpu'"):
        quantisation.require("big", NF4, CPU)
    quantisation.require("big", NF4, CUDA)


def test_without_its_packages_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)

    with pytest.raises(MissingExtra, match=r"pip install 'crossgraft\[quantised\]'"):
        quantisation.require("big", NF4, CUDA)


def test_a_study_is_refused_before_its_first_job(adapter_spec: Path, tmp_path: Path) -> None:
    with pytest.raises((DataError, MissingExtra), match=r"models.tiny: quantised = 'nf4' needs"):
        run(load_study(adapter_spec, [QUANTISED]), tmp_path / "out", settings=Settings(device="cpu", threads=1))


@pytest.mark.parametrize(("told", "key"), [("merge=true", ("merge",)), ("recipe.method='full'", ("recipe", "method"))])
def test_what_quantised_weights_cannot_do_is_refused(adapter_spec: Path, told: str, key: tuple[str, ...]) -> None:
    with pytest.raises(SpecError, match="models.tiny has quantised weights: they cannot be trained whole") as caught:
        load_study(adapter_spec, [QUANTISED, told])

    assert caught.value.key == key


def test_transformers_is_told_the_kind_and_the_dtype_it_computes_in() -> None:
    nf4 = quantisation.loading_options(NF4, CUDA)
    int8 = quantisation.loading_options(Model(path="x", quantised="int8"), CUDA)

    config = nf4["quantization_config"]
    assert (config.load_in_4bit, config.bnb_4bit_quant_type, config.bnb_4bit_compute_dtype) == (
        True,
        "nf4",
        torch.bfloat16,
    )
    assert int8["quantization_config"].load_in_8bit
    assert nf4["device_map"] == {"": CUDA}
    assert quantisation.loading_options(Model(path="x"), CPU) == {}


def test_weights_that_are_not_quantised_are_prepared_in_float32(tiny_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = quantisation.prepared(AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.bfloat16))

    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert not any(weight.requires_grad for weight in model.parameters())


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a GPU")
def test_a_device_that_is_not_there_is_said_so() -> None:
    with pytest.raises(DataError, match="there is no device 'cuda:1' here: PyTorch sees 0 CUDA devices"):
        device_of("cuda:1")
