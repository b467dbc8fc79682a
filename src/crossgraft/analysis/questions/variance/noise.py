"""The noise of cells, drawn: what other items and other seeds would have given, for all cells together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.intervals.seeds import by_name
from crossgraft.core import Floats, Treatment
from crossgraft.transfer.changes import ChangeCell

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
    return np.asarray((items - items.mean(axis=0))[:NOISE_DRAWS] + _seeds(draws, cells, np.random.default_rng(seed)))


def _seeds(draws: Draws, cells: Sequence[ChangeCell], rng: np.random.Generator) -> Floats:
    found = np.zeros((NOISE_DRAWS, len(cells)))
    by_run: dict[Run, Floats] = {}
    for place in sorted(range(len(cells)), key=lambda place: (by_name(cells[place].row), str(cells[place].target))):
        cell = cells[place]
        for seed, deviation in draws.deviations[id(cell)].items():
            run = cell.row, seed
            if run not in by_run:
                by_run[run] = rng.standard_normal(NOISE_DRAWS)
            found[:, place] += by_run[run] * deviation
        if not cell.seed_changes and not cell.change.why:
            found[:, place] += cell.change.error * rng.standard_normal(NOISE_DRAWS)
    return found
