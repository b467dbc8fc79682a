"""A real model, base and adapter: crossgraft's log-likelihoods against those of lm-evaluation-harness' HF backend.

    python benchmarks/agreement.py MODEL --on tasks.toml [--items 200] [--adapter FOLDER] [--batch 8] [--threads 1]

MODEL is a Transformers folder or a GGUF file, tasks.toml a spec with [tasks] of multiple choice. Both sides score the same items with
the same model object in float32; the script checks that they read the same tokens. Without --adapter, a LoRA adapter of rank
16 with random weights is made. Printed for each target and treatment: the largest difference of an option's log-likelihood in nats,
accuracy on both sides, seconds of CPU time for scoring alone (one round each), and the peak of memory above what was in use before
(ours first; what one side leaves to the other in the same process is not counted).
The exit code is 1 where a log-likelihood differs by more than 1e-3 nats, or an accuracy at all.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
os.environ |= {"TQDM_DISABLE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

import lm_eval
import numpy as np
import torch
from material import RANK, Question, Questions, fill_adapter
from measuring import Cost, forget_peak, machine, peak_mib, table, timed

from crossgraft.adapters.bases.loading import load_model, load_tokenizer
from crossgraft.adapters.check.run import Asked, compose
from crossgraft.adapters.engine.evaluation import Choices, prepare
from crossgraft.adapters.engine.local import LocalEngine, finished, window_of
from crossgraft.adapters.items.encoding import Reading
from crossgraft.adapters.items.selection import items_to_test
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.tasks import Item
from crossgraft.adapters.weights.lora import fresh_adapter, saved_adapter
from crossgraft.core import Floats, Point
from crossgraft.metrics import METRICS
from crossgraft.spec import parse_study
from harness import Asked as Tokens
from harness import Harness, evaluate, no_index, same_tokens, task_of

MOST = 1e-3  # nats
CPU = torch.device("cpu")


class Measured(Harness):
    """The HF backend, with what its scoring answered and cost."""

    answered: Floats = np.empty(0)
    cost: Cost = Cost(0.0, 0.0)
    above: float = 0.0  # MiB

    def _loglikelihood_tokens(self, requests: Tokens, *args: Any, **options: Any) -> list[tuple[float, bool]]:
        before = forget_peak()
        answers, self.cost = timed(lambda: super(Measured, self)._loglikelihood_tokens(requests, *args, **options))
        self.above = max(0.0, peak_mib() - before)
        self.answered = np.array([answer for answer, _ in answers])
        return answers


@dataclass(frozen=True)
class Compared:
    """One treatment on one target, by both sides."""

    difference: float  # nats, the largest
    accuracies: tuple[float, float]  # of the harness, and ours
    costs: tuple[Cost, Cost]
    above: tuple[float, float]  # MiB

    @property
    def agrees(self) -> bool:
        theirs, ours = self.accuracies
        return self.difference <= MOST and abs(theirs - ours) < 1e-12

    def row(self) -> list[str]:
        theirs, ours = self.costs
        return [
            f"{self.difference:.1e}",
            " and ".join(f"{accuracy:.4f}" for accuracy in self.accuracies),
            f"{theirs.cpu:.0f} and {ours.cpu:.0f}",
            f"{theirs.cpu / ours.cpu:.2f}",
            " and ".join(f"{above:,.0f}" for above in self.above),
        ]


def as_questions(items: Sequence[Item]) -> Questions:
    """As the harness is to read them: it puts the blank between context and option itself."""
    for item in items:
        if not all(option.startswith(" ") for option in item.options):
            raise SystemExit(f"expected options that follow a blank; got {item.options!r} of the item {item.id!r}")
    rows = (Question(item.id, item.prompt, tuple(one[1:] for one in item.options), item.gold) for item in items)
    return Questions("zero-shot", tuple(rows))


def compare(lm: Measured, engine: LocalEngine, target: Point, items: Sequence[Item], folder: Path) -> Compared:
    questions = as_questions(items)
    path = questions.write(folder / "items.jsonl")
    prepared = prepare(lm.tokenizer, items, Reading("lm-eval"), window_of(lm.model), target.lang)
    assert isinstance(prepared, Choices)
    before = forget_peak()
    answers, cost = timed(lambda: finished(prepared.answer(engine)).answers)
    above = max(0.0, peak_mib() - before)
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        theirs = evaluate(lm, task_of(questions, path, Path(cache)), no_index())
    if not same_tokens(lm.asked, prepared.requests):
        raise SystemExit(f"{target}: the two sides do not read the same tokens")
    loglik = answers.columns["loglik"]
    difference = np.abs(loglik[~np.isnan(loglik)] - lm.answered).max()
    accuracy = METRICS.get("accuracy").score(answers).value
    return Compared(float(difference), (theirs["acc"], accuracy), (lm.cost, cost), (lm.above, above))


@contextmanager
def adapted(model: Any, adapter: str) -> Iterator[None]:
    """The model with the adapter of a folder, or with one of random weights."""
    if adapter:
        with saved_adapter(model, Path(adapter)):
            yield
        return
    with fresh_adapter(model, Recipe(rank=RANK, alpha=2.0 * RANK), seed=0) as wrapped:
        fill_adapter(wrapped, seed=0)
        wrapped.eval()
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--on", required=True)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--adapter", default="")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    told = parser.parse_args()
    torch.set_num_threads(told.threads)
    study: Any = parse_study(compose(Asked(told.model, (), (told.on,), items=told.items)).text, folder=Path.cwd())
    base = study.models["base"]

    def load() -> tuple[Any, Any]:
        return load_tokenizer("base", base, study.origin), load_model("base", base, study.origin, "sdpa", CPU)

    load()  # what is dequantised and kept the first time
    (tokenizer, model), loading = timed(load)
    print(
        f"{machine(f'lm-eval {lm_eval.__version__}')}\n{Path(told.model).name}: loaded in {loading.cpu:.1f} s of CPU time"
    )
    print(f"{loading.wall:.1f} s by the clock; V = {model.config.vocab_size:,}", flush=True)
    engine, setup = timed(lambda: LocalEngine(model, tokenizer))
    print(f"self-test {setup.cpu:.1f} s of CPU time, path {engine.test.path.name}", flush=True)
    lm = Measured(pretrained=model, tokenizer=tokenizer, batch_size=told.batch)
    found: dict[tuple[str, str], Compared] = {}
    with tempfile.TemporaryDirectory() as folder:
        for target in study.targets:
            items = items_to_test(study, target)
            found[str(target), "base"] = compare(lm, engine, target, items, Path(folder))
            print(target, "base", *found[str(target), "base"].row(), flush=True)
            with adapted(model, told.adapter):
                found[str(target), "adapter"] = compare(lm, engine, target, items, Path(folder))
            print(target, "adapter", *found[str(target), "adapter"].row(), flush=True)
    heads = (
        "target",
        "",
        "max abs Δ nats",
        "accuracy: harness, ours",
        "CPU s: harness, ours",
        "×",
        "MiB above: harness, ours",
    )
    table(heads, [[*key, *one.row()] for key, one in found.items()])
    sys.exit(not all(one.agrees for one in found.values()))


if __name__ == "__main__":
    main()
