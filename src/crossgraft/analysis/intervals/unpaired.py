"""Means over cells of which only scores are known: no item can be drawn anew.

Where the numbers of items are known, the binomial distribution bounds the noise of a mean; the interval is about new items
and seeds, and at least as wide as one from the items themselves would be. Where they are not, an interval is over tasks and languages, of source and of
target, if there are two tasks or more; else there is none, and it says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf, sqrt

import numpy as np
import numpy.typing as npt

from crossgraft.analysis.external.scores import binomial
from crossgraft.analysis.intervals.estimate import Estimate, Weighted, exact
from crossgraft.core import Floats, Point, Treatment
from crossgraft.stats.cells.student import quantile
from crossgraft.stats.resampling.jackknife import Clustered, jackknife, weighted_sum
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix

NO_ITEMS = (
    "There are no per-item outcomes: no paired test, no joint bootstrap, no correction for the shared base. Where the numbers of items are known, "
    "intervals are about new items and seeds and as wide as the binomial distribution allows, so wider than those from outcomes would be. "
    "Where they are not, cells have no interval and nothing is called significant; intervals of means are over tasks and languages, of source "
    "and target, where there are several tasks."
)
BOUND = "binomial bound"
_ONE_TASK = "there is only one task"


def contrast(weighted: Weighted) -> Estimate:
    """A weighted sum of changes, in percentage points."""
    if counted(cell for cell, _ in weighted):
        return bounded(weighted)
    values = np.array([cell.change.mean for cell, _ in weighted])
    weights = np.array([weight for _, weight in weighted])
    point = float(values @ weights)
    cells = [cell for cell, _ in weighted]
    clustered = weighted_sum(values, weights, _factors(cells, weights))
    if clustered:
        return _over_pairs(point, clustered, cells)
    return _none(point, cells)


def over_items(weighted: Weighted) -> Estimate:
    """The same, about new items and seeds or about nothing: effects of single sources or targets are no sample of tasks."""
    if counted(cell for cell, _ in weighted):
        return bounded(weighted)
    point = float(sum(weight * cell.change.mean for cell, weight in weighted))
    why = next((cell.change.why for cell, _ in weighted if cell.change.why), "")
    return Estimate(exact(point), -inf, inf, inf, len(weighted), 0, "", why)


def counted(cells: Iterable[ChangeCell]) -> bool:
    """Whether all cells know on how many items they rest."""
    return all(cell.change.n > 0 and not cell.change.why for cell in cells)


def bounded(weighted: Weighted) -> Estimate:
    """The widest interval that the binomial distribution allows, for any positive correlation of the cells.

    The cells of a model on one task may rest on the same items: their noise is taken to move together. The base's answers
    count once per target, so that they cancel in contrasts within a target; treated answers of opposite sign are not taken to cancel.
    """
    bases: dict[tuple[str, str], dict[Point, tuple[float, float]]] = {}
    treated: dict[tuple[str, str, bool], float] = {}
    rows: dict[Treatment, float] = {}
    for cell, weight in weighted:
        block = cell.row.model, cell.target.task
        columns = bases.setdefault(block, {})
        error = sqrt(binomial(cell.control, cell.change.n))
        columns[cell.target] = columns.get(cell.target, (0.0, 0.0))[0] + weight, error
        side = *block, weight > 0
        treated[side] = treated.get(side, 0.0) + abs(weight) * sqrt(binomial(cell.treated, cell.change.n))
        rows[cell.row] = rows.get(cell.row, 0.0) + abs(weight) * sqrt(cell.change.seed_variance)
    variance = sum(sum(abs(weight) * error for weight, error in one.values()) ** 2 for one in bases.values())
    variance += sum(value**2 for value in (*treated.values(), *rows.values()))
    point = float(sum(weight * cell.change.mean for cell, weight in weighted))
    error = sqrt(variance)
    half = quantile(inf) * error
    return Estimate(exact(point), exact(point - half), exact(point + half), error, len(weighted), 0, BOUND)


def statistic(cells: Sequence[ChangeCell], summary: Callable[[Floats], Floats]) -> Estimate:
    """A summary over cells, such as the median; one task after another is left out for its interval."""
    values = np.array([cell.change.mean for cell in cells])
    point = float(summary(values))
    clustered = jackknife(values, _factors(cells, np.ones(len(cells)))[:1], summary)
    return _over_pairs(point, clustered, cells) if clustered else _none(point, cells)


def cannot(matrix: TransferMatrix) -> Iterator[str]:
    """What a table of scores does not say, in sentences."""
    cells = list(matrix.cells.values())
    if not cells:
        return
    if len({cell.row.model for cell in cells}) < 2:
        yield "There is one model: no consistency across models, and no interval over new ones."
    sources = {cell.row.source for cell in cells if cell.row.source}
    if len(sources) < 2:
        yield "There is one source: no donors, no recipients and no asymmetry."
    if len({source.skill for source in sources}) < 2:
        yield "All sources are of one task: there is no contrast of on-task and off-task transfer."
    if without := sum(bool(cell.change.why) for cell in cells):
        reasons = dict.fromkeys(cell.change.why for cell in cells if cell.change.why)
        have = "cell has" if len(cells) == 1 else "cells have"
        yield f"{without} of {len(cells)} {have} no interval: {'; or '.join(reasons)}."


def _over_pairs(point: float, clustered: Clustered, cells: Sequence[ChangeCell]) -> Estimate:
    basis = f"over tasks and languages, {clustered.df} degree{'s' if clustered.df > 1 else ''} of freedom"
    ends = exact(point - clustered.half), exact(point + clustered.half)
    return Estimate(exact(point), *ends, clustered.error, len(cells), 0, basis, df=clustered.df)


def _none(point: float, cells: Sequence[ChangeCell]) -> Estimate:
    """An interval that leaves nothing out."""
    why = "the cells do not vary" if _factors(cells, np.ones(len(cells))) else _ONE_TASK
    more = next((f"; {cell.change.why}" for cell in cells if cell.change.why), "")
    return Estimate(exact(point), -inf, inf, inf, len(cells), 0, "", f"{why}{more}")


def _factors(cells: Sequence[ChangeCell], weights: Floats) -> list[list[npt.NDArray[np.integer]]]:
    """Tasks of source and target, then languages of source and target: those of which each side of a contrast has several.

    None at all without several tasks: languages of one task have their items in common, and would look surer than they are.
    """
    sides = [side for side in (weights > 0, weights < 0) if side.any()]
    found = []
    for name in ("skill", "lang"):
        both = [_labels([str(getattr(point, name)) for point in points]) for points in _points(cells)]
        several = [labels for labels in both if all(len(np.unique(labels[side])) > 1 for side in sides)]
        if len(several) == 2 and np.array_equal(several[0], several[1]):
            several = several[:1]
        if not several and name == "skill":
            return []
        if several:
            found.append(several)
    return found


def _points(cells: Sequence[ChangeCell]) -> tuple[list[Point], list[Point]]:
    """Sources and targets; a treatment without a source stands for its targets."""
    return [cell.row.source or cell.target for cell in cells], [cell.target for cell in cells]


def _labels(keys: Sequence[str]) -> npt.NDArray[np.integer]:
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([place[key] for key in keys], dtype=np.int64)
