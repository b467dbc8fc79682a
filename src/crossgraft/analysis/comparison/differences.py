"""The difference of two changes, B less A, of a cell or of a mean over cells.

Both matrices go into one, with the rows of A and of B apart, and through the same joint draws of items: an item that both have
counts the same in both, so that what A and B have in common cancels; items of one side alone are drawn on their own. Training runs of A
and of B are taken as independent (``training.py``). Where their noise is not known, the interval is about items alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot

from crossgraft.analysis.comparison.matching import Pair
from crossgraft.analysis.comparison.training import ITEMS_ALONE, Known, Spread, run_noise, together
from crossgraft.analysis.intervals.draws import Draws, has_items
from crossgraft.analysis.intervals.estimate import Estimate, Weighted, exact
from crossgraft.stats.cells.student import quantile, satterthwaite
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix


@dataclass(frozen=True, eq=False)
class Drawn:
    """Pairs with the draws of both sides. ``cells`` are those of the combined matrix: of A and of B, pair by pair."""

    draws: Draws
    cells: tuple[tuple[ChangeCell, ChangeCell], ...]
    training: tuple[Known, ...]

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Drawn:
        cells = tuple((_labelled(pair.a, "A"), _labelled(pair.b, "B")) for pair in pairs)
        every = [cell for both in cells for cell in both]
        rows = tuple(dict.fromkeys(cell.row for cell in every))
        targets = tuple(dict.fromkeys(cell.target for cell in every))
        draws = Draws(TransferMatrix(rows, targets, {(cell.row, cell.target): cell for cell in every}))
        return cls(draws, cells, tuple(run_noise(pairs)))

    def single(self, place: int) -> Estimate:
        a, b = self.cells[place]
        known = [noise for noise in self.training[place] if noise]
        if a.unit != "pp":
            estimate = _independent(a, b)
        elif has_items((a, b)):
            weighted = [(b, 1.0), (a, -1.0)]
            estimate = self._estimate(weighted, Spread.of(known) if len(known) == 2 else Spread())
        else:
            estimate = self.draws.over_items([(b, 1.0), (a, -1.0)])
        return estimate if len(known) == 2 else replace(estimate, basis=ITEMS_ALONE)

    def mean(self, places: Sequence[int], count: int) -> Estimate:
        """The sum over these cells over ``count``: cells that rest on the same records add nothing to a difference."""
        if not places:
            return Estimate(0.0, 0.0, 0.0, 0.0, 0, 0)
        parts = [
            (cell, sign / count, noise)
            for place in places
            for cell, sign, noise in zip(self.cells[place], (-1, 1), self.training[place], strict=True)
        ]
        weighted = [(cell, weight) for cell, weight, _ in parts]
        if not has_items(cell for cell, _ in weighted):
            estimate = self.draws.over_items(weighted)
        else:
            seeds = self.draws.seeds(weighted)
            more = together((cell.row, weight, noise) for cell, weight, noise in parts if noise and noise.borrowed)
            estimate = self._estimate(weighted, Spread(seeds.variance + more.variance, seeds.spent + more.spent))
        return estimate if all(noise for *_, noise in parts) else replace(estimate, basis=ITEMS_ALONE)

    def _estimate(self, weighted: Weighted, seeds: Spread) -> Estimate:
        point = float(sum(weight * cell.change.mean for cell, weight in weighted))
        return self.draws.estimate(point, self.draws.sums(weighted), weighted, seeds)

    def side(self, places: Sequence[int], number: int) -> Estimate:
        """The mean change of A (0) or of B (1) over these cells."""
        weighted: Weighted = [(self.cells[place][number], 1 / len(places)) for place in places]
        return self.draws.over_items(weighted)


def _labelled(cell: ChangeCell, side: str) -> ChangeCell:
    return replace(cell, row=replace(cell.row, model=f"{side}: {cell.row.model}"))


def _independent(a: ChangeCell, b: ChangeCell) -> Estimate:
    """Of metrics that are no shares: the two errors as those of independent samples, which is too wide for the same items."""
    mean, error = b.change.mean - a.change.mean, hypot(a.change.error, b.change.error)
    df = satterthwaite(error**2, sum(one.change.error**4 / one.change.df for one in (a, b)))
    half = quantile(df) * error
    return Estimate(exact(mean), mean - half, mean + half, error, 1, min(len(a.items), len(b.items)), df=df)
