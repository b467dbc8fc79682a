"""On the source's task against off it: the headline, because the base cancels in it.

In every column (a model on a target) the mean change of treatments trained on the same task in another language, less
the mean change of those trained on other tasks. Both sides subtract the same answers of the base, so an unlucky base
moves neither. Three questions have three intervals: would it be so with new items and seeds; with new models; with
new tasks?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crossgraft.analysis.draws import Draws, Estimate, Weighted
from crossgraft.analysis.regimes import ALL_MODELS
from crossgraft.analysis.wording import TINY, number_of
from crossgraft.core import Labels
from crossgraft.matrix import ChangeCell
from crossgraft.stats.contrasts import Interval, mean_of_units, pair_contrast

Level = Literal["new items and seeds", "new models", "new tasks"]


@dataclass(frozen=True)
class Inference:
    """The interval of one question, or why there is none."""

    level: Level
    low: float | None
    high: float | None
    units: str  # what was counted: "400 items", "3 models"
    why: str = ""


@dataclass(frozen=True)
class Contrast:
    """On-task less off-task transfer, in percentage points."""

    over: str
    estimate: Estimate
    levels: tuple[Inference, ...]


def contrasts(draws: Draws, labels: Labels) -> Iterator[Contrast]:
    """Over everything; then by model, target task, family, size and way of translation."""
    cells = [cell for cell in draws.cells if cell.regime in ("MT-CL", "CT-ML", "CT-CL")]
    for over, group in _groups(cells, labels):
        weighted = _weights(group)
        if weighted:
            found = draws.contrast(weighted)
            yield Contrast(over, found, _levels(group, weighted, found))


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


def _levels(cells: Sequence[ChangeCell], weighted: Weighted, found: Estimate) -> tuple[Inference, ...]:
    models = list(dict.fromkeys(cell.row.model for cell, _ in weighted))
    own = [_value(_weights([cell for cell in cells if cell.row.model == model])) for model in models]
    return (
        _inference("new items and seeds", _bounded(found), number_of(found.items, "item"), found.why),
        _inference(
            "new models",
            mean_of_units(np.array(own)),
            number_of(len(models), "model"),
            "one model says nothing of others",
        ),
        _inference(
            "new tasks",
            _task_pairs(weighted),
            number_of(_tasks(weighted), "task"),
            "it takes three tasks or more",
        ),
    )


def _value(weighted: Weighted) -> float:
    return float(sum(weight * cell.change.mean for cell, weight in weighted))


def _inference(level: Level, found: Interval | None, units: str, otherwise: str) -> Inference:
    if found is None:
        return Inference(level, None, None, units, otherwise)
    if found.high - found.low < TINY:
        return Inference(level, None, None, units, f"{units} do not differ at all: nothing tells how others would")
    if np.isfinite(found.df):
        units = f"{units}, {number_of(round(found.df), 'degree')} of freedom"
    return Inference(level, found.low, found.high, units)


def _bounded(found: Estimate) -> Interval | None:
    """None for an interval that leaves nothing out."""
    return Interval(found.mean, found.low, found.high, np.inf) if np.isfinite(found.high - found.low) else None


def _tasks(weighted: Weighted) -> int:
    return len({cell.target.skill for cell, _ in weighted})


def _task_pairs(weighted: Weighted) -> Interval | None:
    """Mean changes of pairs of a source's and a target's task, over models and languages."""
    values: dict[tuple[str, str], list[float]] = {}
    for cell, _ in weighted:
        assert cell.row.source is not None
        values.setdefault((cell.row.source.skill, cell.target.skill), []).append(cell.change.mean)
    names = {name: place for place, name in enumerate(dict.fromkeys(name for pair in values for name in pair))}
    pairs = np.array([[names[source], names[target]] for source, target in values])
    return pair_contrast(pairs, np.array([float(np.mean(group)) for group in values.values()]))
