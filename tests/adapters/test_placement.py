"""Models that are spread over several GPUs. No GPU is at hand: two devices are pretended, and refuse each other's tensors."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from crossgraft.adapters.bases.loading import load_model
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.weights import placement
from crossgraft.errors import DataError, SpecError
from crossgraft.runs.executors.processes import gpu_groups, worker_count
from crossgraft.runs.settings import Settings
from crossgraft.spec import load_study
from crossgraft.study import Origin

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SPREAD = Model(path="x", device_map="auto")
FAMILIES = ("Llama", "Gemma3", "GPTNeoX")


@pytest.fixture(scope="module")
def spread() -> dict[str, Any]:
    script = Path(__file__).parent / "spread_models.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("way", ["packed", "kept"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_spread_model_scores_as_on_one_device_in_the_fast_ways(spread: dict[str, Any], family: str, way: str) -> None:
    scored = spread[f"score {family} {way}"]

    assert scored["devices"] == ["pretended:0", "pretended:1"]
    assert scored["tried"] == [way]  # the first way passed the self-test, so no tensor met one of another device
    assert scored["difference"] < 1e-5
    assert scored["same checksums"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_spread_model_writes_the_same_answers(spread: dict[str, Any], family: str) -> None:
    assert spread[f"write {family}"]["same"]


@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_spread_model_trains_the_same_adapter(spread: dict[str, Any], family: str, order: str) -> None:
    training = spread[f"train {family} {order}"]

    assert training["devices"] == ["cpu", "pretended:0"]
    assert training["packed"]
    assert training["losses"] < 1e-5
    assert training["weights"] < 1e-4
    assert training["base is as before"]


def test_on_a_cpu_a_device_map_changes_nothing(tiny_model: Path) -> None:
    usual, asked = (
        load_model("m", Model(path=str(tiny_model), device_map=device_map), Origin(), "sdpa", CPU)
        for device_map in ("", "auto")
    )

    assert placement.devices_of(asked) == (CPU,)
    assert not hasattr(asked, "hf_device_map")
    assert torch.equal(usual(torch.arange(9)[None]).logits, asked(torch.arange(9)[None]).logits)


def test_where_a_model_lies_is_no_part_of_its_identity() -> None:
    assert SPREAD.identity() == Model(path="x").identity()


def test_an_unknown_device_map_is_a_mistake_in_the_spec(adapter_spec: Path) -> None:
    with pytest.raises(SpecError, match="device_map"):
        load_study(adapter_spec, ["models.tiny.device_map='wide'"])


def test_transformers_is_told_to_spread_on_cuda_only() -> None:
    assert placement.loading_options(SPREAD, CUDA) == {"device_map": "auto"}
    assert placement.loading_options(SPREAD, CPU) == {}
    assert placement.loading_options(Model(path="x"), CUDA) == {}


def test_one_gpu_by_name_is_refused() -> None:
    with pytest.raises(DataError, match="this run is on 'cuda:1'. Run it with --device cuda"):
        placement.require("big", SPREAD, torch.device("cuda:1"))


def test_gpus_of_two_kinds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: ("A100", "A100", "T4")[number])

    with pytest.raises(
        DataError, match="models.big: device_map = 'auto' needs GPUs of one kind; there are 2 x A100, 1 x T4"
    ):
        placement.require("big", SPREAD, CUDA)


def test_weights_that_would_lie_on_the_cpu_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    layout = {"embed": 0, "layers.0": 0, "layers.1": "cpu"}
    loaded = SimpleNamespace(hf_device_map=layout, parameters=lambda: iter([torch.empty(2**28, device="meta")]))

    with pytest.raises(
        DataError, match=r"\(1 GB\) does not fit .* the 1 GPU that .* 1 of 3 parts \(such as layers.1\)"
    ):
        placement.check_placed("models.big", loaded)


def test_workers_see_groups_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3,4")
    pairs = Settings(device="cuda", gpus_each=2)

    assert gpu_groups(pairs) == ("0,1", "2,3")
    assert worker_count(pairs) == 2
    assert gpu_groups(Settings(device="cuda")) == ("0", "1", "2", "3", "4")


def test_too_few_gpus_for_one_worker_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")

    with pytest.raises(
        DataError, match="expected at least 2 GPUs, for one worker with --gpus-per-worker 2; there are 1"
    ):
        gpu_groups(Settings(device="cuda", gpus_each=2))


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_on_two_gpus_a_model_scores_as_on_one(tiny_model: Path) -> None:
    from crossgraft.adapters.engine.local import LocalEngine

    model = Model(path=str(tiny_model), device_map="balanced")
    spread = load_model("m", model, Origin(), "sdpa", CUDA)
    alone = load_model("m", replace(model, device_map=""), Origin(), "sdpa", torch.device("cuda:0"))

    assert len(placement.gpus_of(spread)) == 2
    torch.testing.assert_close(
        torch.tensor(LocalEngine(spread, None).probe()), torch.tensor(LocalEngine(alone, None).probe()), equal_nan=True
    )
