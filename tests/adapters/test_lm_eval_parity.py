"""The harness' own numbers, as ``tests/harness.py`` gets them, are what they are taken for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lm_eval")
torch = pytest.importorskip("torch")

from crossgraft.adapters.tasks.harness.items import TaskRequest, read
from harness import HarnessScores, harness_scores
from parts import write_jsonl

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:transformers")]  # by peft's call

ROWS: list[dict[str, object]] = [
    {"q": "what is the sky ?", "options": ["blue", "rouge et noir", "grün"], "gold": 0},
    {"q": "and the colour of the sea", "options": ["the sky", "красный"], "gold": 1},
    {"q": "sky", "options": ["a", "b", "c"], "gold": 2},
]


def config(folder: Path, **settings: Any) -> dict[str, Any]:
    write_jsonl(folder / "rows.jsonl", ROWS)
    return {
        "task": "colours",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(folder / "rows.jsonl")}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "Q: {{q}}\nA:",
        "doc_to_choice": "options",
        "doc_to_target": "gold",
        **settings,
    }


def make_adapter(model: Path, folder: Path, *, scale: float) -> Path:
    """A LoRA folder on the tiny model; with a scale of 0 it changes nothing."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(3)
        adapted = get_peft_model(
            AutoModelForCausalLM.from_pretrained(model),
            LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"]),
        )
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(0, scale) if scale else weight.data.zero_()
    adapted.save_pretrained(folder)
    return folder


def by_hand(folder: Path, scores: HarnessScores) -> np.ndarray:
    """Σ log p of each continuation's tokens, one forward pass each."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    found = np.full_like(scores.loglik, np.nan)
    for place, row in enumerate(scores.requests):
        for number, (context, continuation) in enumerate(row):
            ids = tokenizer(context + continuation)["input_ids"]
            start = len(tokenizer(context)["input_ids"])
            with torch.inference_mode():
                logprobs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
            found[place, number] = sum(float(logprobs[at - 1, ids[at]]) for at in range(start, len(ids)))
    return found


def test_likelihoods_are_those_of_the_model(tmp_path: Path, tiny_model: Path) -> None:
    scores = harness_scores(tiny_model, config(tmp_path))

    np.testing.assert_allclose(scores.loglik, by_hand(tiny_model, scores), atol=1e-4)
    assert np.isnan(scores.loglik).tolist() == [[False] * 3, [False, False, True], [False] * 3]


def test_accuracies_follow_from_likelihoods_and_lengths(tmp_path: Path, tiny_model: Path) -> None:
    scores = harness_scores(tiny_model, config(tmp_path), batch_size=4)

    characters, sizes = np.full_like(scores.loglik, np.nan), np.full_like(scores.loglik, np.nan)
    for place, row in enumerate(ROWS):
        for number, option in enumerate(row["options"]):  # type: ignore[arg-type, var-annotated]
            characters[place, number], sizes[place, number] = len(option), len(option.encode())
    gold = np.array([row["gold"] for row in ROWS])

    for found, lengths in ((scores.acc, 1.0), (scores.acc_norm, characters), (scores.acc_bytes, sizes)):
        np.testing.assert_array_equal(found, np.nanargmax(scores.loglik / lengths, axis=1) == gold)


def test_the_batch_does_not_matter(tmp_path: Path, tiny_model: Path) -> None:
    one, many = (harness_scores(tiny_model, config(tmp_path), batch_size=size) for size in (1, 8))

    np.testing.assert_allclose(one.loglik, many.loglik, atol=1e-4)


def test_an_adapter_counts_and_one_of_zeros_does_not(tmp_path: Path, tiny_model: Path) -> None:
    base = harness_scores(tiny_model, config(tmp_path))
    zero = harness_scores(tiny_model, config(tmp_path), adapter=make_adapter(tiny_model, tmp_path / "zero", scale=0))
    real = harness_scores(tiny_model, config(tmp_path), adapter=make_adapter(tiny_model, tmp_path / "real", scale=0.5))

    np.testing.assert_array_equal(zero.loglik, base.loglik)
    assert np.nanmin(np.abs(real.loglik - base.loglik)) > 1e-3


def test_simple_evaluate_says_the_same(tmp_path: Path, tiny_model: Path) -> None:
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    found = simple_evaluate(
        model=HFLM(pretrained=str(tiny_model), tokenizer=str(tiny_model), batch_size=1, device="cpu", dtype="float32"),
        tasks=[config(tmp_path)],
        task_manager=TaskManager(include_defaults=False),
        cache_requests=False,
        bootstrap_iters=0,
    )

    scores = harness_scores(tiny_model, config(tmp_path))
    theirs = [[answer[0][0] for answer in sample["resps"]] for sample in found["samples"]["colours"]]
    assert theirs == [[value for value in row if value == value] for row in scores.loglik.tolist()]
    assert found["results"]["colours"]["acc,none"] == scores.acc.mean()


def test_written_answers_come_as_texts(tmp_path: Path, tiny_model: Path) -> None:
    settings = config(
        tmp_path,
        output_type="generate_until",
        doc_to_choice=None,
        doc_to_target="q",
        generation_kwargs={"until": ["?"], "max_gen_toks": 5},
    )

    scores = harness_scores(tiny_model, settings)

    assert len(scores.texts) == len(ROWS)
    assert scores.loglik.shape == (len(ROWS), 0)


def test_our_items_are_what_the_harness_scored(tmp_path: Path, tiny_model: Path) -> None:
    import yaml

    settings = config(tmp_path)
    (tmp_path / "defs").mkdir()
    (tmp_path / "defs/colours.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")

    items = read(TaskRequest("colours", "test", tmp_path, tmp_path / "defs")).items

    scored = harness_scores(tiny_model, settings).requests
    assert tuple(tuple((item.prompt, option) for option in item.options) for item in items) == scored  # type: ignore[union-attr]
