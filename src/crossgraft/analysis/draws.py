"""Means and contrasts of cells with their intervals: items drawn anew for all cells together, seeds' luck added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import hypot

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from crossgraft.analysis import unpaired
from crossgraft.analysis.estimate import Estimate as Estimate
from crossgraft.analysis.estimate import Verdict as Verdict
from crossgraft.analysis.estimate import Weighted as Weighted
from crossgraft.analysis.estimate import exact
from crossgraft.core import Floats, Treatment
from crossgraft.matrix import ChangeCell, TransferMatrix
from crossgraft.stats.bootstrap import joint_item_bootstrap

DRAWS = 1000
SEED = 0


class Draws:
    """The change of every percentage-point cell in every draw of items.

    A draw is one set of item weights a task, the same for all cells of the task (Miller, 2024). Training runs are
    independent of one another, so the luck of seeds adds, for each treatment on its own, the variance between its
    seeds over their number. Cells of which only scores are known have no items to draw: sums with any of them have
    the intervals of ``unpaired``.
    """

    def __init__(self, matrix: TransferMatrix) -> None:
        self.cells = [cell for cell in matrix.cells.values() if cell.unit == "pp"]
        self._place = {id(cell): place for place, cell in enumerate(self.cells)}
        self._rows: dict[Treatment, list[ChangeCell]] = {}
        for cell in self.cells:
            self._rows.setdefault(cell.row, []).append(cell)
        known: dict[tuple[str, tuple[str, ...]], tuple[str, frozenset[str]]] = {}
        self._items = {}  # of each cell: its task and items, one object for all cells that have the same
        for cell in self.cells:
            key = (cell.target.task, cell.items)
            self._items[id(cell)] = known.setdefault(key, (cell.target.task, frozenset(cell.items)))
        self._change = np.full((DRAWS, len(self.cells)), np.nan)
        paired = [cell for cell in self.cells if cell.items]
        for task in dict.fromkeys((cell.target.task, cell.metric.name) for cell in paired):
            block = [cell for cell in paired if (cell.target.task, cell.metric.name) == task]
            treated, control, groups = _aligned(block)
            metric = block[0].metric
            # the same seed for every task: a task's interval does not depend on what else is in the grid
            drawn = joint_item_bootstrap(
                treated, control, metric.aggregate, draws=DRAWS, rng=np.random.default_rng(SEED), groups=groups
            )
            sign = 100.0 if metric.higher_is_better else -100.0
            for column, cell in enumerate(block):
                self._change[:, self._place[id(cell)]] = sign * drawn[:, column]

    def cells_of(self, row: Treatment) -> Sequence[ChangeCell]:
        return self._rows.get(row, ())

    def count(self, weighted: Weighted) -> int:
        """Different items that the cells rest on."""
        sets = {self._items[id(cell)] for cell, _ in weighted}
        return sum(
            len(set().union(*(items for name, items in sets if name == task))) for task in {name for name, _ in sets}
        )

    def mean(self, cells: Iterable[ChangeCell]) -> Estimate | None:
        """The equal-weight mean over cells."""
        chosen = [cell for cell in cells if id(cell) in self._place]
        return self.contrast([(cell, 1 / len(chosen)) for cell in chosen]) if chosen else None

    def contrast(self, weighted: Weighted) -> Estimate:
        """A weighted sum of cells.

        Where hardly an item changed, draws hardly differ: the interval is never narrower than what Agresti and
        Min's would be for as many items of which none changed.
        """
        if not has_items(cell for cell, _ in weighted):
            return unpaired.contrast(weighted)
        point = float(sum(weight * cell.change.mean for cell, weight in weighted))
        return self.estimate(point, self.sums(weighted), weighted, seed_covariance(weighted, weighted))

    def share(self, weighted: Weighted, counts: Callable[[Floats], npt.NDArray[np.bool_]]) -> Estimate:
        """A weighted sum of the cells that count, in percent: with weights 1/n the share of them.

        Draws of items move a cell about its estimate, so that extremes are more frequent among them than in truth;
        the interval is therefore centred on the estimate.
        """
        if not has_items(cell for cell, _ in weighted):
            return unpaired.share(weighted, counts)
        weights = np.array([weight for _, weight in weighted])
        values = np.array([cell.change.mean for cell, _ in weighted])
        point = 100 * float(counts(values) @ weights)
        sums = 100 * counts(self.of([cell for cell, _ in weighted])) @ weights
        return self.estimate(point, sums - sums.mean() + point, weighted, 0.0)

    def statistic(self, cells: Sequence[ChangeCell], summary: Callable[[Floats], Floats]) -> Estimate:
        """A summary over cells, such as the median, which takes the last axis away; its interval is centred as well."""
        if not has_items(cells):
            return unpaired.statistic(cells, summary)
        point = float(summary(np.array([cell.change.mean for cell in cells])))
        sums = summary(self.of(cells))
        return self.estimate(point, sums - sums.mean() + point, [(cell, 1 / len(cells)) for cell in cells], 0.0)

    def of(self, cells: Sequence[ChangeCell]) -> Floats:
        """The cells in every draw: (draws, cells); a cell that lost all its items in a draw keeps its estimate."""
        drawn = self._change[:, [self._place[id(cell)] for cell in cells]]
        return np.where(np.isnan(drawn), np.array([cell.change.mean for cell in cells]), drawn)

    def sums(self, weighted: Weighted) -> Floats:
        """A weighted sum in every draw: (draws,)"""
        return np.asarray(self.of([cell for cell, _ in weighted]) @ np.array([weight for _, weight in weighted]))

    def estimate(self, point: float, sums: Floats, weighted: Weighted, seeds: float) -> Estimate:
        """A value with the interval of its draws, widened by the variance of seeds (pp²)."""
        items = self.count(weighted)
        variance = float(np.var(sums))
        wider = np.sqrt((variance + seeds) / variance) if variance > 0 else 1.0
        wider *= _students(variance, weighted) if seeds > 0 else 1.0
        low, high = (point + (float(edge) - point) * wider for edge in np.quantile(sums, [0.025, 0.975]))
        least = 1.96 * max(np.sqrt(seeds), 100 * _size(weighted) / (items + 2))
        low, high = min(low, point - least), max(high, point + least)
        return Estimate(exact(point), exact(low), exact(high), len(weighted), items)


def has_items(cells: Iterable[ChangeCell]) -> bool:
    """Whether items can be drawn anew for all of them."""
    return all(cell.items for cell in cells)


def _students(variance: float, weighted: Weighted) -> float:
    """How much wider Student's quantile is than the normal one, by Satterthwaite: seeds are few, items are not."""
    parts = [_variance_of(deviations) for deviations in _by_seed(weighted).values()]
    total = variance + sum(value for value, _ in parts)
    df = total**2 / max(sum(value**2 / count for value, count in parts), 1e-300)
    return float(stdtrit(df, 0.975)) / 1.959964 if df < 1000 else 1.0


