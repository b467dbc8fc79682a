"""Shares of variance with their intervals, and what noise adds to each component."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft.core import Floats
from crossgraft.stats.mixed.design import Factor
from crossgraft.stats.mixed.minque import quadratic_components
from crossgraft.stats.mixed.model import fit
from crossgraft.stats.mixed.shares import Shares, _ends, parts
from crossgraft.stats.mixed.strata import Strata
from cubes import cube_components
from mixed_grids import MAIN, RESIDUAL, SD, Grid, grid, lme4_grids


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
    noise = 0.6 * rng.standard_normal((400, 12))[:, of.codes["target"]]

    added = quadratic_components(design, fit(design, of.y).likelihood.equations, noise).mean(axis=0)

    assert added == pytest.approx([0, 0, 0.36, 0], abs=0.03)


def intervals(of: Grid, noise: Floats | None = None, draws: int = 200) -> list[tuple[float, float] | None]:
    strata, pairs = Strata.of(of.design()), Factor.of("pair", range(len(of.y)))
    return Shares.of(strata, of.y, noise, pairs, draws=draws, rng=np.random.default_rng(0)).intervals()


def test_intervals_cover_the_planted_shares() -> None:
    """40 grids of six models: at least 90 % of the intervals at 95 % hold the truth."""
    factors = ("model", "source", "target", "task_pair")
    planted = np.array([SD[name] ** 2 for name in factors] + [RESIDUAL**2])
    hits = []
    for seed in range(40):
        ends = intervals(grid((6, 3, 3), factors, seed=seed))[:-1]
        hits += [low <= truth <= high for (low, high), truth in zip(ends, planted / planted.sum(), strict=True)]

    assert 0.9 < np.mean(hits) < 0.995


def test_intervals_of_noisy_grids_cover_the_shares_of_what_is_not_noise() -> None:
    """Noise in common to the cells of a model and target, three times the target's own variance."""
    rng, hits = np.random.default_rng(0), []
    for seed in range(40):
        of = grid((2, 3, 3), ("source", "target", "model_target"), seed=seed, sd={**SD, "model_target": 0.5})
        codes, levels = of.codes["model_target"], int(of.codes["model_target"].max()) + 1
        noise = 0.9 * rng.standard_normal((200, levels))[:, codes]
        of = replace(of, y=of.y + 0.9 * rng.standard_normal(levels)[codes])
        low, high = intervals(of, noise)[2] or (1.0, 0.0)
        variances = [SD["source"] ** 2, SD["target"] ** 2, 0.25, RESIDUAL**2, 0.81]
        hits.append(low <= 0.25 / sum(variances) <= high)

    assert np.mean(hits) >= 0.875  # 3 standard errors below .95 would be .85


def test_one_degree_of_freedom_has_no_interval() -> None:
    found = intervals(grid((2, 3, 3), ("model", "source", "target"), seed=1))

    assert found[0] is None
    assert found[1] is not None


def test_a_grid_with_less_than_its_noise_is_no_proof_of_nothing() -> None:
    """The share at which the estimate is below 2.5 % of the draws is sought for an estimate of zero."""
    drawn = np.linspace(0.1, 1, 50) * np.linspace(0, 1, 20)[:, None]

    shares = np.linspace(0, 1, 20)

    assert _ends(shares, drawn, -5.0)[1] == _ends(shares, drawn, 0.0)[1]


def test_noise_is_taken_from_the_components_and_stands_apart() -> None:
    """Of 3, 1 and 2 noise made 1, 1.5 and less than nothing: 2, 0 and 2 are left of 6, and 2 were noise."""
    found = parts(np.array([3.0, 1.0, 2.0]), noise=np.array([1.0, 1.5, -0.5]))

    assert found == pytest.approx([1 / 3, 0.0, 1 / 3, 1 / 3])


def test_nothing_but_noise_is_all_noise() -> None:
    assert parts(np.array([1.0, 2.0]), noise=np.array([2.0, 2.0])) == [0.0, 0.0, 1.0]
