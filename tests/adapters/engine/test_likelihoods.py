"""The head in tiles: against log-softmax in float64, and where it must not be cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parts import result

torch = pytest.importorskip("torch")

import transformers

from crossgraft.adapters.engine import likelihoods
from crossgraft.adapters.engine.body import Halves
from crossgraft.adapters.engine.likelihoods import Wanted, log_likelihoods
from crossgraft.adapters.engine.requests import Request
from crossgraft.adapters.engine.scorer import Scorer

VOCABULARY = 101
SHAPE = {"vocab_size": VOCABULARY, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}


def make(config: str = "Gemma2Config", **more: Any) -> Any:
    """Gemma 2 caps its logits."""
    torch.manual_seed(0)
    shape = {**SHAPE, **HEADS, "initializer_range": 0.5, **more}
    return (
        transformers.AutoModelForCausalLM.from_config(getattr(transformers, config)(**shape))
        .eval()
        .requires_grad_(False)
    )


def wanted(places: int = 23, tokens: int = 60) -> Wanted:
    rng = torch.Generator().manual_seed(0)
    at = torch.cat([torch.arange(places), torch.randint(places, (tokens - places,), generator=rng)]).sort().values
    return Wanted(
        10 * torch.randn(places, SHAPE["hidden_size"], generator=rng),
        at,
        torch.randint(VOCABULARY, (tokens,), generator=rng),
        torch.randint(7, (tokens,), generator=rng),
    )


def in_float64(model: Any, asked: Wanted) -> Any:
    logits = asked.states.double() @ model.lm_head.weight.double().T
    if cap := getattr(model.config, "final_logit_softcapping", None):
        logits = cap * torch.tanh(logits / cap)
    logprobs = torch.log_softmax(logits, dim=-1)[asked.at, asked.tokens]
    return torch.zeros(7, dtype=torch.float64).index_add_(0, asked.owners, logprobs).numpy()


@pytest.mark.parametrize("config", ["Gemma2Config", "LlamaConfig"])
@pytest.mark.parametrize(("places", "entries"), [(1, 1), (5, 7), (23, 101), (1000, 1000)])
def test_any_tiles_give_log_softmax(monkeypatch: pytest.MonkeyPatch, config: str, places: int, entries: int) -> None:
    monkeypatch.setattr(likelihoods, "_PLACES", places)
    monkeypatch.setattr(likelihoods, "_ENTRIES", entries)
    model, asked = make(config), wanted()

    with torch.inference_mode():
        sums = log_likelihoods(Halves(model), asked, 7)

    np.testing.assert_allclose(sums, in_float64(model, asked), rtol=1e-5)


def test_a_head_with_a_bias_is_cut_with_its_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihoods, "_ENTRIES", 7)
    model, asked = make("LlamaConfig"), wanted()
    whole = log_likelihoods(Halves(model), asked, 7)
    model.lm_head.bias = torch.nn.Parameter(3 * torch.randn(VOCABULARY), requires_grad=False)

    with torch.inference_mode():
        cut = log_likelihoods(Halves(model), asked, 7)
        model.lm_head.register_forward_hook(lambda *_: None)  # is no longer cut
        uncut = log_likelihoods(Halves(model), asked, 7)

    np.testing.assert_allclose(cut, uncut, rtol=1e-5)
    assert np.abs(cut - whole).max() > 1


@pytest.mark.filterwarnings("ignore::FutureWarning:transformers")  # by peft's call
def test_a_head_with_an_adapter_is_taken_whole() -> None:
    from peft import LoraConfig, get_peft_model

    model, asked = make("LlamaConfig"), wanted()
    get_peft_model(model, LoraConfig(r=2, target_modules=["lm_head"], init_lora_weights=False)).eval()
    body = Halves(model)

    with torch.inference_mode():
        sums = log_likelihoods(body, asked, 7)
        logprobs = torch.log_softmax(model.lm_head(asked.states).double(), dim=-1)[asked.at, asked.tokens]

    assert not body.head_can_be_cut
    np.testing.assert_allclose(sums, np.bincount(asked.owners, logprobs, 7), rtol=1e-5)


def test_when_the_head_runs_out_of_memory_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [Request((1, 2, 3, n), ((n, 5), (6, n, 7))) for n in range(20)]
    scorer = Scorer(make("LlamaConfig"))
    expected = result(scorer.score(requests)).loglik
    whole = Halves.logits

    def small(self: Halves, states: Any, *entries: Any) -> Any:
        if len(states) > 10:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(self, states, *entries)

    monkeypatch.setattr(Halves, "logits", small)
    scores = result(scorer.score(requests))

    np.testing.assert_allclose(scores.loglik, expected, atol=1e-5)
