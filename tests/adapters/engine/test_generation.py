"""What a model writes, in whatever company, is what it writes alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from parts import result

torch = pytest.importorskip("torch")

import transformers

from crossgraft.adapters.bases.loading import load_model, load_tokenizer
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.engine.generation import generate
from crossgraft.adapters.tasks import Generation
from crossgraft.study import Origin

LONG = Generation(stop=(), max_tokens=12)


@pytest.fixture(scope="module")
def parts(tiny_model: Path) -> tuple[Any, Any]:
    told = Model(path=str(tiny_model))
    return load_model("tiny", told, Origin(), "sdpa", torch.device("cpu")), load_tokenizer("tiny", told, Origin())


def prompts(tokenizer: Any) -> list[list[int]]:
    texts = ["what is the colour of the sky ?", "blue", "red green blue sky", "the", "what is the sky ? blue red"]
    return [tokenizer(text)["input_ids"] for text in texts]


def greedy(model: Any, tokenizer: Any, prompt: list[int], count: int) -> str:
    """One token after another, the whole text read anew each time."""
    ids = list(prompt)
    for _ in range(count):
        with torch.no_grad():
            following = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        if following == tokenizer.eos_token_id:
            break
        ids.append(following)
    return str(tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True)).strip()


@pytest.mark.parametrize("budget", [1, 40, 10_000])
def test_batches_write_what_the_model_writes_alone(parts: tuple[Any, Any], budget: int) -> None:
    model, tokenizer = parts

    written = result(generate(model, tokenizer, prompts(tokenizer), LONG, budget=budget))

    assert list(written.texts) == [greedy(model, tokenizer, prompt, 12) for prompt in prompts(tokenizer)]


def test_an_answer_ends_before_its_stop(parts: tuple[Any, Any]) -> None:
    model, tokenizer = parts
    whole = result(generate(model, tokenizer, prompts(tokenizer), LONG, budget=1000)).texts
    stop = whole[0][3:5]

    written = result(generate(model, tokenizer, prompts(tokenizer), Generation((stop,), 12), budget=1000))

    assert written.texts[0] == whole[0].partition(stop)[0].strip()
    assert not written.cut[0]
    assert result(generate(model, tokenizer, prompts(tokenizer), Generation((), 3), budget=1000)).cut == (True,) * 5


def test_a_folders_own_sampling_does_not_leak_in(parts: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = parts
    expected = result(generate(model, tokenizer, prompts(tokenizer), LONG, budget=1000)).texts
    own = transformers.GenerationConfig(do_sample=True, temperature=5.0, repetition_penalty=9.0, num_beams=1)
    monkeypatch.setattr(model, "generation_config", own)

    assert result(generate(model, tokenizer, prompts(tokenizer), LONG, budget=1000)).texts == expected


def test_when_memory_runs_out_batches_are_halved(parts: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = parts
    expected = result(generate(model, tokenizer, prompts(tokenizer), LONG, budget=1000)).texts
    whole = model.generate

    def small(*args: Any, **kwargs: Any) -> Any:
        if len(kwargs["input_ids"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(*args, **kwargs)

    monkeypatch.setattr(model, "generate", small)
    assert result(generate(model, tokenizer, prompts(tokenizer), LONG, budget=1000)).texts == expected
