"""Sums of cells by arrays: the same numbers as one cell after another."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.intervals.joint import Sums, joint
from crossgraft.analysis.intervals.seeds import SeedSums
from crossgraft.core import Floats
from crossgraft.transfer.matrix import ChangeCell
from other_grids import Effects, OtherGrid

GRID = OtherGrid(
    models=2, tasks=2, languages=2, sources=4, items=40, passage=4, lacking=0.2, missing=0.2, effects=Effects(cell=3)
)
DRAWS = Draws(GRID.draw(1).matrix)
RNG = np.random.default_rng(0)
CELLS = [DRAWS.cells[place] for place in RNG.permutation(len(DRAWS.cells))[:9]]
WEIGHTS = RNG.normal(size=len(CELLS))
WEIGHTED = list(zip(CELLS, WEIGHTS.tolist(), strict=True))


def test_what_seeds_add_to_a_sum_is_what_each_cell_adds() -> None:
    by_array, by_cell = DRAWS.seeds(WEIGHTED), SeedSums.of(WEIGHTED, DRAWS.deviations)

    assert by_array.variance == pytest.approx(by_cell.variance, rel=1e-12)
    assert by_array.spent == pytest.approx(by_cell.spent, rel=1e-12)
    assert by_array.covariance(by_cell) == pytest.approx(by_cell.variance, rel=1e-12)


def test_the_draws_of_a_sum_are_the_sum_of_draws() -> None:
    expected = sum(weight * DRAWS.of([cell])[:, 0] for cell, weight in WEIGHTED)

    assert DRAWS.sums(WEIGHTED) == pytest.approx(expected, abs=1e-10)
    assert DRAWS.many(CELLS, WEIGHTS[None])[:, 0] == pytest.approx(expected, abs=1e-10)


def test_a_summary_of_some_draws_at_a_time_is_that_of_all_draws() -> None:
    def median(values: Floats) -> Floats:
        return np.asarray(np.median(values, axis=-1))

    drawn = median(DRAWS.of(CELLS))
    estimate = DRAWS.statistic(CELLS, median)

    shifted = DRAWS.estimate(estimate.mean, drawn - drawn.mean() + estimate.mean, [(cell, 1 / 9) for cell in CELLS])
    assert (estimate.low, estimate.high) == pytest.approx((shifted.low, shifted.high), abs=1e-9)


def test_the_least_that_items_vary_by_is_agresti_and_mins_in_each_block() -> None:
    """A treatment on a task is a block: half an item in each of four outcomes, its cells as one."""
    blocks: dict[object, list[tuple[ChangeCell, float]]] = {}
    for cell, weight in WEIGHTED:
        blocks.setdefault((cell.row, cell.target.task), []).append((cell, weight))
    shift = variance = 0.0
    for block in blocks.values():
        n = max(len(cell.items) for cell, _ in block)
        change = sum(weight * cell.change.mean for cell, weight in block)
        shift -= 2 * change / (n + 2)
        variance += (100 * sum(weight for _, weight in block) / (n + 2)) ** 2 + 2 * n * change**2 / (n + 2) ** 3

    rare = DRAWS.rare(DRAWS.places(CELLS), WEIGHTS)
    assert (rare.shift, rare.variance) == pytest.approx((shift, variance), rel=1e-12)


def test_many_sums_at_once_have_the_errors_that_each_has_alone() -> None:
    weights = np.stack([WEIGHTS, -2 * WEIGHTS])
    together = joint(Sums(tuple(CELLS), weights, np.ones_like(weights, dtype=bool)), DRAWS)
    alone = [DRAWS.contrast(list(zip(CELLS, row.tolist(), strict=True))) for row in weights]

    assert [one.error for one in together.estimates] == pytest.approx([one.error for one in alone], rel=1e-9)
    assert [one.df for one in together.estimates] == pytest.approx([one.df for one in alone], rel=1e-9)
