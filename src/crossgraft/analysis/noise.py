"""The noise of cells, drawn: what other items and other seeds would have given, for all cells together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crossgraft.analysis.draws import Draws
from crossgraft.changes import ChangeCell
from crossgraft.core import Floats, Treatment

NOISE_DRAWS = 400


def noise_draws(draws: Draws, cells: Sequence[ChangeCell], *, seed: int = 0) -> Floats:
    """Deviations of the cells' changes from their estimates, in percentage points: (draws, cells).

    Items as in the joint bootstrap: an item drawn twice counts twice in every cell that has it, the base's answers
    included, so that what the base in common does to a column is in it. Seeds: the deviations of a treatment's seeds
    times normal numbers, one a seed, the same on all its targets; their covariance is that of the mean over seeds.
    """
    items = draws.of(cells)
    return np.asarray((items - items.mean(axis=0))[:NOISE_DRAWS] + _seeds(cells, np.random.default_rng(seed)))


def _seeds(cells: Sequence[ChangeCell], rng: np.random.Generator) -> Floats:
    found = np.zeros((NOISE_DRAWS, len(cells)))
    row_means = _row_means(cells)
    kept = {task: np.sqrt(_beyond_items(group, row_means)) for task, group in _by_task(cells).items()}
    luck: dict[tuple[Treatment, int | None], Floats] = {}
    for place, cell in enumerate(cells):
        for seed, deviation in _deviations(cell).items():
            key = (cell.row, seed)
            if key not in luck:
                luck[key] = rng.standard_normal(NOISE_DRAWS)
            common = row_means[key]
            found[:, place] += luck[key] * (common + kept[cell.target.task] * (deviation - common))
    return found


def _deviations(cell: ChangeCell) -> dict[int | None, float]:
    """Of each seed from their mean, scaled so that their squares add up to the variance of the mean."""
    count = len(cell.seeds)
    if count < 2:
        return {}
    mean, scale = sum(cell.seed_changes) / count, np.sqrt(count * (count - 1))
    return {seed: (one - mean) / scale for seed, one in zip(cell.seeds, cell.seed_changes, strict=True)}


def _row_means(cells: Sequence[ChangeCell]) -> dict[tuple[Treatment, int | None], float]:
    """What a seed does to all targets of its treatment."""
    found: dict[tuple[Treatment, int | None], list[float]] = {}
    for cell in cells:
        for seed, deviation in _deviations(cell).items():
            found.setdefault((cell.row, seed), []).append(deviation)
    return {key: float(np.mean(values)) for key, values in found.items()}


def _by_task(cells: Sequence[ChangeCell]) -> dict[str, list[ChangeCell]]:
    found: dict[str, list[ChangeCell]] = {}
    for cell in cells:
        found.setdefault(cell.target.task, []).append(cell)
    return found


def _beyond_items(cells: Sequence[ChangeCell], row_means: dict[tuple[Treatment, int | None], float]) -> float:
    """The part of the variance between seeds that is not the seeds' answers to so few items, which items draws have.

    Of outcomes 0 and 1 the latter is known: Σ p(1 - p) / ((S - 1) n²), p the share of the S seeds that were right.
    """
    between = answers = 0.0
    for cell in cells:
        for seed, deviation in _deviations(cell).items():
            between += (deviation - row_means[cell.row, seed]) ** 2
        right, seeds = cell.treated_statistics[:, 0], len(cell.seeds)
        if seeds > 1 and cell.metric.is_mean and right.min() >= 0 and right.max() <= 1:
            answers += 1e4 * float(right @ (1 - right)) / ((seeds - 1) * len(right) ** 2)
    return max(0.0, 1 - answers / between) if between > 0 else 0.0
