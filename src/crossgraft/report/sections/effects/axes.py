"""What each axis of the recipe does."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.effects.axes import AxisEffect
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
_NOTE = (
    "Compared are treatments that differ in the axis only, so the base cancels. Axis × axis: how much larger the effect of the first is at the "
    "second's level than at its reference."
)


_WORDS = {"better": "higher", "worse": "lower", "not distinguishable": "not distinguishable"}


def sections(findings: Findings) -> Iterator[Section]:
    if findings.axes:
        rows = tuple(map(_row, findings.axes))
        yield Section(
            "What the axes of the recipe do",
            (Table("axes", _HEAD, rows),),
            note=_NOTE,
            shows="What one level of the recipe does more than another, all else equal.",
            explained="reading-a-report.md#the-numbers",
        )


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
