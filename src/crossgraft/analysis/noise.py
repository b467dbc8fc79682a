"""The noise of cells, drawn: what other items and other seeds would have given, for all cells together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np

from crossgraft.analysis.draws import Draws
from crossgraft.changes import ChangeCell
from crossgraft.core import Floats, Treatment

NOISE_DRAWS = 400
Run = tuple[Treatment, int | None]  # a treatment with a seed


def noise_draws(draws: Draws, cells: Sequence[ChangeCell], *, seed: int = 0) -> Floats:
    """Deviations of the cells' changes from their estimates, in percentage points: (draws, cells).

    Items as in the joint bootstrap: an item drawn twice counts twice in every cell that has it, the base's answers
    included, so that what the base in common does to a column is in it. Seeds: the deviations of a treatment's seeds
    times normal numbers, one a seed, the same on all its targets; their covariance is that of the mean over seeds. Of cells
    read as means over seeds only the size of that is known: each has a number of its own, as if targets were independent.
    """
    items = draws.of(cells)
    return np.asarray((items - items.mean(axis=0))[:NOISE_DRAWS] + _seeds(cells, np.random.default_rng(seed)))


def _seeds(cells: Sequence[ChangeCell], rng: np.random.Generator) -> Floats:
    """What seeds do to all targets of a treatment, and what they do to each, both less what draws of items have."""
    found = np.zeros((NOISE_DRAWS, len(cells)))
    common = _row_means(cells)
    whole = np.sqrt(_beyond_answers(sum(value**2 for value in common.values()), _answers_in_rows(cells)))
    kept = {task: np.sqrt(_beyond_answers(*_between(group, common))) for task, group in _by_task(cells).items()}
    luck = {key: rng.standard_normal(NOISE_DRAWS) for key in common}
    for place, cell in enumerate(cells):
        for seed, deviation in _deviations(cell).items():
            shared = common[cell.row, seed]
            found[:, place] += luck[cell.row, seed] * (whole * shared + kept[cell.target.task] * (deviation - shared))
        if not cell.seed_changes and not cell.change.why:
            found[:, place] += (cell.change.high - cell.change.low) / (2 * 1.96) * rng.standard_normal(NOISE_DRAWS)
    return found


def _deviations(cell: ChangeCell) -> dict[int | None, float]:
    """Of each seed from their mean, scaled so that their squares add up to the variance of the mean."""
    count = len(cell.seeds)
    if count < 2 or not cell.seed_changes:
        return {}
    mean, scale = sum(cell.seed_changes) / count, sqrt(count * (count - 1))
    return {seed: (one - mean) / scale for seed, one in zip(cell.seeds, cell.seed_changes, strict=True)}


def _row_means(cells: Sequence[ChangeCell]) -> dict[Run, float]:
    """What a seed does to all targets of its treatment."""
    found: dict[Run, list[float]] = {}
    for cell in cells:
        for seed, deviation in _deviations(cell).items():
            found.setdefault((cell.row, seed), []).append(deviation)
    return {key: sum(values) / len(values) for key, values in found.items()}


def _by_task(cells: Sequence[ChangeCell]) -> dict[str, list[ChangeCell]]:
    found: dict[str, list[ChangeCell]] = {}
    for cell in cells:
        found.setdefault(cell.target.task, []).append(cell)
    return found


def _between(cells: Sequence[ChangeCell], common: Mapping[Run, float]) -> tuple[float, float]:
    """Variance between seeds beyond what is common to a treatment's targets, and that of their answers; summed."""
    deviations = [(value, common[cell.row, seed]) for cell in cells for seed, value in _deviations(cell).items()]
    return sum((value - shared) ** 2 for value, shared in deviations), sum(_answers(cell) for cell in cells)


def _answers_in_rows(cells: Sequence[ChangeCell]) -> float:
    """The variance of answers in the mean of a treatment's targets, summed over treatments."""
    rows: dict[Treatment, list[float]] = {}
    for cell in cells:
        rows.setdefault(cell.row, []).append(_answers(cell))
    return sum(sum(values) / len(values) ** 2 for values in rows.values())


def _answers(cell: ChangeCell) -> float:
    """What a cell varies by because seeds answer so few items by lot: Σ p(1 - p) / ((S - 1) n²) of outcomes 0 and 1.

    p is the share of the S seeds that were right. Of other outcomes it is not known, and taken as nothing.
    """
    right, seeds = cell.treated_statistics[:, 0], len(cell.seeds)
    if seeds < 2 or not cell.items or not cell.metric.is_mean or right.min() < 0 or right.max() > 1:
        return 0.0
    return 1e4 * float(right @ (1 - right)) / ((seeds - 1) * len(right) ** 2)


def _beyond_answers(between: float, answers: float) -> float:
    """The part of the variance between seeds that draws of items do not have already, from 0 to 1."""
    return max(0.0, 1 - answers / between) if between > 0 else 0.0
