"""Intervals over few units: against SciPy, and by simulation of grids with a planted truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from crossgraft.core import Floats
from crossgraft.stats.contrasts import mean_of_units, pair_contrast
from crossgraft.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli


def all_pairs(count: int) -> np.ndarray:
    return np.array([[s, t] for s in range(count) for t in range(count)])


def test_the_interval_of_a_mean_is_students() -> None:
    values = np.array([1.0, 2.5, 4.0, 3.0])
    found = mean_of_units(values)
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))

    assert found is not None
    assert (found.low, found.high, found.df) == (pytest.approx(low), pytest.approx(high), 3)
    assert mean_of_units(values[:1]) is None


def test_the_contrast_of_a_full_grid_is_the_difference_of_means() -> None:
    rng = np.random.default_rng(0)
    pairs, values = all_pairs(4), rng.normal(size=16)
    equal = pairs[:, 0] == pairs[:, 1]

    found = pair_contrast(pairs, values)

    assert found is not None
    assert found.value == pytest.approx(values[equal].mean() - values[~equal].mean())
    assert found.df == 16 - 8


def test_effects_of_tasks_as_sources_and_targets_are_no_contrast() -> None:
    pairs = all_pairs(4)
    source, target = np.array([0.0, 3.0, -2.0, 1.0]), np.array([5.0, 0.0, 1.0, -4.0])

    found = pair_contrast(pairs, source[pairs[:, 0]] + target[pairs[:, 1]] + 2.0 * (pairs[:, 0] == pairs[:, 1]))

    assert found is not None
    assert found.value == pytest.approx(2.0)
    assert found.high - found.low < 1e-9


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_tasks_leave_nothing_to_judge_by(count: int) -> None:
    assert pair_contrast(all_pairs(count), np.arange(count**2, dtype=float)) is None


def test_a_contrast_survives_missing_pairs() -> None:
    pairs = np.delete(all_pairs(4), [3, 9], axis=0)
    found = pair_contrast(pairs, np.random.default_rng(1).normal(size=14))

    assert found is not None
    assert found.df == 6


def simulated(rng: np.random.Generator, tasks: int = 4, languages: int = 6, models: int = 4) -> tuple[Floats, Floats]:
    """Changes (models, source task and language, target task and language) with luck at every level; truth 1 pp."""
    shape = (models, tasks, languages, tasks, languages)
    effect = rng.normal(0, 0.35, (1, tasks, 1, 1, 1)) + rng.normal(0, 1.2, (1, 1, 1, tasks, 1))
    effect = (
        effect + rng.normal(0, 0.45, (1, tasks, 1, tasks, 1)) + rng.normal(0, 0.15, (1, 1, languages, 1, languages))
    )
    effect = effect + rng.normal(0, 0.6, (models, 1, 1, tasks, languages)) + rng.normal(0, 1.0, shape)
    equal = np.eye(tasks)[None, :, None, :, None]
    return effect + equal, np.broadcast_to(equal == 1, shape)


def test_the_contrast_over_task_pairs_covers_and_the_naive_one_does_not() -> None:
    """Row 12 of the plan of tests: at least .90, where cells as independent units cover hardly ever."""
    rng = np.random.default_rng(7)
    grids, covered, naive = 400, 0, 0
    for _ in range(grids):
        changes, equal = simulated(rng)
        found = pair_contrast(all_pairs(4), changes.mean(axis=(0, 2, 4)).reshape(-1))
        assert found is not None
        covered += found.low <= 1.0 <= found.high
        on, off = changes[equal], changes[~equal]
        half = 1.96 * np.sqrt(on.var() / on.size + off.var() / off.size)
        naive += abs(on.mean() - off.mean() - 1.0) <= half

    assert covered / grids >= 0.90
    assert naive / grids < 0.50


def test_adjusted_p_values_are_scipys() -> None:
    p = np.random.default_rng(0).uniform(size=50) ** 2

    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p))
    np.testing.assert_allclose(benjamini_yekutieli(p), stats.false_discovery_control(p, method="by"))
    assert len(benjamini_hochberg(np.array([]))) == len(benjamini_yekutieli(np.array([]))) == 0


def test_false_findings_stay_few_among_cells_with_a_base_in_common() -> None:
    """Row 8: 44 columns of 44 cells that share their base's luck; seven in ten have no effect."""
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(150):
        truth = np.where(rng.uniform(size=(44, 44)) < 0.7, 0.0, rng.normal(0, 3.5, (44, 44)))
        luck = np.sqrt(0.5) * rng.normal(size=(1, 44)) + np.sqrt(0.5) * rng.normal(size=(44, 44))
        found = benjamini_hochberg(2 * stats.norm.sf(np.abs(truth + luck)).ravel()) <= 0.1
        shares.append(np.mean(truth.ravel()[found] == 0) if found.any() else 0.0)

    assert np.mean(shares) <= 0.1 + 2 * np.std(shares) / np.sqrt(len(shares))
