"""Shares of variance with their intervals, and what noise adds to each component."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.stats.cubes import cube_components
from crossgraft.stats.minque import quadratic_components
from crossgraft.stats.mixed import fit
from crossgraft.stats.scoring import Scoring
from crossgraft.stats.shares import basic_interval, drawn_components, shares
from mixed_grids import MAIN, RESIDUAL, SD, grid, lme4_grids


def test_quadratic_estimates_at_a_fit_are_that_fit() -> None:
    of = lme4_grids()["unbalanced"]
    found = fit(of.design(), of.y)

    estimates = quadratic_components(of.design(), found.likelihood.equations, of.y[None])[0]

    assert estimates == pytest.approx(found.components, rel=1e-4)


def test_in_balanced_data_they_are_the_closed_form_at_any_ratios() -> None:
    of = grid((4, 2, 3), ("model", "source", "target", "model_source", "model_target", "pair"), seed=2)
    design = of.design(regimes=False)
    equations = fit(design, of.y).likelihood.equations
    noise = np.random.default_rng(1).standard_normal((3, len(of.y)))

    closed = cube_components(noise.reshape(3, 4, 6, 6))

    keys = ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))
    assert quadratic_components(design, equations, noise) == pytest.approx(
        np.column_stack([closed[key] for key in keys]), abs=1e-9
    )


def test_noise_of_a_column_is_found_in_its_factor_and_nowhere_else() -> None:
    """What one unlucky control does to a grid: all cells of a target move together."""
    of = grid((5, 3, 4), MAIN, seed=2, keep=0.8)
    design, rng = of.design(), np.random.default_rng(0)
    luck = 0.6 * rng.standard_normal((400, 12))[:, of.codes["target"]]

    added = quadratic_components(design, fit(design, of.y).likelihood.equations, luck).mean(axis=0)

    assert added == pytest.approx([0, 0, 0.36, 0], abs=0.03)


def test_intervals_cover_the_planted_shares() -> None:
    """40 grids of six models, 60 draws each: at least 85 % of the intervals at 95 % hold the truth."""
    factors = ("model", "source", "target", "task_pair")
    planted = np.array([SD[name] ** 2 for name in factors] + [RESIDUAL**2])
    hits = []
    for seed in range(40):
        of = grid((6, 3, 3), factors, seed=seed)
        found = fit(of.design(), of.y, scoring=Scoring().once())
        drawn = drawn_components(found, 60, np.random.default_rng(seed))
        for one, truth in zip(shares(found.components, drawn), planted / planted.sum(), strict=True):
            hits.append(one.low <= truth <= one.high)

    assert 0.85 < np.mean(hits) < 0.995


def test_one_step_serves_for_a_fit_anew() -> None:
    of = lme4_grids()["30 % missing"]
    found = fit(of.design(), of.y)

    whole, step = (drawn_components(found, 80, np.random.default_rng(0), refit=refit) for refit in (True, False))

    assert step.mean(axis=0) == pytest.approx(whole.mean(axis=0), rel=0.15, abs=0.02)


def test_noise_is_taken_from_the_components_and_stands_apart() -> None:
    """Of 3, 1 and 2 noise made 1, 1.5 and less than nothing: 2, 0 and 2 are left of 6, and 2 were noise."""
    drawn = np.array([[3.0, 1.0, 2.0]] * 5)

    found = [one.value for one in shares(np.array([3.0, 1.0, 2.0]), drawn, noise=np.array([1.0, 1.5, -0.5]))]

    assert found == pytest.approx([1 / 3, 0.0, 1 / 3, 1 / 3])


def test_nothing_but_noise_is_all_noise() -> None:
    found = shares(np.array([1.0, 2.0]), np.array([[1.0, 2.0], [0.5, 1.0]]), noise=np.array([2.0, 2.0]))

    assert [one.value for one in found] == [0.0, 0.0, 1.0]


def test_a_share_of_zero_is_bounded_by_the_draws() -> None:
    found = basic_interval(0.0, np.linspace(0, 0.4, 401))

    assert (found.low, found.high) == (0.0, pytest.approx(0.39))


def test_a_basic_interval_is_the_mirror_image_of_the_draws() -> None:
    """Draws that are too high on the whole mean that the estimate is, too."""
    roots = np.linspace(0.9, 1.3, 201)

    found = basic_interval(0.5, roots**4 / (1 + roots**4))

    edges = [float((edge / (1 - edge)) ** 0.25) for edge in (found.low, found.high)]
    assert edges == pytest.approx([0.71, 1.09])


def test_a_share_whose_draws_are_often_zero_has_an_interval_that_says_something() -> None:
    found = basic_interval(0.05, np.concatenate([np.zeros(20), np.linspace(0, 0.15, 80)]))

    assert 0 < found.low < 0.05
    assert 0.15 < found.high < 0.6


def test_a_share_of_everything_stays_one() -> None:
    found = basic_interval(1.0, np.ones(50))

    assert (found.low, found.high) == (pytest.approx(1.0, abs=1e-3), 1.0)
