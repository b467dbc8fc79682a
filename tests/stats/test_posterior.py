"""Known noise and posterior draws: what is shrunk to what, and whether the intervals hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from crossgraft.core import Floats
from crossgraft.errors import DataError
from crossgraft.stats.mixed.design import Design, Factor
from crossgraft.stats.mixed.known_noise import Noise, NoisyFit, fit_known_noise
from crossgraft.stats.mixed.model import RESIDUAL, fit
from crossgraft.stats.mixed.posterior import NOT_MEASURED, posterior_draws
from mixed_grids import MAIN, Grid, grid, lme4_grids


def noise_of(of: Grid, variance: Floats, groups: npt.NDArray[np.integer] | None = None) -> Noise:
    return Noise(variance, np.zeros(len(of.y), dtype=int) if groups is None else groups)


def test_equal_noise_is_a_part_of_the_residual() -> None:
    of = lme4_grids()["unbalanced"]
    plain = fit(of.design(), of.y)

    found = fit_known_noise(of.design(), of.y, noise_of(of, np.full(len(of.y), 0.5)))

    assert found.cells[0] + 0.5 == pytest.approx(plain.named[RESIDUAL], rel=1e-4)
    assert found.components == pytest.approx(plain.components[:-1], rel=1e-3)
    assert found.fit.deviance == pytest.approx(plain.deviance, abs=1e-5)


def test_unequal_noise_is_told_from_what_cells_differ_by() -> None:
    """Rows of one half have nine times the noise; ρ is 0.4 in one task and 2 in the other, all found at once."""
    of = grid((5, 2, 10), MAIN, seed=4)
    rng = np.random.default_rng(0)
    variance = np.where(of.codes["target_lang"] % 2, 0.1, 0.9)
    groups = of.codes["target_task"]
    own = np.array([0.4, 2.0])[groups]
    y = of.y * 0 + rng.standard_normal(len(of.y)) * np.sqrt(variance + own)
    y += 0.8 * rng.standard_normal(20)[of.codes["source"]]

    found = fit_known_noise(of.design(), y, noise_of(of, variance, groups))

    assert found.cells == pytest.approx([0.4, 2.0], rel=0.15)
    assert found.components[1] == pytest.approx(0.64, rel=0.6)


def test_the_fit_is_a_minimum_of_the_deviance_in_the_cells_variances() -> None:
    of = grid((4, 2, 3), MAIN, seed=6)
    variance = np.random.default_rng(0).uniform(0.05, 1.5, len(of.y))
    noise = noise_of(of, variance, of.codes["target_task"])

    found = fit_known_noise(of.design(), of.y, noise)

    for group in (0, 1):
        for factor in (0.97, 1.03):
            cells = found.cells.copy()
            cells[group] *= factor
            moments = of.design().moments(
                of.y - of.design().fixed @ found.fit.centre, 1 / (cells[noise.groups] + variance)
            )
            assert replace(found.fit.likelihood, moments=moments).deviance < np.inf
            equations = replace(found.fit.likelihood.equations, cross=moments.cross)
            moved = replace(found.fit.likelihood, moments=moments, equations=equations)
            assert moved.deviance > found.fit.deviance - 1e-7


def test_noise_of_nothing_is_refused() -> None:
    of = grid((3, 2, 2), MAIN, seed=1)

    with pytest.raises(DataError, match="above zero"):
        fit_known_noise(of.design(), of.y, noise_of(of, np.zeros(len(of.y))))


def posterior(found: NoisyFit, keep: npt.NDArray[np.bool_], whole: Design, draws: int) -> Floats:
    """Of all cells of the whole design, of which ``keep`` were measured."""
    rows = np.where(keep, np.cumsum(keep) - 1, NOT_MEASURED)
    groups = np.zeros(len(keep), dtype=int)
    return posterior_draws(found, whole, rows, groups, draws=draws, rng=np.random.default_rng(1))


def test_intervals_hold_for_measured_and_for_unmeasured_cells() -> None:
    """Ten grids of which 60 % are observed, with noise: 95 % intervals hold about 95 % of the truths of each kind."""
    inside: dict[bool, list[bool]] = {True: [], False: []}
    errors = []
    for seed in range(10):
        of = grid((5, 3, 4), (*MAIN, "model_target"), seed=seed)
        whole, rng = of.design(), np.random.default_rng(seed)
        keep = rng.random(len(of.y)) < 0.6
        variance = rng.uniform(0.3, 3.0, keep.sum())
        y = of.y[keep] + rng.standard_normal(keep.sum()) * np.sqrt(variance)
        factors = tuple(Factor(one.name, one.codes[keep], one.levels) for one in whole.factors)
        found = fit_known_noise(
            Design(factors, whole.fixed[keep], whole.names), y, Noise(variance, np.zeros(len(y), dtype=int))
        )

        draws = posterior(found, keep, whole, 200)

        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        for kind in (True, False):
            inside[kind] += ((low <= of.y) & (of.y <= high))[keep == kind].tolist()
        errors.append(np.std((draws.mean(axis=0) - of.y)[keep]) / np.std(y - of.y[keep]))

    assert np.mean(inside[True]) == pytest.approx(0.95, abs=0.03)
    assert np.mean(inside[False]) == pytest.approx(0.95, abs=0.03)
    assert np.mean(errors) < 0.8


def test_a_cell_without_noise_keeps_its_value_and_one_of_nothing_else_its_prediction() -> None:
    of = grid((4, 2, 3), MAIN, seed=6)
    variance = np.ones(len(of.y))
    variance[0], variance[1] = 1e-9, 1e9
    found = fit_known_noise(of.design(), of.y, noise_of(of, variance))

    draws = posterior(found, np.ones(len(of.y), dtype=bool), of.design(), 2000)

    assert draws[:, 0].mean() == pytest.approx(of.y[0], abs=1e-3)
    predicted = of.design().predict(found.fit.effects)[1]
    assert draws[:, 1].mean() == pytest.approx(predicted, abs=0.3 * draws[:, 1].std())


def test_luck_that_rows_have_in_common_is_no_effect_of_theirs() -> None:
    """An unlucky control moves a column by 3; with its noise known, hardly anything of it is believed."""
    of = grid((1, 3, 4), ("source", "target"), seed=3, sd={"target": 0.2})
    rng = np.random.default_rng(2)
    noise = rng.standard_normal(12) * 3
    y = of.y + noise[of.codes["target"]]
    known = np.concatenate([np.zeros(12), np.full(12, 9.0)])
    noise = Noise(np.full(len(y), 0.1), np.zeros(len(y), dtype=int))
    plain, aware = (fit_known_noise(of.design(), y, replace(noise, levels=levels)) for levels in (None, known))

    every = np.ones(len(y), dtype=bool)
    errors = [np.std(posterior(found, every, of.design(), 300).mean(axis=0) - of.y) for found in (plain, aware)]

    assert errors[1] < 0.35 * errors[0]
    assert aware.components[1] < 0.2 * plain.components[1]
