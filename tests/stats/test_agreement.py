"""Agreement of rankings against SciPy, closed forms and simulations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import friedmanchisquare, kendalltau, rankdata

from crossgraft.stats.matrices.agreement import (
    attenuated_tau,
    chance_sign_agreement,
    disattenuated,
    icc,
    kendall_w,
    mean_tau,
    null_deviation,
    pairwise_tau,
    permutation_p,
    ranks,
    shuffled,
    sign_agreement,
)


@pytest.mark.parametrize("levels", [3, 5, 1000])
def test_tau_is_scipys_with_few_and_with_many_ties(levels: int) -> None:
    tables = np.random.default_rng(levels).integers(0, levels, (4, 5, 12)).astype(float)

    ours = pairwise_tau(tables)

    for table, found in zip(tables, ours, strict=True):
        expected = [[kendalltau(a, b).statistic for b in table] for a in table]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_tau_is_over_the_things_that_both_have() -> None:
    table = np.random.default_rng(1).normal(size=(3, 9))
    table[0, 2] = table[1, 5] = np.nan

    both = ~np.isnan(table[0]) & ~np.isnan(table[1])

    expected = kendalltau(table[0, both], table[1, both]).statistic
    assert pairwise_tau(table)[0, 1] == pytest.approx(expected, abs=1e-6)


def test_a_rater_to_whom_all_is_equal_has_no_tau_and_is_left_out_of_the_mean() -> None:
    table = np.array([[1.0, 2, 3], [1.0, 2, 3], [7.0, 7, 7]])

    assert np.isnan(pairwise_tau(table)[0, 2])
    assert mean_tau(table) == pytest.approx(1)


def test_fewer_than_three_shared_things_have_no_tau() -> None:
    table = np.array([[1.0, 2, np.nan, 4], [1.0, 2, 3, np.nan]])

    assert np.isnan(mean_tau(table))


@pytest.mark.parametrize("things", [3, 10, 30])
def test_the_null_deviation_is_that_of_independent_rankings(things: int) -> None:
    """Within four Monte-Carlo errors (SD / √2N) of 2000 grids of nine raters."""
    drawn = mean_tau(np.random.default_rng(things).normal(size=(2000, 9, things)))

    expected = null_deviation(9, things)
    assert np.std(drawn) == pytest.approx(expected, abs=4 * expected / np.sqrt(4000))
    assert np.mean(drawn) == pytest.approx(0, abs=4 * expected / np.sqrt(2000))


@pytest.mark.parametrize("reliability", [1.0, 0.8, 0.5, 0.3])
def test_noise_attenuates_as_the_formula_says(reliability: float) -> None:
    """Models whose true values correlate by .7, measured with noise: 500 grids of five raters and 30 things."""
    rng = np.random.default_rng(3)
    truth = np.sqrt(0.7) * rng.normal(size=(500, 1, 30)) + np.sqrt(0.3) * rng.normal(size=(500, 5, 30))
    seen = truth + np.sqrt(1 / reliability - 1) * rng.normal(size=truth.shape)

    found = mean_tau(seen)

    assert found.mean() == pytest.approx(attenuated_tau(0.7, reliability), abs=4 * found.std() / np.sqrt(500))


@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.9])
def test_disattenuation_undoes_attenuation(rho: float) -> None:
    assert disattenuated(attenuated_tau(rho, 0.6), 0.6) == pytest.approx(rho, abs=1e-12)


def test_ranks_share_ties() -> None:
    table = np.random.default_rng(2).integers(0, 4, (3, 8)).astype(float)

    np.testing.assert_allclose(ranks(table), rankdata(table, axis=1))


def test_w_is_friedmans_statistic_scaled() -> None:
    """W = χ² / m(n − 1), ties included."""
    table = np.random.default_rng(5).integers(0, 6, (4, 7)).astype(float)

    statistic = friedmanchisquare(*table.T).statistic

    assert kendall_w(table) == pytest.approx(statistic / (4 * 6))


def test_icc_is_the_example_of_shrout_and_fleiss() -> None:
    """Six targets rated by four judges (1979, table 2): ICC(2,1) is .29."""
    rated = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]

    assert icc(np.array(rated, dtype=float).T) == pytest.approx(0.2898, abs=5e-5)


def test_nothing_that_varies_has_no_w_and_no_icc() -> None:
    assert np.isnan(kendall_w(np.ones((3, 4))))
    assert icc(np.ones((3, 4))) is None


def test_shuffling_keeps_each_raters_values_and_what_its_tables_share() -> None:
    table = np.random.default_rng(7).normal(size=(1, 3, 6)) + np.zeros((2, 1, 1))

    mixed = shuffled(table, np.random.default_rng(8))

    np.testing.assert_array_equal(np.sort(mixed), np.sort(table))
    np.testing.assert_array_equal(mixed[0], mixed[1])
    assert not np.array_equal(mixed, table)


def test_p_is_never_zero() -> None:
    assert permutation_p(9.0, np.zeros(99)) == pytest.approx(0.01)


def test_signs_agree_by_how_far_they_are_from_half_and_half() -> None:
    table = np.array([[1.0, 1, 0], [2.0, -1, 5]])

    assert sign_agreement(table).tolist() == [1, 0, 0.5]
    signs = np.random.default_rng(9).choice([-1.0, 1.0], (9, 20000))
    assert sign_agreement(signs).mean() == pytest.approx(chance_sign_agreement(9), abs=0.01)
