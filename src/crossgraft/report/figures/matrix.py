"""The matrix of each model: colours for changes, numbers where they fit, the source outlined, missing cells hatched."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from crossgraft.analysis.findings import Findings, columns_of
from crossgraft.analysis.wording import signed
from crossgraft.core import Point, Treatment
from crossgraft.report.figures.style import CHANGES, Drawing, Style
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix

_FULL_COLOUR = 15.0  # percentage points at which the colour is deepest
_LIGHT = 0.7  # share of the deepest colour from which numbers are white
_ROW = 0.17  # inches
_NUMBER = 0.3  # inches of a cell in which a number fits
_LABELS = 1.2  # inches that names take at least
_LETTER = 0.06  # inches of a letter of a name


def drawings(findings: Findings, style: Style) -> Iterator[Drawing]:
    matrix = findings.matrix
    models = list(dict.fromkeys(row.model for row, _ in matrix.cells))
    for model in models:
        rows = [row for row in matrix.rows if row.model == model]
        name = "matrix" if len(models) == 1 else f"matrix-{model}"
        yield _drawing(name, matrix, rows, columns_of(matrix, model), style)


def _drawing(
    name: str, matrix: TransferMatrix, rows: list[Treatment], targets: tuple[Point, ...], style: Style
) -> Drawing:
    names = [style.label(str(target)) for target in targets]
    figure, axes = style.blank(
        max(_LABELS, _LETTER * max(len(style.cut(str(target))) for target in targets)) + 0.4 + _ROW * len(rows)
    )
    cells = {
        (y, x): cell
        for y, row in enumerate(rows)
        for x, target in enumerate(targets)
        if (cell := matrix.cells.get((row, target)))
    }
    changes = np.full((len(rows), len(targets)), np.nan)
    for place, cell in cells.items():
        changes[place] = cell.change.mean
    axes.patch.set(hatch="//////", edgecolor="#bbbbbb")
    units = sorted({cell.unit for cell in cells.values()})
    deepest = _FULL_COLOUR if units == ["pp"] else float(np.nanmax(np.abs(changes))) or 1.0
    edges = [np.arange(length + 1) - 0.5 for length in (len(targets), len(rows))]
    image = axes.pcolormesh(*edges, np.ma.masked_invalid(changes), cmap=CHANGES, vmin=-deepest, vmax=deepest)
    image.set(edgecolor="face", linewidth=0.1)  # else some viewers show a line between cells
    axes.invert_yaxis()
    axes.set_xticks(range(len(targets)), names, rotation=90)
    axes.set_yticks(range(len(rows)), [style.label(row.label) for row in rows])
    axes.tick_params(length=0)
    fits = (style.width - _LABELS) / max(1, len(targets)) >= _NUMBER
    for (y, x), cell in cells.items():
        _mark(axes, y, x, cell, number=fits, light=abs(cell.change.mean) > _LIGHT * deepest)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.01, extend="both")
    bar.set_label(f"change, {' or '.join(units)}")
    bar.outline.set_linewidth(0.3)
    assert bar.solids is not None
    bar.solids.set_rasterized(False)  # a PGF would name a file of its own for it
    return Drawing(name, figure)


def _mark(axes: Axes, y: int, x: int, cell: ChangeCell, *, number: bool, light: bool) -> None:
    """Bold, or a dot where numbers do not fit: the interval excludes zero."""
    clear = cell.change.low > 0 or cell.change.high < 0
    if number:
        weight = "bold" if clear else "normal"
        colour = "#ffffff" if light else "#000000"
        text = signed(cell.change.mean)
        axes.text(x, y, text, ha="center", va="center", fontsize=5, fontweight=weight, color=colour)
    elif clear:
        axes.plot(x, y, ".", color="#000000", markersize=1.5)
    if cell.regime == "MT-ML":
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor="#000000", linewidth=0.6))
