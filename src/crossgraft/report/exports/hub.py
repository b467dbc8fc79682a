"""For model pages of the Hugging Face Hub: ``.eval_results/*.yaml``, and the ``model-index`` of a model card."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from crossgraft.core import Point
from crossgraft.errors import SpecError
from crossgraft.report.exports.results import Result, Run
from crossgraft.safety.escaping import visible
from crossgraft.safety.files import safe_name

_TASKS: Mapping[str, str] = {"choice": "multiple-choice", "generation": "text-generation"}


@dataclass(frozen=True)
class Benchmark:
    """What a task or a target is on the hub: a dataset that is registered as a benchmark, and the task in it."""

    dataset: str
    task: str = "default"

    @classmethod
    def parse(cls, text: str) -> tuple[str, Self]:
        """
        >>> Benchmark.parse("xnli/de=facebook/xnli#de")
        ('xnli/de', Benchmark(dataset='facebook/xnli', task='de'))
        """
        name, equals, where = text.partition("=")
        dataset, _, task = where.partition("#")
        if not (name and equals and dataset.count("/") == 1 and all(dataset.split("/"))):
            raise SpecError(f"expected --dataset TARGET=OWNER/NAME or TARGET=OWNER/NAME#TASK; got {text!r}")
        return name, cls(dataset, task or "default")


def benchmark_of(target: Point, known: Mapping[str, Benchmark]) -> Benchmark | None:
    """By the target's name, or by its task's."""
    return known.get(str(target)) or known.get(target.task)


def hub_files(run: Run, known: Mapping[str, Benchmark]) -> dict[str, str]:
    """The files of one run: a folder per run, to be copied into its repository."""
    folder = safe_name(run.name)
    files = {f"{folder}/model-index.yaml": "\n".join(_yaml(_index(run, known))) + "\n"}
    for result in run.results:
        if benchmark := benchmark_of(result.record.target, known):
            entry = {
                "dataset": {"id": benchmark.dataset, "task_id": benchmark.task},
                "value": _value(result),
                "notes": _notes(result),
            }
            name = f"{folder}/.eval_results/{safe_name(str(result.record.target).replace('/', '-'))}.yaml"
            files[name] = "\n".join(_yaml([entry])) + "\n"
    return files


def _value(result: Result) -> float:
    """Shares in percent, as the leaderboards of the hub show them."""
    value = result.score.value
    return round(100 * value, 2) if result.metric.unit == "share" else round(value, 4)


def _notes(result: Result) -> str:
    score = result.score
    scale = 100 if result.metric.unit == "share" else 1
    return f"{result.metric.name}, n = {score.n}, 95 % interval {scale * score.low:.2f} to {scale * score.high:.2f}, crossgraft"


def _index(run: Run, known: Mapping[str, Benchmark]) -> dict[str, Any]:
    return {"model-index": [{"name": run.name, "results": [_entry(result, known) for result in run.results]}]}


def _entry(result: Result, known: Mapping[str, Benchmark]) -> dict[str, Any]:
    target = result.record.target
    benchmark = benchmark_of(target, known)
    return {
        "task": {"type": _TASKS.get(result.record.answers.kind, "other")},
        "dataset": {
            "type": benchmark.dataset if benchmark else target.task,
            "name": str(target),
            "config": benchmark.task if benchmark else target.lang,
        },
        "metrics": [{"type": result.metric.name, "value": _value(result), "name": _notes(result)}],
    }


def _yaml(value: Any, indent: int = 0) -> Iterator[str]:
    """Mappings and lists as blocks; texts in quotes, as JSON writes them."""
    margin = "  " * indent
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict | list):
                yield f"{margin}{key}:"
                yield from _yaml(inner, indent + 1)
            else:
                yield f"{margin}{key}: {_scalar(inner)}"
    else:
        for inner in value:
            first, *rest = _yaml(inner, indent + 1)
            yield f"{margin}- {first.lstrip()}"
            yield from rest


def _scalar(value: Any) -> str:
    return json.dumps(visible(value) if isinstance(value, str) else value, ensure_ascii=False)


def unused(known: Iterable[str], runs: Iterable[Run]) -> list[str]:
    """Names that were given for targets that the study does not have."""
    targets = {result.record.target for run in runs for result in run.results}
    return sorted(set(known) - {str(target) for target in targets} - {target.task for target in targets})
