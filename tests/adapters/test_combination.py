"""Scaled and merged adapters, on a tiny real model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from crossgraft.adapters.bases.loading import load_model
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.weights.combination import combined_adapter, write_combination
from crossgraft.adapters.weights.lora import fresh_adapter, save, saved_adapter
from crossgraft.errors import DataError
from crossgraft.study import Origin

TOKENS = torch.arange(5, 25)[None]
ROUNDING = 2e-5  # of logits, in float32


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Any:
    return load_model("tiny", Model(path=str(tiny_model)), Origin(), "sdpa", torch.device("cpu"))


def adapter(model: Any, folder: Path, seed: int, **changes: Any) -> Path:
    """A saved adapter with weights drawn at random; its scaling is no power of two."""
    recipe = Recipe(**{"rank": 3, "alpha": 5.0, **changes})
    with fresh_adapter(model, recipe, seed) as wrapped:
        generator = torch.Generator().manual_seed(seed)
        for name, weight in wrapped.named_parameters():
            if "lora_" in name:
                weight.data = 0.2 * torch.randn(weight.shape, generator=generator)
        save(wrapped.save_pretrained, folder, {})
    return folder


def logits(wrapped: Any) -> Any:
    with torch.no_grad():
        return wrapped(TOKENS).logits


def within(context: AbstractContextManager[Any]) -> Any:
    with context as wrapped:
        return logits(wrapped)


def by_peft(model: Any, folders: Sequence[Path], weights: list[float]) -> Any:
    """The same sum by PEFT's own concatenation."""
    with saved_adapter(model, folders[0]) as wrapped:
        names = ["default", *(f"m{number}" for number in range(1, len(folders)))]
        for name, folder in zip(names[1:], folders[1:], strict=True):
            wrapped.load_adapter(str(folder), adapter_name=name)
        wrapped.add_weighted_adapter(names, weights, "sum", combination_type="cat")
        wrapped.set_adapter("sum")
        return logits(wrapped)


def test_scale_0_is_the_base_to_the_last_bit(model: Any, tmp_path: Path) -> None:
    folder = adapter(model, tmp_path / "a", 1)

    assert torch.equal(within(combined_adapter(model, [(folder, 0.0)])), logits(model))
    assert not torch.equal(within(saved_adapter(model, folder)), logits(model))


def test_scale_1_is_the_adapter_to_the_last_bit(model: Any, tmp_path: Path) -> None:
    folder = adapter(model, tmp_path / "a", 1)

    assert torch.equal(within(combined_adapter(model, [(folder, 1.0)])), within(saved_adapter(model, folder)))


def test_a_merge_of_one_with_weight_1_is_the_adapter_to_the_last_bit(model: Any, tmp_path: Path) -> None:
    folder = adapter(model, tmp_path / "a", 1)
    write_combination([(folder, 1.0)], tmp_path / "merged")

    assert torch.equal(within(saved_adapter(model, tmp_path / "merged")), within(saved_adapter(model, folder)))


def test_a_merge_of_an_adapter_with_itself_is_the_adapter(model: Any, tmp_path: Path) -> None:
    folder = adapter(model, tmp_path / "a", 1)

    merged = within(combined_adapter(model, [(folder, 0.25), (folder, 0.75)]))

    torch.testing.assert_close(merged, within(saved_adapter(model, folder)), atol=ROUNDING, rtol=0)


def test_either_order_of_a_merge_agrees(model: Any, tmp_path: Path) -> None:
    first, second = adapter(model, tmp_path / "a", 1), adapter(model, tmp_path / "b", 2)

    merged = within(combined_adapter(model, [(first, 0.3), (second, 0.7)]))
    turned = within(combined_adapter(model, [(second, 0.7), (first, 0.3)]))

    torch.testing.assert_close(merged, turned, atol=ROUNDING, rtol=0)


@pytest.mark.parametrize("changes", [{}, {"rank": 5}, {"alpha": 2.0}, {"rslora": True}, {"targets": ("q_proj",)}])
def test_a_merge_is_the_sum_that_peft_makes(model: Any, tmp_path: Path, changes: dict[str, Any]) -> None:
    """Also with other ranks, scalings and modules."""
    folders = [adapter(model, tmp_path / "a", 1), adapter(model, tmp_path / "b", 2, **changes)]

    merged = within(combined_adapter(model, [(folders[0], 0.6), (folders[1], 1.5)]))

    delta = merged - logits(model)
    assert float(delta.abs().max()) > 100 * ROUNDING
    torch.testing.assert_close(merged, weighted_by_hand(model, folders, [0.6, 1.5]), atol=ROUNDING, rtol=0)


def weighted_by_hand(model: Any, folders: Sequence[Path], weights: list[float]) -> Any:
    """The base's weights plus the weighted sum of what PEFT says each adapter adds to them."""
    deltas: dict[str, Any] = {}
    for folder, weight in zip(folders, weights, strict=True):
        with saved_adapter(model, folder) as wrapped:
            for name, module in wrapped.base_model.model.named_modules():
                if hasattr(module, "get_delta_weight") and getattr(module, "lora_A", {}):
                    deltas[name] = deltas.get(name, 0) + weight * module.get_delta_weight("default").detach()
    before = {name: model.get_submodule(name).weight.data.clone() for name in deltas}
    try:
        for name, delta in deltas.items():
            model.get_submodule(name).weight.data += delta
        return logits(model)
    finally:
        for name, weight in before.items():
            model.get_submodule(name).weight.data = weight


def test_pefts_own_concatenation_agrees(model: Any, tmp_path: Path) -> None:
    folders = [adapter(model, tmp_path / "a", 1), adapter(model, tmp_path / "b", 2)]

    merged = within(combined_adapter(model, [(folders[0], 0.6), (folders[1], 0.4)]))

    torch.testing.assert_close(merged, by_peft(model, folders, [0.6, 0.4]), atol=ROUNDING, rtol=0)


def test_an_adapter_with_other_weights_is_refused(model: Any, tmp_path: Path) -> None:
    folder = adapter(model, tmp_path / "a", 1, dora=True)

    with pytest.raises(DataError, match="only LoRA adapters without other weights can be scaled or merged"):
        within(combined_adapter(model, [(folder, 0.5)]))
