"""Draws of every cell: nearer to the truth than what was measured, and honest about the rest."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.analysis.draws import Draws
from crossgraft.analysis.posterior import Posterior, posterior
from crossgraft.errors import DataError
from crossgraft.matrix import TransferMatrix
from crossgraft.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=3, tasks=3, languages=4, items=300, source=1, same_task=2, target_task=1, model_target=1)


def found(matrix: TransferMatrix) -> Posterior:
    return posterior(matrix, Draws(matrix), count=200)


def test_its_mean_is_nearer_to_the_truth_and_its_intervals_hold_it() -> None:
    inside, raw, shrunk = [], [], []
    for seed in range(4):
        matrix, truth = GRID.matrix(seed), GRID.truth(seed)
        result = found(matrix)
        low, high = np.quantile(result.draws, [0.025, 0.975], axis=0)
        inside.append(np.mean((low <= truth) & (truth <= high)))
        raw.append(np.std(matrix.change - truth))
        shrunk.append(np.std(result.mean - truth))

    assert np.mean(inside) > 0.88
    assert np.mean(shrunk) < 0.7 * np.mean(raw)


def test_cells_that_were_not_measured_are_predicted() -> None:
    matrix, truth = GRID.matrix(1), GRID.truth(1)
    rng = np.random.default_rng(0)
    some = {place: cell for place, cell in matrix.cells.items() if rng.random() < 0.5}

    result = found(TransferMatrix(matrix.rows, matrix.columns, some))

    assert result.draws.shape == (200, *truth.shape)
    assert 0.4 < result.measured.mean() < 0.6
    assert np.isfinite(result.draws).all()
    unseen = ~result.measured
    assert np.corrcoef(result.mean[unseen], truth[unseen])[0, 1] > 0.5
    assert result.deviation[unseen].mean() > result.deviation[~unseen].mean()


def test_a_null_grid_has_no_sure_gain() -> None:
    """No cell's sign is sure: in five null grids hardly a cell is above zero with a probability of .975."""
    null = SyntheticGrid(models=3, tasks=3, languages=3, items=200)
    sure = [float((found(null.matrix(seed)).above(0) > 0.975).mean()) for seed in range(5)]

    assert np.mean(sure) < 0.025


def test_probabilities_are_of_the_draws() -> None:
    result = found(GRID.matrix(1))
    row, column = result.rows[3], result.columns[2]

    draws = result.of(row, column)

    assert result.above(0.0)[3, 2] == np.mean(draws > 0)
    assert result.below(-1.0)[3, 2] == np.mean(draws < -1)


def test_the_same_seed_gives_the_same_draws() -> None:
    matrix = GRID.matrix(1)

    assert np.array_equal(found(matrix).draws, found(matrix).draws)


@pytest.mark.parametrize(
    "grid",
    [
        SyntheticGrid(models=1, tasks=2, languages=3, items=60, source=2),
        SyntheticGrid(models=3, tasks=1, languages=3, items=60, seeds=1, source=2),
        SyntheticGrid(models=2, tasks=3, languages=1, items=60, source=2),
        SyntheticGrid(models=2, tasks=2, languages=2, items=2, fragile=1),
    ],
)
def test_grids_with_one_of_something_have_draws(grid: SyntheticGrid) -> None:
    assert np.isfinite(found(grid.matrix(1)).draws).all()


@pytest.mark.parametrize(
    ("grid", "why"),
    [
        (SyntheticGrid(models=1, tasks=1, languages=1, items=60), "cannot tell"),
        (SyntheticGrid(models=2, tasks=2, languages=2, items=60, fragile=0), "no variance"),
    ],
)
def test_where_there_is_nothing_to_predict_from_a_sentence_says_so(grid: SyntheticGrid, why: str) -> None:
    with pytest.raises(DataError, match=why):
        found(grid.matrix(1))


def test_an_empty_matrix_is_refused_with_a_sentence() -> None:
    with pytest.raises(DataError, match="no cell has a change"):
        found(TransferMatrix((), (), {}))
