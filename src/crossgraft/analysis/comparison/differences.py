"""The difference of two changes, B less A, of a cell or of a mean over cells.

Both matrices go into one, with the rows of A and of B apart, and through the same joint draws of items: an item that both have
counts the same in both, so that what A and B have in common cancels; items of one side alone are drawn on their own. Training runs of A
and of B are taken as independent, each with the variance between its seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot

from crossgraft.analysis.comparison.matching import Pair
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.intervals.estimate import Estimate, Weighted, exact
from crossgraft.stats.cells.student import quantile, satterthwaite
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix


@dataclass(frozen=True, eq=False)
class Drawn:
    """Pairs with the draws of both sides. ``cells`` are those of the combined matrix: of A and of B, pair by pair."""

    draws: Draws
    cells: tuple[tuple[ChangeCell, ChangeCell], ...]

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Drawn:
        cells = tuple((_labelled(pair.a, "A"), _labelled(pair.b, "B")) for pair in pairs)
        every = [cell for both in cells for cell in both]
        rows = tuple(dict.fromkeys(cell.row for cell in every))
        targets = tuple(dict.fromkeys(cell.target for cell in every))
        return cls(Draws(TransferMatrix(rows, targets, {(cell.row, cell.target): cell for cell in every})), cells)

    def single(self, place: int) -> Estimate:
        a, b = self.cells[place]
        return self.draws.over_items([(b, 1.0), (a, -1.0)]) if a.unit == "pp" else _independent(a, b)

    def mean(self, places: Sequence[int], count: int) -> Estimate:
        """The sum over these cells over ``count``: cells that rest on the same records add nothing to a difference."""
        weighted = [
            entry
            for place in places
            for entry in zip(reversed(self.cells[place]), (1 / count, -1 / count), strict=True)
        ]
        return self.draws.over_items(weighted) if weighted else Estimate(0.0, 0.0, 0.0, 0.0, 0, 0)

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