def _variance_of(deviations: Mapping[int | None, float]) -> tuple[float, int]:
    """What the seeds of a treatment add to the variance of a sum, and by how many degrees of freedom that is known."""
    count = len(deviations)
    return sum(value**2 for value in deviations.values()) / (count * (count - 1)), count - 1


def _size(weighted: Weighted) -> float:
    """1 for a mean; for the difference of two means what two independent ones have."""
    sides = [abs(sum(weight for _, weight in weighted if sign * weight > 0)) for sign in (1, -1)]
    return hypot(*sides)


def seed_covariance(first: Weighted, second: Weighted) -> float:
    """Of two sums: the seeds of a treatment move all its targets together, those of two treatments do not."""
    one, other = _by_seed(first), _by_seed(second)
    found = 0.0
    for row in one.keys() & other.keys():
        seeds = one[row].keys() & other[row].keys()
        if len(seeds) > 1:
            found += sum(one[row][seed] * other[row][seed] for seed in seeds) / (len(seeds) * (len(seeds) - 1))
    return found


def _by_seed(weighted: Weighted) -> dict[Treatment, dict[int | None, float]]:
    """What each seed of a treatment adds to the sum, less their mean."""
    rows: dict[Treatment, dict[int | None, float]] = {}
    for cell, weight in weighted:
        if len(cell.seeds) > 1:
            deviations = rows.setdefault(cell.row, {})
            for seed, change in zip(cell.seeds, cell.seed_changes, strict=True):
                deviations[seed] = deviations.get(seed, 0.0) + weight * (change - cell.change.mean)
    return rows


def _aligned(block: Sequence[ChangeCell]) -> tuple[Floats, Floats, npt.NDArray[np.integer] | None]:
    """Statistics (cells, items, k) over the union of the cells' items, zero where a cell lacks one; and the items' groups."""
    items = {item: place for place, item in enumerate(sorted({item for cell in block for item in cell.items}))}
    width = block[0].treated_statistics.shape[1]
    treated = np.zeros((len(block), len(items), width))
    control = np.zeros_like(treated)
    group_of = list(items)  # an item without a group is a group of its own
    for number, cell in enumerate(block):
        at = [items[item] for item in cell.items]
        treated[number, at] = cell.treated_statistics
        control[number, at] = cell.control_statistics
        for place, group in zip(at, cell.groups, strict=False):
            group_of[place] = group
    groups = np.unique(group_of, return_inverse=True)[1] if any(cell.groups for cell in block) else None
    return treated, control, groups
