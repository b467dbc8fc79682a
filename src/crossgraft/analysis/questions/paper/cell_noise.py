"""How many cells are called changed, by what is taken for noise and by how many tests are allowed for.

Seeds that answer the same items know nothing of other items. Without outcomes of items their noise lies between that of a
supposed share of changed answers and the binomial bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from crossgraft.analysis.cells import trained
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.core import Floats
from crossgraft.stats.cells.student import two_sided
from crossgraft.stats.multiplicity import benjamini_hochberg, holm
from crossgraft.transfer.changes import ChangeCell

LEVEL = 0.05
DISCORDANT = 0.1  # the supposed share of items whose answer changes


@dataclass(frozen=True)
class Called:
    """The cells off the source that one rule calls changed."""

    rule: str
    cells: int
    gains: int
    losses: int
    targets: int  # how many targets of a model these are on
    first: str  # the model and target task with the most of them
    in_first: int


def called(draws: Draws) -> tuple[Called, ...]:
    """From the loosest rule to the strictest; nothing where a cell has no number of items."""
    cells = [cell for cell in trained(draws.cells) if cell.change.n and not cell.change.why]
    if not cells:
        return ()
    seeds = np.array([two_sided(cell.change.mean, cell.change.seed_variance**0.5, np.inf) for cell in cells])
    supposed = np.array([two_sided(cell.change.mean, _supposed(cell), np.inf) for cell in cells])
    bound = np.array([two_sided(cell.change.mean, cell.change.error, cell.change.df) for cell in cells])
    return (
        _called("noise of seeds only, each cell by itself", cells, seeds),
        _called(f"and of items, if {DISCORDANT:.0%} of the answers change, each by itself", cells, supposed),
        _called("and of items, if so, at a false discovery rate of 5 %", cells, benjamini_hochberg(supposed)),
        _called("and of items, binomial bound, each by itself", cells, bound),
        _called("and of items, binomial bound, at a false discovery rate of 5 %", cells, benjamini_hochberg(bound)),
        _called("and of items, binomial bound, none false with 95 % (Holm)", cells, holm(bound)),
    )


def _supposed(cell: ChangeCell) -> float:
    """The standard error (pp) if that share of answers changes: (d - δ²)/n, and no fewer than the change itself takes."""
    share = cell.change.mean / 100
    items = 1e4 * (max(DISCORDANT, abs(share)) - share**2) / cell.change.n
    return sqrt(items + cell.change.seed_variance)


def _called(rule: str, cells: Sequence[ChangeCell], p: Floats) -> Called:
    change_cells = [cell for cell, one in zip(cells, p, strict=True) if one < LEVEL]
    gains = sum(cell.change.mean > 0 for cell in change_cells)
    places: dict[str, int] = {}
    for cell in change_cells:
        place = f"{cell.row.model}, {cell.target.skill}"
        places[place] = places.get(place, 0) + 1
    first = max(places, key=lambda place: places[place]) if places else ""
    targets = len({(cell.row.model, cell.target) for cell in change_cells})
    return Called(rule, len(cells), gains, len(change_cells) - gains, targets, first, places.get(first, 0))
