"""Draws of every cell: nearer to the truth than what was measured, and honest about the rest."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.analysis.external.scores import ScoreRow, matrix_of_scores
from crossgraft.analysis.questions.variance.posterior import Posterior, posterior
from crossgraft.core import Floats, Treatment
from crossgraft.errors import DataError
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from outcomes import BASE, answers, matrix_of, measured

GRID = SyntheticGrid(models=3, tasks=3, languages=4, items=300, source=1, same_task=2, target_task=1, model_target=1)

SMALL = SyntheticGrid(models=2, tasks=2, languages=3, items=60, source=2)


def found(matrix: TransferMatrix) -> Posterior:
    return posterior(matrix, count=200)


def test_its_mean_is_nearer_to_the_truth_and_its_intervals_hold_it() -> None:
    inside, raw, shrunk = [], [], []
    for seed in range(4):
        matrix, truth = GRID.matrix(seed), GRID.truth(seed)
        result = found(matrix)
        low, high = np.quantile(result.draws, [0.025, 0.975], axis=0)
        inside.append(np.mean((low <= truth) & (truth <= high)))
        raw.append(np.std(matrix.change - truth))
        shrunk.append(np.std(result.mean - truth))

    assert np.mean(inside) == pytest.approx(0.95, abs=0.04)
    assert np.mean(shrunk) < 0.7 * np.mean(raw)


def test_the_truth_is_anywhere_among_the_draws() -> None:
    """Ranks of the truth are roughly uniform (Talts et al., 2018): a fifth of them in every fifth of the draws.

    Cells of a column stand or fall together, so that ten grids leave a standard error of .035 in the outer fifths. Draws that were
    half as wide as they should be would have .33 in each of these.
    """
    grid = SyntheticGrid(
        models=2, tasks=3, languages=3, items=200, source=1, target=1, task_pair=1, model_target=1, cell=1
    )

    ranks = [(found(grid.matrix(seed)).draws < grid.truth(seed)).mean(axis=0) for seed in range(100, 110)]

    share = np.histogram(ranks, bins=5, range=(0, 1))[0] / np.size(ranks)
    assert share == pytest.approx(np.full(5, 0.2), abs=0.08)


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


def test_cells_of_a_task_that_was_never_measured_on_its_own_source_are_predicted() -> None:
    matrix = GRID.matrix(1)
    last = [row for row in matrix.rows if row.source and row.source.task == "task2"]
    some = {place: cell for place, cell in matrix.cells.items() if not (place[0] in last and cell.regime == "MT-ML")}

    result = found(TransferMatrix(matrix.rows, matrix.columns, some))

    assert result.measured.sum() == len(some)
    assert np.isfinite(result.draws).all()


def test_of_the_whole_matrix_rows_and_targets_without_a_cell_are_predicted_too() -> None:
    matrix, truth = GRID.matrix(1), GRID.truth(1)
    kept = {place: cell for place, cell in matrix.cells.items() if place[0].model != "model2"}

    result = posterior(TransferMatrix(matrix.rows, matrix.columns, kept), count=200, whole=True)

    assert result.rows == matrix.rows
    unseen = ~result.measured
    assert unseen.sum() == 144
    assert np.corrcoef(result.mean[unseen], truth[unseen])[0, 1] > 0.4
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


def test_a_cell_of_a_row_that_is_not_there_is_refused_with_a_sentence() -> None:
    matrix = SMALL.matrix(1)
    result = found(TransferMatrix(matrix.rows[1:], matrix.columns, matrix.cells))

    with pytest.raises(DataError, match="has no cell of model0: task0/ar on task0/bn"):
        result.of(matrix.rows[0], matrix.columns[1])


def scores_of(truth: Floats, items: int) -> TransferMatrix:
    """Means over three seeds with a noise of 1 pp per seed; so many items that theirs adds nothing, or an unknown number."""
    rows, noise = GRID.rows(0), np.random.default_rng(0).normal(0, 1 / np.sqrt(3), truth.shape)
    return matrix_of_scores(
        ScoreRow(0, row.model, row.source, target, 0.5, 0.5 + (truth + noise)[s, t] / 100, sd=1.0, seeds=3, items=items)
        for s, row in enumerate(rows)
        for t, target in enumerate(GRID.points)
        if row.source is not None
    )


def test_scores_without_items_are_shrunk_by_the_noise_of_their_seeds() -> None:
    truth = GRID.truth(1)[:12]
    matrix = scores_of(truth, 10**6)

    result = found(matrix)

    low, high = np.quantile(result.draws, [0.025, 0.975], axis=0)
    assert np.mean((low <= truth) & (truth <= high)) > 0.88
    assert np.std(result.mean - truth) < 0.8 * np.std(matrix.change - truth)


def test_scores_whose_noise_nothing_tells_are_refused_with_a_sentence() -> None:
    with pytest.raises(DataError, match="nothing tells the noise of any cell"):
        found(scores_of(GRID.truth(1)[:12], 0))


def test_the_same_seed_gives_the_same_draws() -> None:
    matrix = SMALL.matrix(1)

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


def test_treatments_on_one_target_are_drawn_towards_their_mean() -> None:
    """No factor is left that could be told from the cells."""
    rights = {"a": [1] * 20 + [0] * 10, "b": [1] * 12 + [0] * 18, "c": [0] * 30}
    pairs = [measured(BASE, answers([1] * 10 + [0] * 20))]
    pairs += [measured(Treatment("m", name, "given"), answers(right)) for name, right in rights.items()]
    matrix = matrix_of(*pairs)

    result = found(matrix)

    raw, shrunk = matrix.change[:, 0], result.mean[:, 0]
    assert list(np.argsort(shrunk)) == list(np.argsort(raw))
    assert np.ptp(shrunk) < np.ptp(raw)
