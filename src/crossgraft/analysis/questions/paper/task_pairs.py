"""Where the means of the paper come from: the mean change of each pair of tasks, and its share of the regime's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crossgraft.analysis.cells import other_tasks, same_task, trained
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.core import Floats
from crossgraft.transfer.changes import ChangeCell

Side = Literal["same task", "other tasks"]


@dataclass(frozen=True)
class TaskPair:
    """The cells off the source that train on one task and evaluate on another, or on the same."""

    side: Side
    source: str
    target: str
    cells: int
    mean: float  # pp
    median: float  # pp
    share: float | None  # of the sum over the cells of its side, in percent; parts may be negative, or above 100
    rest: float | None  # pp: the mean of the side without this target task; None where nothing is left
    largest_model: str  # the model with the largest mean
    largest: float  # its mean, pp


def task_pairs(draws: Draws) -> tuple[TaskPair, ...]:
    """Same task first, then other tasks, each by the order of the table."""
    cells = trained(draws.cells)
    sides: tuple[tuple[Side, Sequence[ChangeCell]], ...] = (
        ("same task", same_task(cells)),
        ("other tasks", other_tasks(cells)),
    )
    return tuple(pair for side, group in sides for pair in _of_side(side, group))


def _of_side(side: Side, cells: Sequence[ChangeCell]) -> list[TaskPair]:
    groups: dict[tuple[str, str], list[ChangeCell]] = {}
    for cell in cells:
        assert cell.row.source is not None
        groups.setdefault((cell.row.source.skill, cell.target.skill), []).append(cell)
    total = float(_changes(cells).sum()) if cells else 0.0
    return [_pair(side, source, target, group, cells, total) for (source, target), group in groups.items()]


def _pair(
    side: Side, source: str, target: str, group: Sequence[ChangeCell], cells: Sequence[ChangeCell], total: float
) -> TaskPair:
    changes = _changes(group)
    rest = [cell for cell in cells if cell.target.skill != target]
    by_model: dict[str, list[float]] = {}
    for cell in group:
        by_model.setdefault(cell.row.model, []).append(cell.change.mean)
    means = {model: float(np.mean(values)) for model, values in by_model.items()}
    first = max(means, key=lambda model: means[model])
    return TaskPair(
        side,
        source,
        target,
        len(group),
        float(changes.mean()),
        float(np.median(changes)),
        100 * float(changes.sum()) / total if total else None,
        float(_changes(rest).mean()) if rest else None,
        first,
        means[first],
    )


def _changes(cells: Sequence[ChangeCell]) -> Floats:
    return np.array([cell.change.mean for cell in cells])
