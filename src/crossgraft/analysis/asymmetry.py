"""Do points give what they take? The part of a model's square matrix that is antisymmetric, without what noise adds to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.draws import Draws, has_items
from crossgraft.analysis.joint import joint_cells
from crossgraft.changes import ChangeCell
from crossgraft.core import Floats
from crossgraft.stats.roles import asymmetry, halves

_ENOUGH = 3  # pairs of points


@dataclass(frozen=True)
class Asymmetry:
    """‖K‖²/(‖K‖²+‖S‖²), from 0 (what a gives to b, b gives to a) to 1, over pairs of points with both cells."""

    model: str
    pairs: int
    raw: float | None  # noise looks antisymmetric in one half of it
    index: float | None  # without it
    low: float | None
    high: float | None
    why: str = ""


def asymmetries(draws: Draws) -> Iterator[Asymmetry]:
    """Every model with a source and a target in common."""
    for model in dict.fromkeys(cell.row.model for cell in draws.cells if cell.row.source):
        there, back = _pairs([cell for cell in draws.cells if cell.row.model == model and cell.row.source])
        if len(there) < _ENOUGH:
            why = f"expected {_ENOUGH} pairs of points or more that are source and target of each other; there are {len(there)}"
            yield Asymmetry(model, len(there), None, None, None, None, why)
        else:
            yield _of_model(model, there, back, draws)


def _pairs(cells: Sequence[ChangeCell]) -> tuple[list[ChangeCell], list[ChangeCell]]:
    """Cells from a to b, and those from b to a, of the same recipe."""
    known = {(cell.row.recipe, str(cell.row.source), str(cell.target)): cell for cell in cells}
    ways = [(key, (key[0], key[2], key[1])) for key in known if key[1] < key[2]]
    both = [(known[way], known[other]) for way, other in ways if other in known]
    return [one for one, _ in both], [other for _, other in both]


def _of_model(model: str, there: Sequence[ChangeCell], back: Sequence[ChangeCell], draws: Draws) -> Asymmetry:
    values = _of(there, _mean), _of(back, _mean)
    raw = asymmetry(*values)
    if has_items([*there, *back]):
        drawn = joint_cells([*there, *back], draws)
        sides = drawn[:, : len(there)], drawn[:, len(there) :]
        noise = _noise(values, sides)
        # a draw has the noise of the estimate, and once more its own
        twice = (2 * noise[0], 2 * noise[1])
        found = [asymmetry(one, other, twice) for one, other in zip(*sides, strict=True)]
        known = [value for value in found if value is not None]
        index = asymmetry(*values, noise)
        low, high = (float(edge) for edge in np.quantile(known, [0.025, 0.975])) if known else (None, None)
        return Asymmetry(
            model, len(there), raw, index, low, high, "" if index is not None else "nothing is left without noise"
        )
    errors = _of(there, _error), _of(back, _error)
    added = float(np.mean(errors[0] ** 2 + errors[1] ** 2)) / 4
    if not np.isfinite(added):
        return Asymmetry(model, len(there), raw, None, None, None, "the noise of some cells is not known")
    index = asymmetry(*values, (added, added))
    return Asymmetry(model, len(there), raw, index, None, None, "only scores are known: the index has no interval")


def _noise(values: tuple[Floats, Floats], drawn: tuple[Floats, Floats]) -> tuple[float, float]:
    """What errors add to the mean of K² and of S²: how draws scatter about the estimate."""
    k, s = (float(np.mean((part - own) ** 2)) for part, own in zip(halves(*drawn), halves(*values), strict=True))
    return k, s


def _of(cells: Sequence[ChangeCell], number: Callable[[ChangeCell], float]) -> Floats:
    return np.array([number(cell) for cell in cells])


def _mean(cell: ChangeCell) -> float:
    return cell.change.mean


def _error(cell: ChangeCell) -> float:
    return cell.change.error
