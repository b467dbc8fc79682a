"""The smallest true changes that a study could show: of a cell, of a regime's mean, of a donor; probability .8, level .05.

Supposed: a tenth of the answers changes, and what changes on an item in two cells of a task is correlated by a third, as parallel
languages and sources share their items. The noise of seeds is not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING

from crossgraft.adapters.forecast.lengths import length_tested
from crossgraft.core import Job, Point
from crossgraft.stats.cells.student import quantile

if TYPE_CHECKING:
    from crossgraft.adapters.spec.study_spec import AdapterSpec

DISCORDANT = 0.1
SHARED = 1 / 3
_NORMAL = float("inf")
_Z = quantile(_NORMAL) + quantile(_NORMAL, 0.8)


def detectable(study: AdapterSpec, jobs: Sequence[Job]) -> dict[str, float]:
    """Percentage points by what they are of."""
    cells = [(job.treatment, cell.target) for job in jobs if job.treatment.source for cell in job.cells]
    pairs = {(treatment.row, target) for treatment, target in cells}
    if not pairs:
        return {}
    items = {target: length_tested(study, target).items for target in {target for _, target in pairs}}
    found = {"a cell": smallest([1], min(items.values()))}
    near = [(row, target) for row, target in pairs if row.source and row.source.regime(target) == "MT-CL"]
    if near:
        of_task = Counter(target.skill for _, target in near)
        found["the mean on the same task in other languages"] = smallest(list(of_task.values()), _least(items, near))
        of_source = Counter((row.source, target.skill) for row, target in near)
        found["a donor on its task"] = smallest([min(of_source.values())], _least(items, near))
    return found


def smallest(cells: Sequence[int], items: int) -> float:
    """Of the mean over cells, so many on each task; tasks have no item in common.

    >>> round(smallest([1], 400), 2), round(smallest([1, 1], 400), 2)
    (4.43, 3.13)
    """
    whole = sum(cells)
    variance = sum((count / whole) ** 2 * (1 / count + (1 - 1 / count) * SHARED) for count in cells)
    return _Z * 100 * sqrt(DISCORDANT / items * variance)


def _least(items: dict[Point, int], cells: Sequence[tuple[object, Point]]) -> int:
    return min(items[target] for _, target in cells)
