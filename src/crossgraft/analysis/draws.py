"""Means and contrasts of cells with their intervals: items drawn anew for all cells together, seeds' luck added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Literal

import numpy as np

from crossgraft.core import Floats
from crossgraft.matrix import ChangeCell, TransferMatrix
from crossgraft.stats.bootstrap import joint_item_bootstrap

DRAWS = 1000
SEED = 0
TINY = 1e-9  # changes smaller than this many percentage points are zero

Verdict = Literal["better", "worse", "not distinguishable"]


@dataclass(frozen=True)
class Estimate:
    """A mean of changes over cells, in percentage points, with its 95 % interval."""

    mean: float
    low: float
    high: float
    cells: int
    items: int  # different items the cells rest on

    @property
    def verdict(self) -> Verdict:
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "not distinguishable"


class Draws:
    """The change of every percentage-point cell in every draw of items.

    A draw is one set of item weights a task, the same for all cells of the task (Miller, 2024). Training runs are
    independent of one another, so the luck of seeds adds, for each treatment on its own, the variance between its
    seeds over their number.
    """

    def __init__(self, matrix: TransferMatrix) -> None:
        self.cells = [cell for cell in matrix.cells.values() if cell.unit == "pp"]
        self._place = {id(cell): place for place, cell in enumerate(self.cells)}
        self._change = np.empty((DRAWS, len(self.cells)))
        for task in dict.fromkeys((cell.target.task, cell.metric.name) for cell in self.cells):
            block = [cell for cell in self.cells if (cell.target.task, cell.metric.name) == task]
            treated, control = _aligned(block)
            metric = block[0].metric
            # the same seed for every task: a task's interval does not depend on what else is in the grid
            drawn = joint_item_bootstrap(
                treated, control, metric.aggregate, draws=DRAWS, rng=np.random.default_rng(SEED)
            )
            sign = 100.0 if metric.higher_is_better else -100.0
            for column, cell in enumerate(block):
                self._change[:, self._place[id(cell)]] = sign * drawn[:, column]

    def mean(self, cells: Iterable[ChangeCell]) -> Estimate | None:
        """The equal-weight mean over cells."""
        chosen = [cell for cell in cells if id(cell) in self._place]
        if not chosen:
            return None
        return self.contrast([(cell, 1 / len(chosen)) for cell in chosen])

    def contrast(self, weighted: Sequence[tuple[ChangeCell, float]]) -> Estimate:
        """A weighted sum of cells.

        Where hardly an item changed, draws hardly differ: the interval is never narrower than what Agresti and
        Min's would be for as many items of which none changed.
        """
        weights = np.array([weight for _, weight in weighted])
        values = np.array([cell.change.mean for cell, _ in weighted])
        with np.errstate(invalid="ignore"):
            drawn = self._change[:, self._places(weighted)]
            sums = np.where(np.isnan(drawn), 0.0, drawn) @ weights
        return self._estimate(float(values @ weights), sums, weighted, _seed_variance(weighted))

    def harmed(self, weighted: Sequence[tuple[ChangeCell, float]], least: float) -> Estimate:
        """A weighted sum of shares of cells, in percent, that fall by ``least`` points or more.

        Draws of items move a cell about its estimate, so that they find more harm than there is; the interval is
        therefore centred.
        """
        weights = np.array([weight for _, weight in weighted])
        values = np.array([cell.change.mean for cell, _ in weighted])
        point = 100 * float((values <= -least + TINY) @ weights)
        sums = 100 * (self._change[:, self._places(weighted)] <= -least + TINY) @ weights
        return self._estimate(point, sums - sums.mean() + point, weighted, 0.0)

    def _places(self, weighted: Sequence[tuple[ChangeCell, float]]) -> list[int]:
        return [self._place[id(cell)] for cell, _ in weighted]

    def _estimate(
        self, point: float, sums: Floats, weighted: Sequence[tuple[ChangeCell, float]], seeds: float
    ) -> Estimate:
        items = {(cell.target.task, item) for cell, _ in weighted for item in cell.items}
        variance = float(np.var(sums))
        wider = np.sqrt((variance + seeds) / variance) if variance > 0 else 1.0
        low, high = (point + (float(edge) - point) * wider for edge in np.quantile(sums, [0.025, 0.975]))
        least = 1.96 * max(np.sqrt(seeds), 100 * _size(weighted) / (len(items) + 2))
        low, high = min(low, point - least), max(high, point + least)
        return Estimate(_exact(point), _exact(low), _exact(high), len(weighted), len(items))


def _size(weighted: Sequence[tuple[ChangeCell, float]]) -> float:
    """1 for a mean; for the difference of two means what two independent ones have."""
    sides = [abs(sum(weight for _, weight in weighted if sign * weight > 0)) for sign in (1, -1)]
    return hypot(*sides)


def _seed_variance(weighted: Sequence[tuple[ChangeCell, float]]) -> float:
    """Of the sum: the seeds of a treatment move all its targets together, those of two treatments do not."""
    rows: dict[object, dict[int | None, float]] = {}
    for cell, weight in weighted:
        if len(cell.seeds) > 1:
            deviations = rows.setdefault(cell.row, {})
            for seed, change in zip(cell.seeds, cell.seed_changes, strict=True):
                deviations[seed] = deviations.get(seed, 0.0) + weight * (change - cell.change.mean)
    return sum(_mean_variance(deviations) for deviations in rows.values())


def _mean_variance(deviations: Mapping[int | None, float]) -> float:
    count = len(deviations)
    return sum(value**2 for value in deviations.values()) / (count * (count - 1))


def _exact(value: float) -> float:
    return 0.0 if abs(value) < TINY else value


def _aligned(block: Sequence[ChangeCell]) -> tuple[Floats, Floats]:
    """Statistics (cells, items, k) over the union of the cells' items; zero where a cell lacks one."""
    items = {item: place for place, item in enumerate(sorted({item for cell in block for item in cell.items}))}
    width = block[0].treated_statistics.shape[1]
    treated = np.zeros((len(block), len(items), width))
    control = np.zeros_like(treated)
    for number, cell in enumerate(block):
        at = [items[item] for item in cell.items]
        treated[number, at] = cell.treated_statistics
        control[number, at] = cell.control_statistics
    return treated, control
