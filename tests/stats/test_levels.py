"""Intervals of levels and correlations, adjusted p-values: formulas, references, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from crossgraft.stats.cells.levels import share_level
from crossgraft.stats.matrices.correlation import rank_correlation
from crossgraft.stats.multiplicity import bonferroni, holm


def rows(values: np.ndarray) -> np.ndarray:
    return np.stack([values, np.ones_like(values)], axis=1)


def test_the_interval_of_a_share_is_agresti_and_coulls() -> None:
    found = share_level(rows(np.repeat([1.0, 0.0], [7, 23])))

    centre = 9 / 34
    half = 1.959964 * np.sqrt(centre * (1 - centre) / 34)
    assert (found.mean, found.n) == (pytest.approx(7 / 30), 30)
    assert (found.low, found.high) == (pytest.approx(centre - half, abs=1e-6), pytest.approx(centre + half, abs=1e-6))


def test_all_wrong_still_has_an_interval() -> None:
    found = share_level(rows(np.zeros(20)))

    assert (found.mean, found.low) == (0.0, 0.0)
    assert found.high > 0.1


def test_an_item_without_weight_counts_for_nothing() -> None:
    with_one = np.vstack([rows(np.array([1.0, 0.0, 1.0])), [[0.0, 0.0]]])

    assert share_level(with_one) == share_level(with_one[:3])
    assert np.isnan(share_level(with_one[3:]).mean)


def test_a_heavier_item_counts_more() -> None:
    assert share_level(np.array([[3.0, 3.0], [0.0, 1.0]])).mean == pytest.approx(0.75)


@pytest.mark.parametrize("n", [40, 400])
def test_the_interval_covers_the_true_mean_of_reciprocal_ranks(n: int) -> None:
    rng = np.random.default_rng(0)
    ranks = np.array([1, 1, 1, 2, 3, 7, 20, 100, 1000, 5000])
    truth = np.mean(1 / ranks)

    found = [share_level(rows(1 / rng.choice(ranks, size=n))) for _ in range(1000)]

    assert np.mean([one.low <= truth <= one.high for one in found]) == pytest.approx(0.95, abs=0.02)


def test_the_rank_correlation_is_scipys() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 6, size=25).astype(float)
    y = x + rng.normal(size=25)

    found = rank_correlation(np.append(x, np.nan), np.append(y, 1.0))

    assert found.n == 25
    assert found.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.low < found.value < found.high


def test_the_interval_of_a_rank_correlation_covers_it() -> None:
    rng = np.random.default_rng(2)
    rho = 6 / np.pi * np.arcsin(0.7 / 2)  # Spearman's of a normal pair that correlates with .7

    covered = []
    for _ in range(600):
        x, z = rng.normal(size=(2, 28))
        found = rank_correlation(x, 0.7 * x + np.sqrt(1 - 0.49) * z)
        covered.append(found.low <= rho <= found.high)

    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("y", [[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, np.nan, np.nan]])
def test_nothing_to_order_is_no_correlation(y: list[float]) -> None:
    assert np.isnan(rank_correlation(np.arange(4.0), np.array(y)).value)


def test_adjusted_p_values_agree_with_the_definition() -> None:
    p = np.random.default_rng(3).random(12) ** 3

    steps = np.sort(p) * np.arange(12, 0, -1)
    expected = [min(1.0, max(steps[: place + 1])) for place in range(12)]
    assert np.sort(holm(p)) == pytest.approx(expected)
    assert np.all(holm(p) <= bonferroni(p))
    assert np.all(holm(p) >= p)
