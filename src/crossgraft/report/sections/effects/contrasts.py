"""On the source's task against off it, with one interval per question."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.effects.contrast import Contrast, Inference
from crossgraft.analysis.wording import interval
from crossgraft.report.section import Interval, Section, Table, Value, change, columns

PLACE = 40
_HEAD = columns(
    "over",
    ("difference, pp", "difference"),
    ("with new items and seeds", "new_items"),
    ("with new models", "new_models"),
    ("with new tasks", "new_tasks"),
)
_NOTE = (
    "For each model and target: the mean change of treatments trained on the same task in another language, minus that of treatments trained "
    "on other tasks. The base cancels, so noise in the base's score has no effect. Each interval answers another question; the last two are "
    "wide because models and tasks are few. Cells: those of treatments with one known source, except on the source itself."
)


def sections(findings: Findings) -> Iterator[Section]:
    if findings.contrasts:
        rows = tuple(map(_row, findings.contrasts))
        yield Section(
            "How sure: on the source's task against off it",
            (Table("contrasts", _HEAD, rows),),
            note=_NOTE,
            shows="How much more a treatment changes its own task than other tasks, with an interval for each kind of new data.",
            explained="statistics",
        )


def _row(contrast: Contrast) -> tuple[Value, ...]:
    return (
        contrast.over,
        change(contrast.estimate.mean),
        *(_level(level, contrast.estimate.mean) for level in contrast.levels),
    )


def _level(inference: Inference, mean: float) -> Interval:
    if inference.low is None or inference.high is None:
        return Interval(None, text=f"none: {inference.why}")
    return Interval(
        mean, inference.low, inference.high, text=f"{interval(inference.low, inference.high)} ({inference.units})"
    )
