"""A comparison as sections: means, cells and base scores in A and in B, and B less A."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.comparison.compare import CellDifference, Comparison
from crossgraft.analysis.comparison.sentences import lines_only
from crossgraft.report.section import NOTHING, Number, Section, Table, Value, change, columns, estimate, whole
from crossgraft.report.section import Interval as Ends

_SHOWN = 40  # rows of a page; files have all
_MEANS = columns(
    "model",
    "regime",
    "meaning",
    "A",
    "B",
    ("B less A, pp", "difference"),
    "p adjusted",
    "cells",
    "measured anew",
    "verdict",
)
_CELLS = columns(
    "model",
    "treatment",
    "target",
    "A",
    "B",
    ("B less A", "difference"),
    "unit",
    "p adjusted",
    "items in both",
    "pairing",
    "verdict",
)
_BASES = columns(
    "model", "target", "metric", "A", "B", ("B less A", "difference"), "unit", "p adjusted", "items in both", "verdict"
)
_ONLY = columns("side", "model", "treatment", "target", "change")
_NOTE = (
    "B less A, with 95 % intervals over new items and seeds that are not corrected for their number. Verdicts are: all differences in these tables are one "
    "family of tests with a false discovery rate of 5 % (weighted Benjamini–Hochberg; a mean weighs four times as much as a cell). "
    "Not tested: both rest on the same records, or A or B has a single seed and the noise of training is not known; the interval is then over new items alone."
)


def sections_of(comparison: Comparison) -> tuple[Section, ...]:
    return tuple(_sections(comparison))


def _sections(comparison: Comparison) -> Iterator[Section]:
    means = tuple(
        (
            mean.model,
            mean.regime,
            mean.words,
            estimate(mean.a),
            estimate(mean.b),
            estimate(mean.estimate, toned=True),
            _p(mean.adjusted if mean.tested else None),
            whole(mean.cells),
            whole(mean.measured_anew),
            _verdict(mean.significant, mean.estimate.mean, mean.tested),
        )
        for mean in comparison.means
    )
    yield Section("Means by regime", (Table("means", _MEANS, means),), note=_NOTE)
    cells = sorted(comparison.cells, key=lambda cell: (cell.adjusted, cell.estimate.p, -abs(cell.estimate.mean)))
    if cells:
        yield Section("Cells", (Table("cells", _CELLS, tuple(map(_cell, cells)), most=_SHOWN),))
    if comparison.bases:
        yield Section("Scores of the base", (Table("bases", _BASES, tuple(_bases(comparison)), most=_SHOWN),))
    only = tuple(
        (side, cell.row.model, cell.row.label, str(cell.target), change(cell.change.mean))
        for side, cell in lines_only(comparison)
    )
    if only:
        yield Section("Cells that only one has", (Table("only", _ONLY, only, most=_SHOWN),))


def _cell(cell: CellDifference) -> tuple[Value, ...]:
    a, b = cell.pair.a, cell.pair.b
    return (
        a.row.model,
        a.row.label,
        str(a.target),
        change(a.change.mean),
        change(b.change.mean),
        estimate(cell.estimate, toned=True),
        a.unit,
        _p(cell.adjusted if cell.tested else None),
        whole(cell.pair.shared),
        cell.pair.pairing,
        _verdict(cell.significant, cell.estimate.mean, cell.tested),
    )


def _bases(comparison: Comparison) -> Iterator[tuple[Value, ...]]:
    for base in sorted(comparison.bases, key=lambda base: (base.adjusted, -abs(base.change.mean))):
        a, b, found = base.pair.a, base.pair.b, base.change
        yield (
            a.row.model,
            str(a.target),
            a.metric.name,
            _score(a.control, a.unit),
            _score(b.control, b.unit),
            Ends(found.mean, found.low, found.high),
            a.unit,
            _p(base.adjusted),
            whole(base.pair.shared),
            _verdict(base.significant, found.mean),
        )


def _score(value: float, unit: str) -> Number:
    return Number(value, f"{value:.1%}" if unit == "pp" else f"{value:.3f}")


def _p(value: float | None) -> Number:
    if value is None:
        return Number(None, NOTHING)
    return Number(value, "<.001" if value < 0.001 else f"{value:.3f}")


def _verdict(significant: bool, difference: float, tested: bool = True) -> str:
    if not tested:
        return "not tested"
    if not significant:
        return "not significant"
    return "higher in B" if difference > 0 else "lower in B"
