"""Texts in one row, each attending to itself, against the same texts one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import transformers

from crossgraft.adapters.engine.rows import Windows
from crossgraft.adapters.training.attention import attending_apart, can_attend_apart, lengths_mask
from crossgraft.adapters.training.loss import Example, StepLoss

SHAPE: dict[str, Any] = {
    "vocab_size": 100,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.2,
}
LENGTHS = (7, 1, 20, 12)


def make(attention: str = "sdpa", **shape: Any) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.LlamaConfig(**{**SHAPE, **shape})
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention)
    return model.eval().requires_grad_(False)


def windows_of(model: Any) -> Windows:
    windows = Windows.of(model.config)
    assert windows is not None
    return windows


def texts() -> list[Example]:
    rng = np.random.default_rng(0)
    return [Example(tuple(rng.integers(100, size=length + 1).tolist()), max(1, length // 2)) for length in LENGTHS]


@pytest.mark.parametrize("kv_heads", [4, 2])
def test_states_of_a_text_do_not_depend_on_its_neighbours(kv_heads: int) -> None:
    model = make(num_key_value_heads=kv_heads)
    parts = [torch.tensor([text.ids]) for text in texts()]
    alone = torch.cat([model(ids, output_hidden_states=True).hidden_states[-1] for ids in parts], dim=1)

    with attending_apart(model):
        together = model.base_model(
            input_ids=torch.cat(parts, dim=1),
            attention_mask=lengths_mask([ids.shape[1] for ids in parts], windows_of(model)),
            position_ids=torch.cat([torch.arange(ids.shape[1]) for ids in parts])[None],
            use_cache=False,
        ).last_hidden_state

    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_rows_with_a_mask() -> None:
    apart, packed = make(), make("eager")
    for model in (apart, packed):
        model.requires_grad_(True)
        loss_of = StepLoss(model, texts())
        assert loss_of.packed
        assert loss_of.apart == (model is apart)

        loss_of(texts()).backward()

    for (name, one), other in zip(apart.named_parameters(), packed.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-4, rtol=1e-4, msg=name)


def test_the_model_attends_as_before_even_after_an_error() -> None:
    model = make()

    with pytest.raises(RuntimeError), attending_apart(model):
        model.base_model(
            input_ids=torch.zeros((1, 5), dtype=torch.long), attention_mask=lengths_mask((4,), windows_of(model))
        )

    assert model.config._attn_implementation == "sdpa"
    model(torch.zeros((1, 5), dtype=torch.long))


def test_it_is_not_tried_where_attention_is_called_again_or_sees_a_window() -> None:
    checkpointed = make()
    kind = "activation" if hasattr(checkpointed, "activation_checkpointing_enable") else "gradient"
    getattr(checkpointed, f"{kind}_checkpointing_enable")()

    assert can_attend_apart(make(), Windows({"all": None}))
    assert not can_attend_apart(checkpointed, Windows({"all": None}))
    assert not can_attend_apart(make(), Windows({"full": None, "sliding": 16}))
    assert not can_attend_apart(make("eager"), Windows({"all": None}))


def test_a_model_that_ignores_the_lengths_is_not_trained_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def over_everything(module: Any, query: Any, key: Any, value: Any, _: Any, **options: Any) -> Any:
        return transformers.modeling_utils.ALL_ATTENTION_FUNCTIONS["sdpa"](module, query, key, value, None, **options)

    monkeypatch.setitem(transformers.modeling_utils.ALL_ATTENTION_FUNCTIONS, "crossgraft-apart", over_everything)

    loss_of = StepLoss(make(), texts())

    assert loss_of.packed
    assert not loss_of.apart
