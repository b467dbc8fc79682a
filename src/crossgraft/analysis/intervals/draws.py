"""Means and contrasts of cells with their intervals: items drawn anew for all cells together, seed noise added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import numpy.typing as npt

from crossgraft.analysis.intervals import unpaired
from crossgraft.analysis.intervals.columns import Columns, Runs, largest
from crossgraft.analysis.intervals.estimate import AS_MEASURED, exact
from crossgraft.analysis.intervals.estimate import Estimate as Estimate
from crossgraft.analysis.intervals.estimate import Verdict as Verdict
from crossgraft.analysis.intervals.estimate import Weighted as Weighted
from crossgraft.analysis.intervals.seeds import SeedSums, SeedVariance, seed_deviations
from crossgraft.core import Floats, Treatment
from crossgraft.stats.cells.student import quantile, satterthwaite
from crossgraft.stats.resampling.bootstrap import joint_item_bootstrap
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix

DRAWS = 1000
SEED = 0
_BLOCK = 256  # cells or draws at a time, for memory that is near


class Draws:
    """The change of every percentage-point cell in every draw of items.

    A draw is one set of item weights a task, the same for all cells of the task (Miller, 2024). Training runs are
    independent of one another, so seed noise adds, for each treatment on its own, the variance between its
    seeds over their number, less what draws of items have of it (``seeds.py``). Cells of which only scores are known have no items to draw: sums with any of them have
    the intervals of ``unpaired``. ``cells`` are those of the treatments under study; shams, which are controls, have draws
    too, and are reached by ``cells_of``.
    """

    def __init__(self, matrix: TransferMatrix) -> None:
        every = [cell for cell in matrix.cells.values() if cell.unit == "pp"]
        self.cells = [cell for cell in every if not cell.row.is_sham]
        self._place = {id(cell): place for place, cell in enumerate(every)}
        self._rows: dict[Treatment, list[ChangeCell]] = {}
        for cell in every:
            self._rows.setdefault(cell.row, []).append(cell)
        self.deviations = seed_deviations(every)  # of the seeds of each cell, by its id
        self._runs = Runs.of(every, self.deviations)
        self._columns = Columns.of(every)
        self._items, self._items_of = _item_sets(every)
        self._counts: dict[bytes, int] = {}  # of different items, by which sets of them
        # (cells, draws), so that a cell is read in one go; one that loses all its items in a draw keeps its estimate
        self._change = np.repeat(self._columns.means[:, None], DRAWS, axis=1)
        paired = [cell for cell in every if cell.items]
        for task in dict.fromkeys((cell.target.task, cell.metric.name) for cell in paired):
            block = [cell for cell in paired if (cell.target.task, cell.metric.name) == task]
            treated, control, groups = _aligned(block)
            metric = block[0].metric
            # the same seed for every task: a task's interval does not depend on what else is in the grid
            drawn = joint_item_bootstrap(
                treated, control, metric.aggregate, draws=DRAWS, rng=np.random.default_rng(SEED), groups=groups
            )
            sign = 100.0 if metric.higher_is_better else -100.0
            places = self.places(block)
            self._change[places] = np.where(np.isnan(drawn), self._change[places].T, sign * drawn).T

    def cells_of(self, row: Treatment) -> Sequence[ChangeCell]:
        return self._rows.get(row, ())

    def places(self, cells: Sequence[ChangeCell]) -> npt.NDArray[np.intp]:
        """Where cells are among all that were drawn."""
        return np.array([self._place[id(cell)] for cell in cells], dtype=np.intp)

    def count(self, places: npt.NDArray[np.intp]) -> int:
        """Different items that the cells at these places rest on."""
        sets = np.unique(self._items_of[places])
        if (found := self._counts.get(sets.tobytes())) is None:
            of_task: dict[str, list[frozenset[str]]] = {}
            for number in sets:
                task, items = self._items[number]
                of_task.setdefault(task, []).append(items)
            found = sum(len(frozenset().union(*several)) for several in of_task.values())
            self._counts[sets.tobytes()] = found
        return found

    def mean(self, cells: Iterable[ChangeCell]) -> Estimate | None:
        """The equal-weight mean over cells."""
        chosen = [cell for cell in cells if id(cell) in self._place]
        return self.contrast([(cell, 1 / len(chosen)) for cell in chosen]) if chosen else None

    def contrast(self, weighted: Weighted) -> Estimate:
        """A weighted sum of cells."""
        if not has_items(cell for cell, _ in weighted):
            return unpaired.contrast(weighted)
        places, weights = self._picked(weighted)
        point, sums = float(weights @ self._columns.means[places]), self._sums(places, weights[None])[:, 0]
        return self._estimate(point, sums, places, weights, self._runs.sums(places, weights))

    def over_items(self, weighted: Weighted) -> Estimate:
        """A weighted sum of cells, with an interval over new items and seeds or with none."""
        return self.contrast(weighted) if has_items(cell for cell, _ in weighted) else unpaired.over_items(weighted)

    def share(self, weighted: Weighted, counts: Callable[[Floats], npt.NDArray[np.bool_]]) -> Estimate:
        """A weighted sum of the cells that count, in percent, as they were measured: with weights 1/n the share of them.

        It has no interval: noise alone moves cells beyond any limit, so this is no estimate of the share of true changes.
        """
        weights = np.array([weight for _, weight in weighted])
        cells = [cell for cell, _ in weighted]
        point = 100 * float(counts(np.array([cell.change.mean for cell in cells])) @ weights)
        return Estimate(exact(point), -inf, inf, inf, len(cells), self.count(self.places(cells)), "", AS_MEASURED)

    def statistic(self, cells: Sequence[ChangeCell], summary: Callable[[Floats], Floats]) -> Estimate:
        """A summary over cells, such as the median, which takes the last axis away; its interval is centred as well."""
        if not has_items(cells):
            return unpaired.statistic(cells, summary)
        places = self.places(cells)
        point = float(summary(self._columns.means[places]))
        blocks = (np.ascontiguousarray(self._drawn(places, start).T) for start in range(0, DRAWS, _BLOCK))
        sums = np.concatenate([summary(block) for block in blocks])
        return self._estimate(point, sums - sums.mean() + point, places, np.full(len(places), 1 / len(places)))

    def of(self, cells: Sequence[ChangeCell], first: int = DRAWS) -> Floats:
        """The cells in every draw, or in the first ones: (draws, cells); a cell that lost all its items in a draw keeps its estimate."""
        return self._change[:, :first][self.places(cells)].T

    def sums(self, weighted: Weighted) -> Floats:
        """A weighted sum in every draw: (draws,)"""
        places, weights = self._picked(weighted)
        return self._sums(places, weights[None])[:, 0]

    def many(self, cells: Sequence[ChangeCell], weights: Floats) -> Floats:
        """Weighted sums (sums, cells) in every draw: (draws, sums)"""
        return self._sums(self.places(cells), weights)

    def seeds(self, weighted: Weighted) -> SeedSums:
        """What training runs add to a weighted sum."""
        return self._runs.sums(*self._picked(weighted))

    def rare(self, places: npt.NDArray[np.intp], weights: Floats) -> Rare:
        """What changes too rare to be seen do to a sum of the cells at these places."""
        return Rare.of(self._columns, places, weights)

    def estimate(self, point: float, sums: Floats, weighted: Weighted, seeds: SeedVariance | None = None) -> Estimate:
        """A value with the interval of its draws, widened by what training runs and changes too rare to be seen add."""
        return self._estimate(point, sums, *self._picked(weighted), seeds)

    def _estimate(
        self,
        point: float,
        sums: Floats,
        places: npt.NDArray[np.intp],
        weights: Floats,
        seeds: SeedVariance | None = None,
    ) -> Estimate:
        drawn, rare = float(np.var(sums)), self.rare(places, weights)
        between = (seeds.variance, seeds.spent) if seeds else (0.0, 0.0)
        error, df = self.noise(max(drawn, rare.variance), between, places)
        low, high = (float(edge) - point for edge in np.quantile(sums, [0.025, 0.975]))
        student = quantile(df)
        if drawn > 0:
            wider = student / quantile(inf) * error / sqrt(drawn)
            low, high = low * wider, high * wider
        half = student * sqrt(max(0.0, error**2 - drawn))  # in case the draws lie on one side of the value, or on it
        low, high = point + rare.shift + min(low, -half), point + rare.shift + max(high, half)
        most = 100 * float(np.abs(weights).sum())  # no change is larger than from nothing right to all
        low, high = max(min(low, point), min(-most, point)), min(max(high, point), max(most, point))
        return Estimate(exact(point), exact(low), exact(high), error, len(places), self.count(places), df=df)

    def _picked(self, weighted: Weighted) -> tuple[npt.NDArray[np.intp], Floats]:
        """Places and weights of the cells of a sum."""
        places = self.places([cell for cell, _ in weighted])
        return places, np.array([weight for _, weight in weighted], dtype=np.float64)

    def _sums(self, places: npt.NDArray[np.intp], weights: Floats) -> Floats:
        """Weighted sums (sums, cells) in every draw, some cells at a time: (draws, sums). A copy of all draws of all cells is what takes long."""
        total = np.zeros((len(weights), DRAWS))
        for start in range(0, len(places), _BLOCK):
            some = slice(start, start + _BLOCK)
            total += weights[:, some] @ self._change[places[some]]
        return total.T

    def _drawn(self, places: npt.NDArray[np.intp], start: int) -> Floats:
        """Some draws of the cells: (cells, draws)"""
        return self._change[:, start : start + _BLOCK][places]

    def noise(self, variance: float, seeds: tuple[float, float], places: npt.NDArray[np.intp]) -> tuple[float, float]:
        """The standard error of a sum of the cells at these places and its degrees of freedom (Satterthwaite), from the variance of its draws of items.

        Items are many, but passages and seeds can be few: draws of m passages vary by (m - 1)/m of what passages do, and know
        the variance by m - 1 degrees of freedom. ``seeds`` is what seeds add: a variance, and Σ v²/df of its parts.
        """
        between, spent = seeds
        if (count := self._columns.passages(places)) > 1:
            variance *= count / (count - 1)
            spent += variance**2 / (count - 1)
        return sqrt(variance + between), satterthwaite(variance + between, spent)


@dataclass(frozen=True)
class Rare:
    """What changes too rare to be seen do to a sum of cells, as Agresti and Min (2005) allow for them in one cell.

    They add half an item to each of the four outcomes: to n 2, to the sum of squared differences 1. The centre of the
    interval moves towards zero by ``shift`` (pp), and ``variance`` (pp²) is the least that items can have. The cells of a treatment on one task have
    their items in common, so they count as one; treatments and tasks are independent.
    """

    shift: float
    variance: float

    @classmethod
    def of(cls, columns: Columns, places: npt.NDArray[np.intp], weights: Floats) -> Rare:
        blocks = columns.blocks[places]
        weight = np.bincount(blocks, weights)
        change = np.bincount(blocks, weights * columns.means[places])
        items = largest(blocks, columns.items[places])
        shift = -float((2 * change / (items + 2)).sum())
        variance = (100 * weight / (items + 2)) ** 2 + 2 * items * change**2 / (items + 2) ** 3
        return cls(shift, float(variance[items > 0].sum()))


def has_items(cells: Iterable[ChangeCell]) -> bool:
    """Whether items can be drawn anew for all of them."""
    return all(cell.items for cell in cells)


def _item_sets(cells: Sequence[ChangeCell]) -> tuple[list[tuple[str, frozenset[str]]], npt.NDArray[np.intp]]:
    """The different pairs of a task and a set of its items, and which of them each cell has."""
    known: dict[tuple[str, tuple[str, ...]], int] = {}
    numbers = [known.setdefault((cell.target.task, cell.items), len(known)) for cell in cells]
    return [(task, frozenset(items)) for task, items in known], np.array(numbers, dtype=np.intp)


def _aligned(block: Sequence[ChangeCell]) -> tuple[Floats, Floats, npt.NDArray[np.integer] | None]:
    """Statistics (cells, items, k) over the union of the cells' items, zero where a cell lacks one; and the items' groups."""
    items = {
        item: place
        for place, item in enumerate(sorted({item for some in {cell.items for cell in block} for item in some}))
    }
    width = block[0].treated_statistics.shape[1]
    treated = np.zeros((len(block), len(items), width))
    control = np.zeros_like(treated)
    group_of = list(items)  # an item without a group is a group of its own
    known: dict[tuple[str, ...], npt.NDArray[np.intp]] = {}
    for number, cell in enumerate(block):
        if cell.items not in known:
            known[cell.items] = np.array([items[item] for item in cell.items], dtype=np.intp)
        at = known[cell.items]
        treated[number, at] = cell.treated_statistics
        control[number, at] = cell.control_statistics
        for place, group in zip(at, cell.groups, strict=False):
            group_of[place] = group
    groups = np.unique(group_of, return_inverse=True)[1] if any(cell.groups for cell in block) else None
    return treated, control, groups
