"""Shares of variance of a grid: what is planted is found, noise is not, and what cannot be told is said."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.variance.components import CELL, NOISE, Variance, VarianceShare, variance
from crossgraft.analysis.questions.variance.noise import noise_draws
from crossgraft.core import Labels
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from other_grids import Effects, OtherGrid, as_scores


def found(matrix: TransferMatrix, labels: Labels | None = None) -> Variance:
    return variance(Draws(matrix), labels or Labels(), count=40)


def of(result: Variance, factor: str) -> VarianceShare:
    assert result.crossed is not None, result.why
    return next(one for one in result.crossed.shares if one.factor == factor)


NULL = SyntheticGrid(models=3, tasks=3, languages=4, items=200)


@pytest.fixture(scope="module")
def nulls() -> list[Variance]:
    return [found(NULL.matrix(seed)) for seed in range(5)]


def test_a_null_grid_is_noise(nulls: list[Variance]) -> None:
    """Over five grids in which nothing transfers: targets have variance as measured, and none without noise."""
    raw = [
        sum(one.raw for one in result.crossed.shares if "target" in one.factor) for result in nulls if result.crossed
    ]

    assert np.mean(raw) > 2
    assert np.mean([of(result, "target").component for result in nulls]) < 0.15
    assert np.mean([of(result, NOISE).share for result in nulls]) > 0.7


def test_what_noise_adds_is_what_varies_without_effects(nulls: list[Variance]) -> None:
    """The noise of the cells themselves, seeds and their answers counted once: raw and noise agree in a null grid."""
    cells = [of(result, CELL) for result in nulls]

    assert np.mean([one.noise for one in cells]) == pytest.approx(np.mean([one.raw for one in cells]), rel=0.15)


def test_planted_shares_are_found() -> None:
    """Sources differ by 3 pp in all models, targets by 2 in each model on its own."""
    grid = SyntheticGrid(models=4, tasks=3, languages=4, items=2000, source=3, model_target=2)
    truth = grid.truth(1).reshape(4, 12, 12)

    result = found(grid.matrix(1))

    assert of(result, "source").component == pytest.approx(truth.mean(axis=(0, 2)).var(ddof=1), rel=0.05)
    assert of(result, "model × target").component == pytest.approx(4, rel=0.4)
    assert of(result, "target").share < 0.15
    assert of(result, "model × source").share < 0.02


def test_crossed_and_nested_disagree_about_targets() -> None:
    """Row 4: the nested fit counts a target's effects in each model as the target's."""
    result = found(SyntheticGrid(models=4, tasks=3, languages=4, items=1000, target=1.5, model_target=2).matrix(2))

    assert result.nested is not None
    nested = next(one for one in result.nested.shares if one.factor == "model × target")
    assert nested.share > 1.5 * of(result, "target").share
    assert nested.component == pytest.approx(of(result, "target").raw + of(result, "model × target").raw, rel=0.35)


def test_two_models_have_an_estimate_without_an_interval_and_the_reason() -> None:
    one = of(found(SyntheticGrid(models=2, tasks=3, languages=3, items=100, source=3).matrix(1)), "model")

    assert (one.low, one.high) == (None, None)
    assert "no interval: fewer than two degrees of freedom" in one.note


def test_a_source_that_its_task_and_language_say_has_no_line_of_its_own() -> None:
    """Six sources over four tasks and three languages: nothing is left to tell them apart by."""
    result = found(OtherGrid(missing=0).draw(1).matrix)

    assert result.crossed is not None
    assert "source" not in [one.factor for one in result.crossed.shares]
    assert any(note.startswith("source has no degree of freedom") for note in result.notes)


def test_what_a_pair_does_in_all_models_is_no_cell_s() -> None:
    grid = OtherGrid(models=4, items=400, seeds=1, effects=Effects(pair=3, cell=1, tail=30))
    result = found(grid.draw(1).matrix)

    assert of(result, "source × target").component == pytest.approx(9, rel=0.4)
    assert of(result, CELL).component < 3


def test_scores_alone_have_no_intervals_and_no_noise_and_say_why() -> None:
    result = found(as_scores(OtherGrid(missing=0).draw(1)).matrix)

    assert result.crossed is not None
    assert all(one.low is None and "no interval: noise is in it" in one.note for one in result.crossed.shares)
    assert NOISE not in [one.factor for one in result.crossed.shares]
    assert any(note.startswith("without outcomes of items noise cannot") for note in result.notes)


@pytest.mark.slow
def test_shares_hold_the_planted_ones_where_noise_is_most_of_a_column() -> None:
    """60 grids: of a model and target noise is six times the planted variance, and sources are planted beside."""
    grid = OtherGrid(effects=Effects(target=1, model_source=0.7, model_target=0.7, cell=1, tail=30))
    whole = sum(grid.variances.values()) + 4.7  # noise of cells of such grids
    hits = []
    for seed in range(60):
        result = found(grid.draw(seed).matrix)
        for factor in ("model × source", "model × target"):
            one = of(result, factor)
            assert one.low is not None
            assert one.high is not None
            hits.append(one.low <= 0.49 / whole <= one.high)

    assert np.mean(hits) > 0.9


def test_shares_add_up_to_one(nulls: list[Variance]) -> None:
    for fit in (nulls[0].crossed, nulls[0].nested):
        assert fit is not None
        assert sum(one.share for one in fit.shares) == pytest.approx(1)


def test_regimes_are_fixed_effects_with_few_degrees_of_freedom() -> None:
    """Task pairs are few: what training on the same task adds is known by them, not by the thousand cells."""
    result = found(SyntheticGrid(models=3, tasks=4, languages=4, same_task=5, task_pair=1, items=1000).matrix(1))

    assert result.crossed is not None
    effect = next(one.effect for one in result.crossed.fixed if one.name == "MT-CL less CT-CL")
    assert effect.low < 5 < effect.high
    assert effect.low > 1
    assert effect.df < 20


def test_sizes_are_an_effect_where_there_are_enough_of_them() -> None:
    five = SyntheticGrid(models=5, tasks=2, languages=3, items=100)
    sizes = {f"model{n}": float(2**n) for n in range(5)}
    result = found(five.matrix(1), Labels({f"model{n}": f"family{n % 3}" for n in range(5)}, sizes))

    assert result.crossed is not None
    assert "a doubling of the model's size" in [one.name for one in result.crossed.fixed]
    assert any("families of models are no factor: 3 levels" in note for note in result.notes)


def test_the_order_of_cells_changes_nothing() -> None:
    matrix = NULL.matrix(1)
    turned = TransferMatrix(matrix.rows[::-1], matrix.columns[::-1], dict(reversed(matrix.cells.items())))
    first, second = found(matrix), found(turned)

    assert first.crossed is not None
    assert second.crossed is not None
    assert second.crossed.deviance == pytest.approx(first.crossed.deviance, abs=1e-6)


def test_noise_has_the_variance_of_the_cells() -> None:
    """Against the spread of a cell over 200 null grids: items and seeds drawn anew."""
    grid = SyntheticGrid(models=1, tasks=2, languages=2, items=100)
    matrices = [grid.matrix(seed) for seed in range(200)]

    noise = [noise_draws(Draws(matrix), list(matrix.cells.values())).var() for matrix in matrices[:5]]

    assert np.mean(noise) == pytest.approx(np.mean([matrix.change.ravel() ** 2 for matrix in matrices]), rel=0.15)


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        (SyntheticGrid(models=1, tasks=3, languages=4, items=60), "one model: no variance between"),
        (SyntheticGrid(models=3, tasks=1, languages=4, items=60), "one source task: no variance between"),
        (SyntheticGrid(models=3, tasks=4, languages=1, items=60), "one source language: no variance between"),
        (SyntheticGrid(models=3, tasks=2, languages=3, items=60, seeds=1), ""),
        (SyntheticGrid(models=2, tasks=3, languages=3, items=2, fragile=1), ""),
    ],
)
def test_grids_with_one_of_something_have_what_can_be_told(grid: SyntheticGrid, said: str) -> None:
    result = found(grid.matrix(1))

    assert result.crossed is not None
    assert not said or said in result.notes
    assert all(np.isfinite([one.share, one.component]).all() for one in result.crossed.shares)
    for one in result.crossed.shares:
        assert (one.low is None) == (one.high is None) == ("no interval" in one.note)
        if one.low is not None and one.high is not None:
            assert 0 <= one.low <= one.share <= one.high <= 1


@pytest.mark.parametrize(
    ("grid", "why"),
    [
        (SyntheticGrid(models=1, tasks=1, languages=1, items=60), "it takes 12 cells"),
        (SyntheticGrid(models=3, tasks=2, languages=2, items=60, fragile=0), "all cells changed by the same amount"),
    ],
)
def test_where_there_is_no_variance_a_sentence_says_why(grid: SyntheticGrid, why: str) -> None:
    result = found(grid.matrix(1))

    assert result.crossed is None
    assert why in result.why


def test_cells_and_rows_may_be_missing() -> None:
    matrix, rng = NULL.matrix(1), np.random.default_rng(0)
    gone = matrix.rows[:2]
    cells = {place: cell for place, cell in matrix.cells.items() if rng.random() < 0.6 and place[0] not in gone}

    result = found(TransferMatrix(matrix.rows, matrix.columns, cells))

    assert result.crossed is not None
    assert result.crossed.cells < len(cells)
