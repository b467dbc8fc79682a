"""The clever ways against the plain one, for every family of models that differs in what it attends to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from parts import result

torch = pytest.importorskip("torch")

import transformers

from crossgraft.adapters.engine.requests import Request, shared_beginning
from crossgraft.adapters.engine.rows import Windows
from crossgraft.adapters.engine.scorer import Scorer
from crossgraft.adapters.engine.selftest import EXACT
from crossgraft.core import Floats
from crossgraft.errors import JobFailed

VOCABULARY = 300
SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
    "initializer_range": 0.3,  # far from uniform, so that options really differ
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
}
GROUPED = {**SHAPE, "num_key_value_heads": 2, "head_dim": 8}
GPT2 = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "bos_token_id": 0, "eos_token_id": 1}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama": ("LlamaConfig", GROUPED),
    "Qwen2": ("Qwen2Config", {**SHAPE, "num_key_value_heads": 2}),
    "Qwen3": ("Qwen3Config", GROUPED),
    "Mistral": ("MistralConfig", {**GROUPED, "sliding_window": 32}),
    "Gemma2": ("Gemma2Config", {**GROUPED, "sliding_window": 32}),  # caps its logits
    "Gemma3": ("Gemma3TextConfig", {**GROUPED, "num_hidden_layers": 6, "sliding_window": 32}),
    "GPTNeoX": ("GPTNeoXConfig", SHAPE),
    "GPT2": ("GPT2Config", {**GPT2, "initializer_range": 0.3}),  # learned positions
    "Cohere": ("CohereConfig", {**SHAPE, "logit_scale": 0.25}),
    "Granite": ("GraniteConfig", {**SHAPE, "logits_scaling": 4.0}),
}


def make(family: str, dtype: Any = torch.float32) -> Any:
    name, shape = FAMILIES[family]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, name)(**shape))
    return model.to(dtype).eval()


def asked(count: int = 10, *, shared: int = 0, seed: int = 0) -> list[Request]:
    rng = np.random.default_rng(seed)

    def drawn(n: int) -> tuple[int, ...]:
        return tuple(int(token) for token in rng.integers(3, VOCABULARY, size=n))

    beginning = drawn(shared)
    return [
        Request(beginning + drawn(int(rng.integers(5, 60))), tuple(drawn(int(rng.integers(1, 6))) for _ in range(4)))
        for _ in range(count)
    ]


def alone(model: Any, requests: Sequence[Request]) -> Floats:
    """Transformers' own loss, one option after another."""
    table = []
    for request in requests:
        for option in request.options:
            ids = torch.tensor([[*request.context, *option]])
            labels = ids.clone()
            labels[:, : len(request.context)] = -100
            with torch.no_grad():
                table.append(-float(model(input_ids=ids, labels=labels).loss) * len(option))
    return np.array(table).reshape(len(requests), -1)


