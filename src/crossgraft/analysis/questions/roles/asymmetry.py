"""Is transfer mutual? The antisymmetric part of a model's square matrix, and how much of it is a ranking, noise subtracted.

Each recipe's matrix is taken apart by itself (``stats/matrices/hodge.py``): what two points give each other alike, a potential (some
points give more than they take), and cycles. Noise has all three parts, and what joint draws of items and seeds show of it is
subtracted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import Draws, has_items
from crossgraft.analysis.intervals.joint import joint_cells
from crossgraft.core import Floats, Point
from crossgraft.stats.matrices.hodge import parts
from crossgraft.transfer.changes import ChangeCell

_ENOUGH = 3  # pairs of points
Square = Mapping[tuple[Point, Point], ChangeCell]


@dataclass(frozen=True)
class Asymmetry:
    """‖K‖²/(‖K‖²+‖S‖²), from 0 (mutual) to 1 (one-way), over pairs of points with both cells."""

    model: str
    pairs: int
    raw: float | None  # noise looks antisymmetric in one half of it
    index: float | None  # without it
    low: float | None
    high: float | None
    ranking: float | None = None  # share of the antisymmetric part that is a potential; the rest runs in cycles
    why: str = ""


def asymmetries(draws: Draws) -> Iterator[Asymmetry]:
    """Every model with a source and a target in common."""
    cells = select.sourced(draws.cells)
    for model in dict.fromkeys(cell.row.model for cell in cells):
        squares = _squares([cell for cell in cells if cell.row.model == model])
        pairs = sum(len(square) for square in squares) // 2
        if pairs < _ENOUGH:
            why = f"expected {_ENOUGH} pairs of points or more that are source and target of each other; there are {pairs}"
            yield Asymmetry(model, pairs, None, None, None, None, why=why)
        else:
            yield _of_model(model, pairs, squares, draws)


def _squares(cells: Sequence[ChangeCell]) -> list[Square]:
    """Of each recipe, the cells from a to b that have one from b to a."""
    by_recipe: dict[object, dict[tuple[Point, Point], ChangeCell]] = {}
    for cell in cells:
        assert cell.row.source is not None
        by_recipe.setdefault(cell.row.recipe, {})[cell.row.source, cell.target] = cell
    return [
        {(s, t): cell for (s, t), cell in square.items() if s != t and (t, s) in square}
        for square in by_recipe.values()
    ]


def _of_model(model: str, pairs: int, squares: Sequence[Square], draws: Draws) -> Asymmetry:
    cells = [cell for square in squares for cell in square.values()]
    values = np.array([cell.change.mean for cell in cells])
    energies = _energies(values, squares)
    raw = _share(energies)
    if not has_items(cells):
        errors = np.array([cell.change.error for cell in cells])
        if not np.isfinite(errors).all():
            return Asymmetry(model, pairs, raw, None, None, None, why="the noise of some cells is not known")
        half = float(errors @ errors) / 2  # independent errors are symmetric and antisymmetric in equal parts
        index = _share(np.array([energies[0] - half, energies[1:].sum() - half, 0.0]))
        return Asymmetry(model, pairs, raw, index, None, None, why="only scores are known: the index has no interval")
    drawn = joint_cells(cells, draws)
    noise = _energies(drawn - values, squares).mean(axis=0)
    clean = energies - noise
    # a draw has the noise of the estimate, and once more its own
    found = [value for one in _energies(drawn, squares) - 2 * noise if (value := _share(one)) is not None]
    low, high = (float(edge) for edge in np.quantile(found, [0.025, 0.975])) if found else (None, None)
    index = _share(clean)
    _, potential, cyclic = np.maximum(0.0, clean)
    ranking = float(potential / (potential + cyclic)) if potential + cyclic > 0 else None
    why = "" if index is not None else "nothing is left when noise is subtracted"
    return Asymmetry(model, pairs, raw, index, low, high, ranking, why)


def _energies(values: Floats, squares: Sequence[Square]) -> Floats:
    """Symmetric, potential, cyclic, summed over the recipes: values (..., cells) → (..., 3)"""
    total = np.zeros((*values.shape[:-1], 3))
    start = 0
    for square in squares:
        points = {point: place for place, point in enumerate(sorted({point for point, _ in square}))}
        matrix = np.full((*values.shape[:-1], len(points), len(points)), np.nan)
        rows, columns = ([points[place[side]] for place in square] for side in (0, 1))
        matrix[..., rows, columns] = values[..., start : start + len(square)]
        total += parts(matrix).energies
        start += len(square)
    return total


def _share(energies: Floats) -> float | None:
    """Of the antisymmetric part; None where nothing is left."""
    symmetric, antisymmetric = max(0.0, float(energies[0])), max(0.0, float(energies[1] + energies[2]))
    whole = symmetric + antisymmetric
    return antisymmetric / whole if whole > 1e-18 else None
