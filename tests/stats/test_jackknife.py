"""Intervals over clusters: closed forms, and coverage where cells of a cluster share their noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from crossgraft.stats.resampling.jackknife import jackknife, weighted_sum


def test_clusters_of_one_cell_give_students_interval() -> None:
    values = np.random.default_rng(0).normal(size=12)
    found = weighted_sum(values, np.full(12, 1 / 12), [[np.arange(12)]])

    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert found is not None
    assert found.half == pytest.approx((high - low) / 2)


def test_two_ways_add_what_each_shares() -> None:
    """A table of row effects and column effects alone: V₁ + V₂ is far above the cells' own."""
    rng = np.random.default_rng(1)
    rows, columns = (side.ravel() for side in np.indices((8, 8)))
    values = rng.normal(size=8)[rows] + rng.normal(size=8)[columns]
    weights = np.full(64, 1 / 64)

    both, one, cells = (weighted_sum(values, weights, by) for by in ([[rows, columns]], [[rows]], [[np.arange(64)]]))
    assert both is not None
    assert one is not None
    assert cells is not None
    assert both.half > one.half
    assert both.half > 2 * cells.half


def test_a_contrast_has_the_fewest_clusters_of_either_side() -> None:
    values = np.array([1.0, 2.0, 0.0, 0.5, 0.2])
    weights = np.array([0.5, 0.5, -1 / 3, -1 / 3, -1 / 3])

    found = weighted_sum(values, weights, [[np.arange(5)]])
    assert found is not None
    assert found.df == 1


@pytest.mark.parametrize("labels", [np.zeros(4, dtype=int), np.arange(4)])
def test_one_cluster_or_equal_values_tell_nothing(labels: np.ndarray) -> None:
    assert weighted_sum(np.ones(4), np.full(4, 0.25), [[labels]]) is None
    assert jackknife(np.ones(4), [[labels]], np.mean) is None


def test_leaving_one_out_of_a_mean_is_students_interval() -> None:
    values = np.random.default_rng(2).normal(size=9)
    found = jackknife(values, [[np.arange(9)]], np.mean)

    low, high = stats.t.interval(0.95, 8, values.mean(), stats.sem(values))
    assert found is not None
    assert found.half == pytest.approx((high - low) / 2)


def test_the_mean_of_clusters_is_covered_where_the_naive_interval_fails() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(8), 20)
    covered = naive = 0
    for _ in range(400):
        values = rng.normal(size=8)[labels] + rng.normal(size=160)
        weights = np.full(160, 1 / 160)
        found = weighted_sum(values, weights, [[labels]])
        assert found is not None
        covered += abs(values.mean()) < found.half
        naive += abs(values.mean()) < 1.96 * stats.sem(values)
    assert covered / 400 > 0.92
    assert naive / 400 < 0.6


def test_two_factors_cover_where_either_alone_is_too_sure() -> None:
    """Effects of eight tasks and of eight languages on 64 cells: each factor alone has half of the variance."""
    rng = np.random.default_rng(4)
    tasks, languages = (side.ravel() for side in np.indices((8, 8)))
    weights = np.full(64, 1 / 64)
    covered = {1: 0, 2: 0}
    for _ in range(300):
        values = rng.normal(size=8)[tasks] + rng.normal(size=8)[languages] + 0.1 * rng.normal(size=64)
        for count in covered:
            found = weighted_sum(values, weights, [[tasks], [languages]][:count])
            assert found is not None
            covered[count] += abs(values.mean()) < found.half

    assert covered[2] / 300 > 0.92
    assert covered[1] < covered[2]
