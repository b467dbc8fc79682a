"""The matrix of every model: the change of each treatment on each target."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from crossgraft.analysis.findings import Findings, columns_of
from crossgraft.analysis.wording import interval, signed
from crossgraft.core import Treatment
from crossgraft.report.section import HIDDEN, Column, Picture, Section, Table, Value
from crossgraft.transfer.matrix import ChangeCell

PLACE = 30
_FULL_COLOUR = 15.0  # percentage points at which the colour is deepest
_DEEPEST = 0.6  # share of the pure colour there, so that dark text stays readable
_MANY = 3  # models: with more, each matrix is folded
_NOTE = (
    "Rows: treatments. Columns: targets. Percentage points against the control, blue better, orange worse. Bold: the interval excludes "
    "zero; italic: it does not. Outlined: the task and language the treatment was trained on. Hatched: no number. Point at a cell for its "
    "details or the reason. All cells with intervals and n are in cells.csv."
)


def sections(findings: Findings) -> Iterator[Section]:
    matrix = findings.matrix
    models = list(dict.fromkeys(row.model for row in matrix.rows))
    reasons = {(gap.row.row, gap.target): gap.reason for gap in matrix.gaps}
    for model in models:
        targets = columns_of(matrix, model) or matrix.columns
        head = (Column(HIDDEN, "model"), Column("treatment", "treatment"), *(Column(str(t), str(t)) for t in targets))
        rows = tuple(
            (
                model,
                row.label,
                *(_cell(matrix.cells.get((row, t)), reasons.get((row, t), "not measured")) for t in targets),
            )
            for row in matrix.rows
            if row.model == model
        )
        title = f"Change on every target: {model}"
        yield Section(title, (Table("matrix", head, rows),), note=_NOTE, folded=len(models) > _MANY)


def _cell(cell: ChangeCell | None, why: str) -> Value:
    if cell is None:
        return Picture(None, "·", Markup("·"), hint=why, tone="none")
    change = cell.change
    clear = change.low > 0 or change.high < 0
    text = signed(change.mean)
    beside = f"{interval(change.low, change.high)} n={items(cell)}"
    return Picture(
        change.mean,
        f"**{text}**" if clear else text,
        Markup("{}<small>{}</small>").format(text, beside),
        style=f"background: {_colour(change.mean)}",
        hint=_detail(cell.row, cell),
        tone=f"{'clear' if clear else 'unclear'}{' own' if cell.regime == 'MT-ML' else ''}",
    )


def _detail(row: Treatment, cell: ChangeCell) -> str:
    change = cell.change
    levels = f"{level(cell, cell.control)} → {level(cell, cell.treated)}"
    seeds = f", {len(cell.seeds)} seeds" if len(cell.seeds) > 1 else ""
    return (
        f"{row.label} on {cell.target}: {signed(change.mean, 2)} {cell.unit} {interval(change.low, change.high)}; "
        f"{cell.metric.name} {levels}; n = {items(cell)}{seeds}; detectable {detectable(cell)}; "
        f"record {', '.join(id[:10] for id in cell.record_ids)}"
    )


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


def _colour(change: float) -> str:
    """Blue for better, orange for worse: colour-blind readers see the difference, too."""
    depth = _DEEPEST * min(1.0, abs(change) / _FULL_COLOUR)
    red, green, blue = (33, 102, 172) if change > 0 else (201, 96, 16)
    mixed = (round(255 - depth * (255 - part)) for part in (red, green, blue))
    return f"rgb({', '.join(map(str, mixed))})"
