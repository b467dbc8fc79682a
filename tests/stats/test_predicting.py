"""Correlations of two matrices against NumPy's, and their intervals by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from crossgraft.stats.matrices.predicting import predicting


def drawn(rng: np.random.Generator, r: float, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose effects correlate by r, columns whose effects do not, and noise."""
    effects = rng.normal(size=(rows, 2)) @ np.linalg.cholesky([[1, r], [r, 1]]).T
    shape = rows, columns
    return tuple(effects[:, [side]] + 0.3 * rng.normal(size=shape) + 2 * rng.normal(size=columns) for side in (0, 1))  # type: ignore[return-value]


def test_values_are_correlations_of_means_and_of_what_lies_beyond_them() -> None:
    rng = np.random.default_rng(0)
    x, y = drawn(rng, 0.7, 9, 5)

    found = predicting(x, y, range(9), draws=200, rng=rng)

    assert found.rows.value == pytest.approx(np.corrcoef(x.mean(axis=1), y.mean(axis=1))[0, 1])
    assert found.columns.value == pytest.approx(np.corrcoef(x.mean(axis=0), y.mean(axis=0))[0, 1])
    beyond = [(one - one.mean(axis=0)).ravel() for one in (x, y)]
    assert found.within.value == pytest.approx(np.corrcoef(*beyond)[0, 1])
    assert found.ranks == pytest.approx(spearmanr(x.mean(axis=1), y.mean(axis=1)).statistic)
    assert (found.rows.units, found.within.units, found.columns.units) == (9, 9, 5)


def test_a_difference_between_columns_does_not_count_within_them() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 8, 6))
    shift = 10 * np.arange(6)

    found = predicting(x + shift, y + shift, range(8), draws=200, rng=rng)

    assert found.columns.value > 0.99
    assert abs(found.within.value) < 0.5


@pytest.mark.parametrize("r", [0.0, 0.8])
def test_intervals_hold_the_correlation_about_as_often_as_they_say(r: float) -> None:
    rng = np.random.default_rng(2)
    true = r / (1 + 0.3**2 / 5)  # noise of the means of five columns

    links = [predicting(*drawn(rng, r, 10, 5), range(10), draws=300, rng=rng).rows for _ in range(200)]

    held = np.mean([one.low <= true <= one.high for one in links])
    assert held >= 0.92


def test_rows_of_one_cluster_are_one_unit() -> None:
    rng = np.random.default_rng(3)
    x, y = drawn(rng, 0.5, 5, 6)
    twice = [np.repeat(one, 2, axis=0) for one in (x, y)]

    alone = predicting(x, y, range(5), draws=500, rng=np.random.default_rng(0)).rows
    both = predicting(*twice, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4], draws=500, rng=np.random.default_rng(0)).rows

    assert both.units == 5
    assert (both.low, both.high) == pytest.approx((alone.low, alone.high))


def test_too_few_units_have_a_value_and_no_interval() -> None:
    rng = np.random.default_rng(4)
    x, y = drawn(rng, 0.5, 5, 2)

    found = predicting(x, y, [0, 0, 1, 1, 2], draws=100, rng=rng)

    assert not np.isnan(found.rows.value)
    assert np.isnan([found.rows.low, found.columns.high]).all()
    assert np.isnan(predicting(x * 0, y, range(5), draws=100, rng=rng).rows.value)
