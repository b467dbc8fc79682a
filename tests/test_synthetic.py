"""Grids of which the truth is known are as they say."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.errors import SpecError
from crossgraft.transfer.synthetic import SyntheticGrid


def test_the_changes_are_the_planted_ones_within_their_noise() -> None:
    grid = SyntheticGrid(
        models=2, tasks=3, languages=3, items=1500, on_source=6, same_task=3, source=1, target=1, seed=0.3
    )

    error = grid.matrix(1).change - grid.truth(1)

    within = error - error.mean(axis=0)  # noise of the base moves whole columns
    assert np.abs(within).mean() < 1.2
    assert abs(error.mean()) < 1.5


def test_the_same_seed_gives_the_same_grid_and_another_one_another() -> None:
    grid = SyntheticGrid(models=1, tasks=2, languages=2, items=60, source=2)

    assert np.array_equal(grid.matrix(3).change, grid.matrix(3).change)
    assert not np.array_equal(grid.matrix(3).change, grid.matrix(4).change)


def test_a_grid_without_effects_has_none_but_columns_that_move_together() -> None:
    """The base in common: of a null grid's variance about half lies between columns."""
    changes = SyntheticGrid(models=1, tasks=4, languages=5, seeds=1, items=400).matrix(2).change

    between = changes.mean(axis=0).var(ddof=1)
    within = (changes - changes.mean(axis=0)).var(ddof=1)
    assert 0.3 < between / (between + within) < 0.7


def test_parallel_items_are_right_and_wrong_together() -> None:
    def correlation(parallel: float) -> float:
        matrix = SyntheticGrid(
            models=1, tasks=1, languages=4, seeds=1, items=800, fragile=1.0, parallel=parallel
        ).matrix(1)
        first, second = list(matrix.cells.values())[:2]
        sides = (first.treated_statistics[:, 0], second.treated_statistics[:, 0])
        return float(np.corrcoef(*sides)[0, 1])

    assert abs(correlation(0.0)) < 0.1
    assert correlation(0.8) > 0.4


def test_nonsense_is_refused() -> None:
    with pytest.raises(SpecError, match="expected at least 1 of items; got 0"):
        SyntheticGrid(items=0)
    with pytest.raises(SpecError, match="expected a share from 0 to 1 for base; got 50"):
        SyntheticGrid(base=50)
