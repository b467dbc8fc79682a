"""The matrix without a script: small ones with their numbers, large ones as squares, one path per shade."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from crossgraft.analysis.wording import interval, signed
from crossgraft.core import Treatment
from crossgraft.report.grid import Grid
from crossgraft.report.pictures.axes import name_width, shortened, text
from crossgraft.transfer.changes import ChangeCell

_SHADES = 6
_NUMBERED = 600  # cells of a report; with more, matrices have no numbers
_NAME = 24  # letters


@dataclass(frozen=True)
class _Size:
    width: float
    height: float
    left: float
    top: float


def matrix_svg(grid: Grid, model: str, shorten: Callable[[str], str]) -> Markup:
    """One model's matrix."""
    rows = [row for row in grid.rows if grid.has(model, row)]
    row_names, column_names = [shorten(row.label) for row in rows], [shorten(str(column)) for column in grid.columns]
    numbered = len(grid.matrix.cells) <= _NUMBERED
    width, height = (46.0, 22.0) if numbered else (15.0, 15.0)
    size = _Size(width, height, name_width(row_names, _NAME) + 8, name_width(column_names, _NAME) + 8)
    names = [
        text(size.left - 5, size.top + height * (down + 0.5) + 4, shortened(name, _NAME), "", "end")
        for down, name in enumerate(row_names)
    ]
    names += [
        Markup('<text transform="translate({:g} {:g}) rotate(-90)">{}</text>').format(
            round(size.left + width * (across + 0.5) + 4, 1), round(size.top - 5, 1), shortened(name, _NAME)
        )
        for across, name in enumerate(column_names)
    ]
    cells = _numbers if numbered else _squares
    total = size.left + width * len(grid.columns) + 4, size.top + height * len(rows) + 4
    return Markup(
        '<svg class="matrix" viewBox="0 0 {:g} {:g}" width="{:g}" height="{:g}" role="img" aria-label="{}">{}{}</svg>'
    ).format(
        *map(round, total),
        *map(round, total),
        f"Change of every treatment on every target: {shorten(model)}",
        Markup("").join(cells(grid, model, rows, size)),
        Markup("").join(names),
    )


def _places(grid: Grid, model: str, rows: list[Treatment]) -> Iterator[tuple[int, int, ChangeCell | None]]:
    for down, row in enumerate(rows):
        for across, column in enumerate(grid.columns):
            yield down, across, grid.cell(model, row, column)


def shade(change: float, deepest: float) -> int:
    """From 1, the palest, to the deepest; 0 where nothing changed."""
    return 0 if change == 0 else min(_SHADES, 1 + int(_SHADES * abs(change) / deepest))


def _numbers(grid: Grid, model: str, rows: list[Treatment], size: _Size) -> Iterator[Markup]:
    for down, across, cell in _places(grid, model, rows):
        x, y = size.left + size.width * across, size.top + size.height * down
        if cell is None:
            why = grid.why(model, rows[down], grid.columns[across])
            yield Markup('<g><title>{}</title><path class="missing" d="M{:g} {:g}l{:g} {:g}"/></g>').format(
                why, round(x + 3, 1), round(y + size.height - 4, 1), round(size.width - 8, 1), round(8 - size.height, 1)
            )
            continue
        change = cell.change
        clear = change.low > 0 or change.high < 0
        kind = f"{'better' if change.mean > 0 else 'worse'} s{shade(change.mean, grid.deepest[cell.unit])}"
        own = Markup('<rect class="own" x="{:g}" y="{:g}" width="{:g}" height="{:g}"/>').format(
            round(x + 1, 1), round(y + 1, 1), size.width - 3, size.height - 3
        )
        yield Markup(
            '<g><title>{}</title><rect class="{}" x="{:g}" y="{:g}" width="{:g}" height="{:g}"/>{}{}</g>'
        ).format(
            f"{signed(change.mean)} {cell.unit} {interval(change.low, change.high)} n={change.n or 'unknown'}",
            kind,
            round(x, 1),
            round(y, 1),
            size.width - 1,
            size.height - 1,
            own if cell.regime == "MT-ML" else "",
            text(x + size.width / 2, y + 15, signed(change.mean), "clear" if clear else "unclear", "middle"),
        )


def _squares(grid: Grid, model: str, rows: list[Treatment], size: _Size) -> Iterator[Markup]:
    """One path per shade, of runs from left to right, keeps a matrix of 44 × 44 near fifteen kilobytes."""
    paths: dict[str, list[str]] = {}
    ends: dict[str, tuple[int, int]] = {}  # of each path, where its last run ends
    for down, across, cell in _places(grid, model, rows):
        if cell is None:
            paths.setdefault("missing", []).append(f"M{across + 0.2:.1f} {down + 0.3:.1f}l.6 -.6")
            continue
        change = cell.change
        side = "better" if change.mean > 0 else "worse"
        kind = f"{side} s{shade(change.mean, grid.deepest[cell.unit])}"
        across_before, down_before = ends.get(kind, (0, 0))
        step = "" if ends.get(kind) == (across, down) else f"m{across - across_before} {down - down_before}"
        paths.setdefault(kind, []).append(f"{step}h1")
        ends[kind] = across + 1, down
        if change.low > 0:
            paths.setdefault("clear", []).append(f"M{across}.5 {down}z")
        if change.high < 0:  # a dash, so that grey tells it from a gain
            paths.setdefault("lost", []).append(f"M{across}.25 {down}h.5")
        if cell.regime == "MT-ML":
            paths.setdefault("own", []).append(f"M{across}.05 {down - 0.45:.2f}h.85v.85h-.85z")
    yield Markup('<g class="squares" transform="translate({:g} {:g}) scale({:g} {:g})">').format(
        round(size.left, 1), round(size.top + size.height / 2, 1), size.width, size.height
    )
    for kind in sorted(paths, key=lambda kind: kind in ("clear", "lost", "own", "missing")):
        yield Markup('<path class="{}" d="{}"/>').format(kind, "".join(paths[kind]))
    yield Markup("</g>")