@pytest.mark.parametrize("way", ["packed", "kept", "plain"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_way_gives_the_models_own_likelihoods(family: str, way: Any) -> None:
    model = make(family)
    scorer = Scorer(model, way=way, tokens=500)
    requests = asked()

    scores = result(scorer.score(requests))

    assert scores.path == way
    np.testing.assert_allclose(scores.loglik, alone(model, requests), atol=1e-4)


@pytest.mark.parametrize("way", ["packed", "kept"])
@pytest.mark.parametrize("family", ["Llama", "Gemma3", "GPTNeoX"])
def test_a_beginning_that_all_share_is_read_once(family: str, way: Any) -> None:
    model = make(family)
    requests = asked(shared=40)

    scores = result(Scorer(model, way=way, tokens=500).score(requests))

    assert scores.shared == 40
    np.testing.assert_allclose(scores.loglik, alone(model, requests), atol=1e-4)


@pytest.mark.parametrize("shared", [0, 40])
@pytest.mark.parametrize("way", ["packed", "kept"])
@pytest.mark.parametrize("family", ["Llama", "Gemma3"])
def test_what_all_options_begin_with_is_read_once(family: str, way: Any, shared: int) -> None:
    model = make(family)
    openings = ((5, 6, 7), (5, 6), (5,), ())
    requests = [
        Request(request.context, tuple(opening + option for option in request.options))
        for request, opening in zip(asked(8, shared=shared), 2 * openings, strict=True)
    ]
    scorer = Scorer(model, way=way, tokens=500)

    scores = result(scorer.score(requests))

    assert scores.path == way
    np.testing.assert_allclose(scores.loglik, alone(model, requests), atol=1e-4)
    with_opening, without = (
        scorer.path.size(Request((1, 2), options), 0) for options in (((5, 6), (5, 7)), ((5, 6), (8, 7)))
    )
    assert with_opening == (1, without[1] - 1)


def test_each_option_keeps_a_token_of_its_own() -> None:
    assert Request((1,), ((5, 6, 7), (5, 6, 8, 9))).opening == (5, 6)
    assert Request((1,), ((5, 6), (5, 6, 8))).opening == (5,)
    assert Request((1,), ((5,), (5, 6))).opening == ()
    assert Request((1,), ((5, 6, 7),)).opening == (5, 6)


@pytest.mark.parametrize("tokens", [1, 200, 10_000])
def test_scores_do_not_depend_on_batch_size_order_or_company(tokens: int) -> None:
    model, requests = make("Llama"), asked()
    whole = result(Scorer(model).score(requests)).loglik

    scorer = Scorer(model, tokens=tokens)
    reversed_order = result(scorer.score(requests[::-1])).loglik[::-1]
    halves = [result(scorer.score(part)).loglik for part in (requests[:5], requests[5:])]

    np.testing.assert_allclose(reversed_order, whole, atol=1e-4)
    np.testing.assert_allclose(np.concatenate(halves), whole, atol=1e-4)


def test_the_same_requests_give_the_same_bits() -> None:
    model, requests = make("Llama"), asked()
    scorer = Scorer(model)

    assert result(scorer.score(requests)).loglik.tolist() == result(scorer.score(requests)).loglik.tolist()


def test_in_bfloat16_a_way_may_differ_as_much_as_the_model_does_by_itself() -> None:
    scorer = Scorer(make("Llama", torch.bfloat16))

    assert scorer.path.name == "packed"
    assert 0 < scorer.test.noise < 1


class WrongWindows(Windows):
    """Windows that are not there: every layer sees everything."""

    @classmethod
    def of(cls, config: Any) -> Windows:
        return Windows(dict.fromkeys(Windows.of(config).by_type))  # type: ignore[union-attr]


def test_a_mask_that_forgets_the_sliding_window_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The self-test is longer than the window, or it could not see the difference."""
    monkeypatch.setattr("crossgraft.adapters.engine.scorer.Windows", WrongWindows)

    scorer = Scorer(make("Gemma3"))

    assert scorer.path.name == "plain"
    assert all(trial.largest > 10 * EXACT for trial in scorer.test.trials if not trial.passed)


def test_a_model_with_an_end_of_its_own_is_read_whole() -> None:
    """What happens to logits after the head is seen by the self-test, also where we do not know of it."""
    model = make("Llama")
    plain = model.forward
    model.forward = lambda *args, **kwargs: _doubled(plain(*args, **kwargs))

    scorer = Scorer(model)

    assert scorer.path.name == "plain, all logits"
    requests = asked(3)
    np.testing.assert_allclose(result(scorer.score(requests)).loglik.shape, (3, 4))


def _doubled(output: Any) -> Any:
    output.logits = 2 * output.logits
    return output


def test_a_model_that_is_not_made_of_attention_gets_plain_rows() -> None:
    config = transformers.MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()

    assert Scorer(model).path.name.startswith("plain")


def test_when_memory_runs_out_batches_are_halved_and_nothing_is_lost() -> None:
    model, requests = make("Llama"), asked()
    expected = result(Scorer(model).score(requests)).loglik
    scorer = Scorer(model)
    forward = model.base_model.forward

    def small(*args: Any, **kwargs: Any) -> Any:
        if kwargs["input_ids"].numel() > 150:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(*args, **kwargs)

    model.base_model.forward = small
    budget = scorer.tokens
    scores = result(scorer.score(requests))

    np.testing.assert_allclose(scores.loglik, expected, atol=1e-4)
    assert scorer.tokens < budget


def test_a_single_item_beyond_memory_is_one_sentence() -> None:
    model = make("Llama")
    scorer = Scorer(model)

    def never(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried")

    model.base_model.forward = never
    with pytest.raises(JobFailed, match="out of memory on cpu with a single item of"):
        result(scorer.score(asked(2)))


def test_a_shared_beginning_leaves_every_context_a_token_of_its_own() -> None:
    same = tuple(range(20))

    assert shared_beginning([Request(same, ((1,),)), Request(same, ((2,),))]) == same[:-1]
    assert shared_beginning([Request(same, ((1,),)), Request((*same[:10], 7), ((2,),))]) == ()
    assert shared_beginning([Request(same, ((1,),))]) == ()
