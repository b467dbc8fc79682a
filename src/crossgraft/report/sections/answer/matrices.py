"""The matrix: the change of each treatment on each target, of every model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import isfinite

import numpy as np

from crossgraft.analysis.findings import Findings, columns_of
from crossgraft.analysis.intervals.draws import has_items
from crossgraft.analysis.wording import interval, signed
from crossgraft.errors import DataError
from crossgraft.report.grid import Grid, Shrunk
from crossgraft.report.section import HIDDEN, Column, Interval, Number, Section, Table, Value, columns
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix

PLACE = 5
_MANY = 4000  # cells, whose posterior takes some six seconds
_SHOWS = (
    "Rows are treatments, columns targets: percentage points against the control on the same items, blue better, orange worse. Bold, a dot (better) or a dash (worse): "
    "the interval excludes zero. Outlined: the treatment's own source. A stroke: no number."
)
_NOTE = (
    "Intervals: 95 %, paired by item, the variance between seeds added; they are not corrected for the number of cells. Shrunk: see the line below "
    "the matrix when it is shown. All cells with intervals, n and the ids of their records are in cells.csv."
)

_POSTERIOR = (
    "Shrunk: the posterior mean of the cell with its 95 % credible interval, drawn towards what its model, source, target and their pairs say of it, the "
    "more the noisier it is; noise of the base and of the seeds is taken out"
)
_TWO_WAY = (
    "Shrunk: between the cell and the two-way model of donors and recipients, by its noise; not on the own source. "
)
_TOO_MANY = f"With more than {_MANY:,} cells the posterior of every cell would take too long"
_NO_ITEMS = "Without outcomes of items the noise of a cell has an upper bound only, which is too coarse for a posterior"


def sections(findings: Findings) -> Iterator[Section]:
    matrix = findings.matrix
    tables = []
    for model in dict.fromkeys(row.model for row in matrix.rows):
        targets = columns_of(matrix, model) or matrix.columns
        head = (Column(HIDDEN, "model"), Column("treatment", "treatment"), *(Column(str(t), str(t)) for t in targets))
        rows = tuple(
            (model, row.label, *(_cell(matrix.cells.get((row, t))) for t in targets))
            for row in matrix.rows
            if row.model == model
        )
        tables.append(Table("matrix", head, rows, model))
    if tables:
        shrunk = _shrunk(findings)
        yield Section(
            "Change on every target",
            (*tables, *_posterior(matrix, shrunk)),
            note=_NOTE,
            shows=_SHOWS,
            explained="reading-a-report",
            grid=Grid(matrix, shrunk),
        )


def _shrunk(findings: Findings) -> Shrunk | None:
    """The posterior, or in its place the two-way estimate. Mappings have no donors to be drawn towards."""
    if findings.evidence.standings:
        return None
    cells = findings.evidence.draws.cells
    if len(cells) > _MANY or not has_items(cells):
        estimates = (estimate for way in findings.two_way for estimate in way.cells)
        shrunken = {(of.cell.row, of.cell.target): (of.shrunken,) for of in estimates if isfinite(of.cell.change.error)}
        about = _TWO_WAY + (_TOO_MANY if len(cells) > _MANY else _NO_ITEMS)
        return Shrunk("shrunk (two-way)", about, shrunken) if shrunken else None
    try:
        found = findings.evidence.posterior
    except DataError:  # nothing in percentage points, or no noise that could be taken out
        return None
    low, high = np.quantile(found.draws, [0.025, 0.975], axis=0)
    numbers = np.stack([found.mean, low, high], axis=-1).tolist()
    places = product(range(len(found.rows)), range(len(found.columns)))
    return Shrunk(
        "shrunk (posterior)",
        _POSTERIOR,
        {(found.rows[row], found.columns[at]): tuple(numbers[row][at]) for row, at in places},
    )


def _posterior(matrix: TransferMatrix, shrunk: Shrunk | None) -> Iterator[Table]:
    """The posterior of every measured cell; only in CSV."""
    if shrunk and shrunk.about == _POSTERIOR:
        head = columns("model", "treatment", "target", "change", "posterior")
        rows = tuple(
            _posterior_row(cell, *shrunk.changes[place])
            for place, cell in matrix.cells.items()
            if place in shrunk.changes
        )
        yield Table("posterior", head, rows, most=0)


def _posterior_row(cell: ChangeCell, mean: float, low: float, high: float) -> tuple[Value, ...]:
    change = Number(cell.change.mean, "")
    return cell.row.model, cell.row.label, str(cell.target), change, Interval(mean, low, high)


def _cell(cell: ChangeCell | None) -> Value:
    if cell is None:
        return Number(None, "·")
    change = cell.change
    text = signed(change.mean)
    return Number(change.mean, f"**{text}**" if change.low > 0 or change.high < 0 else text)


CELL_TITLES = ("treatment", "target", "base", "now", "change", "n", "verdict", "detectable")


def cell_lines(findings: Findings) -> Iterator[tuple[str, ...]]:
    """Every cell as a line of the terminal."""
    for cell in findings.matrix.cells.values():
        change = cell.change
        verdict = "better" if change.low > 0 else "worse" if change.high < 0 else "not distinguishable"
        yield (
            cell.row.label,
            str(cell.target),
            level(cell, cell.control),
            level(cell, cell.treated),
            f"{signed(change.mean)} {cell.unit} {interval(change.low, change.high)}",
            items(cell),
            verdict,
            detectable(cell),
        )


def items(cell: ChangeCell) -> str:
    return str(cell.change.n) if cell.change.n else "unknown"


def detectable(cell: ChangeCell) -> str:
    """The change that would be seen with a probability of .8."""
    return "–" if cell.change.why else f"{cell.change.detectable:.1f} {cell.unit}"


def level(cell: ChangeCell, value: float) -> str:
    return f"{value:.1%}" if cell.metric.unit == "share" else f"{value:.3f}"
