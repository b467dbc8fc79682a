"""Intervals over few units: against SciPy, and by simulation of grids with a planted truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from crossgraft.core import Floats
from crossgraft.stats.multiplicity import benjamini_hochberg
from crossgraft.stats.resampling.contrasts import Interval, jackknifed, mean_of_units


def test_the_interval_of_a_mean_is_students() -> None:
    values = np.array([1.0, 2.5, 4.0, 3.0])
    found = mean_of_units(values)
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))

    assert found is not None
    assert (found.low, found.high, found.df) == (pytest.approx(low), pytest.approx(high), 3)
    assert mean_of_units(values[:1]) is None


def contrast(table: Floats) -> float:
    """Equal pairs less unequal ones."""
    size = len(table)
    return float(np.trace(table) / size - (table.sum() - np.trace(table)) / (size * (size - 1)))


def over_tasks(table: Floats) -> Interval:
    without = [contrast(np.delete(np.delete(table, one, 0), one, 1)) for one in range(len(table))]
    found = jackknifed(contrast(table), np.array(without))
    assert found is not None
    return found


def test_the_jackknife_of_a_mean_is_students_interval() -> None:
    values = np.array([1.0, 2.5, 4.0, 3.0])
    without = np.array([np.delete(values, place).mean() for place in range(4)])

    assert jackknifed(values.mean(), without) == pytest.approx(mean_of_units(values))
    assert jackknifed(1.0, np.array([1.0])) is None


def test_effects_of_tasks_as_sources_and_targets_do_not_widen_the_interval() -> None:
    source, target = np.array([0.0, 3.0, -2.0, 1.0]), np.array([5.0, 0.0, 1.0, -4.0])

    found = over_tasks(source[:, None] + target + 2.0 * np.eye(4))

    assert found.value == pytest.approx(2.0)
    assert found.high - found.low < 1e-9


@pytest.mark.parametrize("tasks", [3, 6])
@pytest.mark.parametrize("own", [0.0, 3.0], ids=["alike", "own-task gains vary more"])
def test_the_interval_over_tasks_covers_where_own_task_gains_vary_more(tasks: int, own: float) -> None:
    """Least squares over pairs of tasks, which takes all pairs to vary alike, covers .60 to .83 there."""
    rng = np.random.default_rng(7)
    covered, grids = 0, 1000
    for _ in range(grids):
        table = rng.normal(0, 0.5, (tasks, tasks)) + rng.normal(0, 1, (tasks, 1)) + rng.normal(0, 1, tasks)
        found = over_tasks(table + np.diag(1.0 + rng.normal(0, own, tasks)))
        covered += found.low <= 1.0 <= found.high

    assert 0.93 <= covered / grids <= 0.99


def test_adjusted_p_values_are_scipys() -> None:
    p = np.random.default_rng(0).uniform(size=50) ** 2

    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p))
    assert len(benjamini_hochberg(np.array([]))) == 0


def test_false_findings_stay_few_among_cells_with_a_base_in_common() -> None:
    """Row 8: 44 columns of 44 cells that share their base's noise; seven in ten have no effect."""
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(150):
        truth = np.where(rng.uniform(size=(44, 44)) < 0.7, 0.0, rng.normal(0, 3.5, (44, 44)))
        noise = np.sqrt(0.5) * rng.normal(size=(1, 44)) + np.sqrt(0.5) * rng.normal(size=(44, 44))
        found = benjamini_hochberg(2 * stats.norm.sf(np.abs(truth + noise)).ravel()) <= 0.1
        shares.append(np.mean(truth.ravel()[found] == 0) if found.any() else 0.0)

    assert np.mean(shares) <= 0.1 + 2 * np.std(shares) / np.sqrt(len(shares))
