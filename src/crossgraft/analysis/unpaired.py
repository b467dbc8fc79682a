"""Means over cells of which only scores are known: no item can be drawn anew, so cells and seeds must carry the evidence.

An interval is over pairs of tasks and pairs of languages where there are two pairs of tasks or more; else over the seeds of the
cells, all taken to move together, which is the widest they can make it; else there is none, and it says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from crossgraft.analysis.estimate import Estimate, Weighted, exact
from crossgraft.changes import ChangeCell
from crossgraft.core import Floats
from crossgraft.matrix import TransferMatrix
from crossgraft.stats.clusters import Clustered, jackknife, weighted_sum

NO_ITEMS = (
    "There are no per-item outcomes: no paired test, no joint bootstrap, no correction for the shared base. Intervals of cells "
    "are over seeds; those of means are over cells, in clusters of task pairs and of language pairs, or over seeds where there "
    "is one task pair. Items that languages have in common are not seen, and no interval is about new items."
)
_ONE_PAIR = "one pair of tasks says nothing of others"


def contrast(weighted: Weighted) -> Estimate:
    """A weighted sum of changes, in percentage points."""
    values = np.array([cell.change.mean for cell, _ in weighted])
    weights = np.array([weight for _, weight in weighted])
    point = float(values @ weights)
    cells = [cell for cell, _ in weighted]
    found = weighted_sum(values, weights, _clusterings(cells, weights))
    if found:
        return _over_pairs(point, found, cells)
    return over_seeds(weighted)


def over_seeds(weighted: Weighted) -> Estimate:
    """The same, with the errors of all cells taken to move together, each in the worst direction."""
    point = float(sum(weight * cell.change.mean for cell, weight in weighted))
    half = sum(abs(weight) * (cell.change.high - cell.change.low) / 2 for cell, weight in weighted)
    if half < inf:
        return Estimate(
            exact(point), exact(point - half), exact(point + half), len(weighted), 0, "seeds, moving together"
        )
    return _none(point, [cell for cell, _ in weighted])


def share(weighted: Weighted, counts: Callable[[Floats], npt.NDArray[np.bool_]]) -> Estimate:
    """A weighted sum of the cells that count, in percent.

    Where no cell counts, or every one does, nothing varies: then the interval is as wide as one cell of two more would make it.
    """
    values = np.where(counts(np.array([cell.change.mean for cell, _ in weighted])), 100.0, 0.0)
    weights = np.array([weight for _, weight in weighted])
    cells = [cell for cell, _ in weighted]
    point = float(values @ weights)
    clusterings = _clusterings(cells, weights)
    found = weighted_sum(values, weights, clusterings)
    if found:
        return _over_pairs(point, found, cells)
    pairs = len(np.unique(clusterings[0]))
    if pairs < 2:
        return _none(point, cells)
    least = float(stdtrit(pairs - 1, 0.975)) * 100 * float(np.abs(weights).sum()) / (len(cells) + 2)
    return _over_pairs(point, Clustered(least, pairs - 1), cells)


def statistic(cells: Sequence[ChangeCell], summary: Callable[[Floats], Floats]) -> Estimate:
    """A summary over cells, such as the median; one pair of tasks after another is left out for its interval."""
    values = np.array([cell.change.mean for cell in cells])
    point = float(summary(values))
    found = jackknife(values, _labels([_tasks(cell) for cell in cells]), summary)
    return _over_pairs(point, found, cells) if found else _none(point, cells)


def cannot(matrix: TransferMatrix) -> Iterator[str]:
    """What a table of scores does not say, in sentences."""
    cells = list(matrix.cells.values())
    if not cells:
        return
    if len({cell.row.model for cell in cells}) < 2:
        yield "One model says nothing of others: there is no consistency across models, and no interval over new ones."
    sources = {cell.row.source for cell in cells if cell.row.source}
    if len(sources) < 2:
        yield "One source has no other to be compared with: there are no donors, no roles and no asymmetry."
    if len({source.skill for source in sources}) < 2:
        yield "Sources of one task leave nothing to set against it: there is no contrast of on-task and off-task transfer."
    if without := sum(bool(cell.change.why) for cell in cells):
        reasons = dict.fromkeys(cell.change.why for cell in cells if cell.change.why)
        yield f"{without} of {len(cells)} cells have no interval: {'; or '.join(reasons)}."


def _over_pairs(point: float, found: Clustered, cells: Sequence[ChangeCell]) -> Estimate:
    basis = f"task and language pairs, {found.df} degree{'s' if found.df > 1 else ''} of freedom"
    return Estimate(exact(point), exact(point - found.half), exact(point + found.half), len(cells), 0, basis)


def _none(point: float, cells: Sequence[ChangeCell]) -> Estimate:
    """An interval that leaves nothing out."""
    pairs = len({_tasks(cell) for cell in cells})
    why = _ONE_PAIR if pairs < 2 else "the cells do not vary"
    seeds = next((cell.change.why for cell in cells if cell.change.why), "seeds are no help for it")
    return Estimate(exact(point), -inf, inf, len(cells), 0, "", f"{why}; {seeds}")


def _clusterings(cells: Sequence[ChangeCell], weights: Floats) -> list[npt.NDArray[np.integer]]:
    """By pair of tasks; by pair of languages too, where either side of a contrast has several."""
    tasks = _labels([_tasks(cell) for cell in cells])
    languages = _labels([_languages(cell) for cell in cells])
    sides = [languages[side] for side in (weights > 0, weights < 0) if side.any()]
    return [tasks, languages] if all(len(np.unique(side)) > 1 for side in sides) else [tasks]


def _tasks(cell: ChangeCell) -> tuple[str, str]:
    return (cell.row.source.skill if cell.row.source else "", cell.target.skill)


def _languages(cell: ChangeCell) -> tuple[str, str]:
    return (cell.row.source.lang if cell.row.source else "", cell.target.lang)


def _labels(keys: Sequence[tuple[str, str]]) -> npt.NDArray[np.integer]:
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([place[key] for key in keys], dtype=np.int64)
