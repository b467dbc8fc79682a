"""Devices on which others measured wrong scores: the CPU decides. None is at hand, so the CPU plays one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from crossgraft.adapters.bases.loading import device_of
from crossgraft.adapters.engine import selftest
from crossgraft.adapters.engine.local import LocalEngine
from crossgraft.errors import DataError, JobFailed


@pytest.fixture
def model(tiny_model: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_model).eval().requires_grad_(False)


@pytest.fixture
def doubted_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "DOUBTFUL", ("cpu",))


@pytest.mark.usefixtures("doubted_cpu")
def test_a_device_that_agrees_with_the_cpu_is_scored_on(model: Any) -> None:
    assert LocalEngine(model, None).test.path.name == "packed"


@pytest.mark.usefixtures("doubted_cpu")
def test_a_device_that_computes_wrong_scores_in_every_way_is_refused(model: Any) -> None:
    """A copy on the CPU does not share the fault: the hook knows the layer that is on the device."""
    faulty = model.model.layers[0].mlp.up_proj
    faulty.register_forward_hook(lambda layer, _, output: output * 1.01 if layer is faulty else output)

    with pytest.raises(JobFailed, match="other log-likelihoods on cpu than on the CPU .*; use --device cpu"):
        _ = LocalEngine(model, None).test


def test_the_same_fault_is_not_seen_where_the_device_is_trusted(model: Any) -> None:
    """All ways share it, which is why doubtful devices are compared with the CPU."""
    faulty = model.model.layers[0].mlp.up_proj
    faulty.register_forward_hook(lambda layer, _, output: output * 1.01)

    assert LocalEngine(model, None).test.path.name == "packed"


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="is about machines without an Apple GPU")
def test_an_apple_gpu_that_is_not_there_is_said_so() -> None:
    with pytest.raises(DataError, match="there is no device 'mps' here: PyTorch sees no Apple GPU"):
        device_of("mps")
