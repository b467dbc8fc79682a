"""What each axis of the recipe does."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.effects.axes import AxisEffect, LevelMean, level_means
from crossgraft.report.section import HIDDEN, Number, Section, Table, Value, columns, counted, estimate

PLACE = 45
_HEAD = columns(
    "model",
    "axis",
    "compared",
    ("on", "outcome"),
    ("difference, pp", "difference"),
    ("from", "rests_on"),
    "verdict",
    (HIDDEN, "sets"),
    (HIDDEN, "cells"),
    (HIDDEN, "items"),
)
_LEVEL_HEAD = columns(
    "model",
    "level",
    ("gain on the source, pp", "on_source"),
    ("same task, other languages, pp", "same_task"),
    ("other tasks, pp", "other_tasks"),
)
_NOTE = (
    "Compared are treatments that differ in the axis only, so the base cancels. Axis × axis: how much larger the effect of the first is at the "
    "second's level than at its reference. Means at a level are over all treatments that have it; they share the noise of the base."
)


_WORDS = {"better": "higher", "worse": "lower", "not distinguishable": "not distinguishable"}


def sections(findings: Findings) -> Iterator[Section]:
    if findings.axes:
        rows = tuple(map(_row, findings.axes))
        levels = tuple(map(_level_row, level_means(findings.matrix, findings.evidence.draws)))
        yield Section(
            "What the axes of the recipe do",
            (Table("axes", _HEAD, rows), Table("axis_levels", _LEVEL_HEAD, levels, title="Means at each level")),
            note=_NOTE,
            shows="What one level of the recipe does more than another, all else equal.",
            explained="reading-a-report#the-numbers",
        )


def _level_row(mean: LevelMean) -> tuple[Value, ...]:
    levels = ", ".join(f"{name} {value}" for name, value in mean.levels)
    return (mean.model, levels, *map(estimate, mean.means.values()))


def _row(effect: AxisEffect) -> tuple[Value, ...]:
    levels, references = (", ".join(str(value) for _, value in side) for side in (effect.levels, effect.references))
    found = effect.estimate
    return (
        effect.model,
        effect.axis,
        f"{levels} against {references}",
        effect.outcome,
        estimate(found),
        f"{effect.sets} sets, {counted(found)}",
        _WORDS[found.verdict] if isfinite(found.high - found.low) else "no interval",
        Number(effect.sets, ""),
        Number(found.cells, ""),
        Number(found.items, ""),
    )
