"""On the source's task against off it: the headline, because the base cancels in it.

In every column (a model on a target) the mean change of treatments trained on the same task in another language, less
the mean change of those trained on other tasks. Both sides subtract the same answers of the base, so noise in the base's score
moves neither. Three questions have three intervals: would it be so with new items and seeds; with new models; with
new tasks?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import hypot, isfinite, sqrt
from typing import Literal

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import Draws, Estimate, Weighted
from crossgraft.analysis.questions.effects.regimes import ALL_MODELS
from crossgraft.analysis.wording import TINY, number_of, signed
from crossgraft.core import Floats, Labels
from crossgraft.stats.resampling.contrasts import Interval, jackknifed, mean_of_units
from crossgraft.transfer.matrix import ChangeCell

Level = Literal["new items and seeds", "new models", "new tasks"]


@dataclass(frozen=True)
class Inference:
    """The interval of one contrast, or why it has no interval."""

    level: Level
    low: float | None
    high: float | None
    units: str  # what was counted: "400 items", "3 models"
    why: str = ""


@dataclass(frozen=True)
class Contrast:
    """On-task less off-task transfer, in percentage points."""

    over: str
    on: Estimate  # treatments trained on the target's task, in other languages
    off: Estimate  # those trained on other tasks
    estimate: Estimate  # the difference
    levels: tuple[Inference, ...]


def contrasts(draws: Draws, labels: Labels) -> Iterator[Contrast]:
    """Over everything; then by model, target task, family, size and way of translation."""
    cells = select.sourced(draws.cells)
    for over, group in _groups(cells, labels):
        weighted = _weights(group)
        if weighted:
            estimate = draws.over_items(weighted)
            on = draws.over_items([(cell, weight) for cell, weight in weighted if weight > 0])
            off = draws.over_items([(cell, -weight) for cell, weight in weighted if weight < 0])
            yield Contrast(over, on, off, estimate, _levels(group, weighted, estimate, draws))


def _groups(cells: Sequence[ChangeCell], labels: Labels) -> Iterator[tuple[str, list[ChangeCell]]]:
    yield ALL_MODELS, list(cells)
    by: list[tuple[str, Callable[[ChangeCell], str]]] = [
        ("", lambda cell: cell.row.model),
        ("on ", lambda cell: cell.target.skill),
        ("family ", lambda cell: labels.family.get(cell.row.model, "")),
        ("", lambda cell: _size_class(labels.billions.get(cell.row.model))),
        ("translated by ", lambda cell: labels.translated.get(cell.target.task, "")),
    ]
    for prefix, key in by:
        values = [value for value in dict.fromkeys(key(cell) for cell in cells) if value]
        if len(values) > 1:
            for value in values:
                yield f"{prefix}{value}", [cell for cell in cells if key(cell) == value]


def _size_class(billions: float | None) -> str:
    if billions is None:
        return ""
    return "below 1B" if billions < 1 else "1B to 4B" if billions <= 4 else "above 4B"


def _weights(cells: Sequence[ChangeCell]) -> list[tuple[ChangeCell, float]]:
    """Equal weight for every column that has both sides."""
    columns: dict[tuple[str, str], tuple[list[ChangeCell], list[ChangeCell]]] = {}
    for cell in cells:
        sides = columns.setdefault((cell.row.model, str(cell.target)), ([], []))
        sides[0 if cell.regime == "MT-CL" else 1].append(cell)
    full = [(on, off) for on, off in columns.values() if on and off]
    weighted = []
    for on, off in full:
        weighted += [(cell, 1 / len(on) / len(full)) for cell in on]
        weighted += [(cell, -1 / len(off) / len(full)) for cell in off]
    return weighted


def _levels(
    cells: Sequence[ChangeCell], weighted: Weighted, estimate: Estimate, draws: Draws
) -> tuple[Inference, Inference, Inference]:
    """The intervals nest: what holds with new models or new tasks holds with new items as well."""
    return (
        _new_items(estimate),
        _new_models(cells, weighted, estimate, draws),
        _new_tasks(cells, weighted, estimate),
    )


def _new_items(estimate: Estimate) -> Inference:
    if not isfinite(estimate.high - estimate.low):
        return Inference("new items and seeds", None, None, "items not counted", estimate.why)
    units = number_of(estimate.items, "item") if estimate.items else "at most, by the binomial distribution"
    return Inference("new items and seeds", estimate.low, estimate.high, units)


def _new_models(cells: Sequence[ChangeCell], weighted: Weighted, estimate: Estimate, draws: Draws) -> Inference:
    """Student's t over models; what the items they share add to all of them alike, no difference between models shows."""
    names = list(dict.fromkeys(cell.row.model for cell, _ in weighted))
    own = [_weights([cell for cell in cells if cell.row.model == name]) for name in names]
    values = np.array([_value(one) for one in own])
    between = mean_of_units(values)
    if between is None:
        return Inference("new models", None, None, "1 model", "only one model")
    if len(names) == 2:
        return Inference("new models", None, None, "2 models", f"only 2 models ({_listed(values)})")
    private = sum(draws.over_items(one).error ** 2 for one in own) / len(own) ** 2
    shared = max(0.0, estimate.error**2 - private) if isfinite(private) else 0.0
    return _inference("new models", estimate, between, shared, number_of(len(names), "model"))


def _new_tasks(cells: Sequence[ChangeCell], weighted: Weighted, estimate: Estimate) -> Inference:
    """One task after another is left out, as source and as target: own-task gains may vary more than other pairs."""
    tasks = list(dict.fromkeys(cell.target.skill for cell, _ in weighted))
    units = number_of(len(tasks), "task")
    if len(tasks) < 3:
        return Inference("new tasks", None, None, units, "fewer than three tasks")
    without = [_weights([cell for cell in cells if task not in _tasks_of(cell)]) for task in tasks]
    between = jackknifed(_value(weighted), np.array([_value(one) for one in without])) if all(without) else None
    if between is None:
        return Inference("new tasks", None, None, units, "too few pairs of tasks were measured")
    return _inference("new tasks", estimate, between, 0.0, units)


def _tasks_of(cell: ChangeCell) -> tuple[str, ...]:
    return cell.target.skill, cell.row.source.skill if cell.row.source else ""


def _inference(level: Level, estimate: Estimate, between: Interval, shared: float, units: str) -> Inference:
    """The wider of two intervals: that over new items, and that over units with the variance (pp²) all of them share."""
    if between.high - between.low < TINY:
        return Inference(level, None, None, units, f"{units} do not differ at all")
    half = hypot((between.high - between.low) / 2, 1.96 * sqrt(shared))
    low, high = estimate.mean - half, estimate.mean + half
    if isfinite(estimate.high - estimate.low):
        low, high = min(low, estimate.low), max(high, estimate.high)
    freedom = number_of(round(between.df), "degree")
    return Inference(level, low, high, f"{units}, {freedom} of freedom")


def _value(weighted: Weighted) -> float:
    return float(sum(weight * cell.change.mean for cell, weight in weighted))


def _listed(values: Floats) -> str:
    return " and ".join(signed(float(value)) for value in values)
