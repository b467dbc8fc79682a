"""Crossed variance components: against lme4, against closed forms, and in corners where fits go astray."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crossgraft.core import Floats
from crossgraft.errors import DataError
from crossgraft.stats.mixed.design import Design, Factor
from crossgraft.stats.mixed.likelihood import Likelihood
from crossgraft.stats.mixed.model import RESIDUAL, fit
from crossgraft.stats.mixed.scoring import Scoring, at
from mixed_grids import MAIN, SMALL, WITH_MODELS, Grid, codes_of, grid, lme4_grids

LME4 = json.loads((Path(__file__).parents[1] / "data" / "lme4.json").read_text())
GRIDS = lme4_grids()


@pytest.mark.parametrize("name", sorted(GRIDS))
def test_fits_are_those_of_lme4(name: str) -> None:
    stored = LME4[name]

    found = fit(GRIDS[name].design(), GRIDS[name].y)

    assert found.named == pytest.approx(stored["components"], rel=2e-4, abs=1e-6)
    assert found.deviance == pytest.approx(stored["deviance"], abs=1e-6)
    assert found.effects[-4:] == pytest.approx(stored["fixed"], abs=1e-5)
    assert np.sqrt(np.diag(found.fixed_covariance)) == pytest.approx(stored["errors"], rel=1e-3)


def direct(design: Design, y: Floats, ratios: Floats) -> float:
    """The deviance with V written out in full, σ² profiled: (n, n) matrices and no trick."""
    v = np.eye(len(y))
    for factor, ratio in zip(design.factors, ratios, strict=True):
        v += ratio * np.equal.outer(factor.codes, factor.codes)
    x, inverse = design.fixed, np.linalg.inv(v)
    information = x.T @ inverse @ x
    p = inverse - inverse @ x @ np.linalg.inv(information) @ x.T @ inverse
    df = len(y) - x.shape[1]
    determinants = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    return float(df * (1 + np.log(2 * np.pi * (y @ p @ y) / df)) + determinants)


@pytest.fixture(scope="module")
def tiny() -> Grid:
    return grid((2, 2, 2), MAIN, seed=3, keep=0.8)


def likelihood(of: Grid, ratios: list[float]) -> Likelihood:
    return at(of.design().moments(of.y), np.array(ratios))


def test_the_deviance_is_that_of_the_full_covariance(tiny: Grid) -> None:
    ratios = [0.3, 0.0, 1.7]

    assert likelihood(tiny, ratios).deviance == pytest.approx(direct(tiny.design(), tiny.y, np.array(ratios)), abs=1e-9)


def test_the_gradient_is_the_slope_of_the_deviance(tiny: Grid) -> None:
    ratios, width = np.array([0.3, 0.2, 1.7]), 1e-5

    slopes = [
        (likelihood(tiny, list(ratios + width * one)).deviance - likelihood(tiny, list(ratios - width * one)).deviance)
        / (2 * width)
        for one in np.eye(3)
    ]

    assert likelihood(tiny, list(ratios)).gradient == pytest.approx(slopes, abs=1e-6)


def test_the_information_is_the_mean_of_squared_slopes() -> None:
    """E[g gᵀ] = 4 × information about -½ deviance, over responses drawn from the model; 4,000 draws, 5 errors."""
    design, ratios, rng = grid(SMALL, MAIN, seed=3).design(), np.array([0.3, 0.2, 0.9]), np.random.default_rng(0)
    cross, draws = design.cross(), 4000
    slopes = np.empty((draws, 3))
    for n in range(draws):
        y = rng.standard_normal(len(design.fixed))
        for factor, ratio in zip(design.factors, ratios, strict=True):
            y += np.sqrt(ratio) * rng.standard_normal(factor.levels)[factor.codes]
        slopes[n] = at(design.moments(y, cross=cross), ratios).gradient

    expected = 4 * at(design.moments(y), ratios).information
    assert slopes.T @ slopes / draws == pytest.approx(expected, rel=0.15, abs=5 * expected.max() / np.sqrt(draws))


def test_zero_is_no_trap() -> None:
    """From all ratios zero, where the slope in √ratio vanishes, the fit is found all the same."""
    of = GRIDS["with models, large"]
    start = likelihood(of, [0.0] * len(of.factors))

    found = Scoring().climb(start)

    assert found.deviance < start.deviance - 100
    assert found.deviance == pytest.approx(fit(of.design(), of.y).deviance, abs=1e-6)


def test_the_lower_of_two_minima_is_found() -> None:
    """Three families of six models: the plain start ends in a minimum that is not the lowest."""
    rng = np.random.RandomState(3947)
    model, target = rng.randint(0, 6, 40), rng.randint(0, 5, 40)
    family = np.array([0, 0, 0, 1, 1, 2])[model]
    y = rng.standard_normal(40) * 0.7 + rng.standard_normal(6)[model] * 0.5
    y += rng.standard_normal(3)[family] * 0.8 + rng.standard_normal(5)[target]
    names = {"family": family, "model": model, "target": target}
    design = Design(tuple(Factor.of(name, codes.tolist()) for name, codes in names.items()), np.ones((40, 1)))

    plain, found = (fit(design, y, scoring=scoring) for scoring in (Scoring().once(), Scoring()))

    assert plain.deviance == pytest.approx(109.1138, abs=1e-4)
    assert found.deviance == pytest.approx(109.1124, abs=1e-4)
    assert found.named["family"] == 0


def test_nested_factors_take_the_interactions_for_main_effects() -> None:
    """(1|model:target) of a fit that is nested in models holds what targets have in common and what they have not."""
    of = grid((6, 3, 6), WITH_MODELS, seed=11)
    nested = Grid(of.codes, of.y, of.regime, ("model", "model_source", "model_target"))

    crossed = fit(of.design(regimes=False), of.y).named
    inside = fit(nested.design(regimes=False), nested.y).named

    both = crossed["target"] + crossed["model_target"]
    assert inside["model_target"] == pytest.approx(both, rel=0.1)
    assert crossed["model_target"] > 0.3 * inside["model_target"]
    assert inside[RESIDUAL] == pytest.approx(crossed[RESIDUAL], rel=0.02)


def test_degrees_of_freedom_are_the_textbook_s_in_a_balanced_design() -> None:
    """The mean of a groups of n has a - 1 degrees of freedom, and the standard error of the group means."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(7), 10)
    y = rng.standard_normal(70) + 2 * rng.standard_normal(7)[groups]
    design = Design((Factor.of("group", groups.tolist()),), np.ones((70, 1)))

    found = fit(design, y).contrast(np.ones(1))

    means = y.reshape(7, 10).mean(axis=1)
    assert found.df == pytest.approx(6, abs=1e-6)
    assert found.value == pytest.approx(means.mean())
    assert found.high - found.value == pytest.approx(2.446912 * means.std(ddof=1) / np.sqrt(7), rel=1e-6)


def test_rows_in_another_order_and_levels_by_another_name_change_nothing() -> None:
    of = GRIDS["30 % missing"]
    order = np.random.default_rng(0).permutation(len(of.y))
    moved = Grid({name: -codes[order] for name, codes in of.codes.items()}, of.y[order], of.regime[order], of.factors)

    assert fit(moved.design(), moved.y).components == pytest.approx(fit(of.design(), of.y).components, abs=1e-9)


def test_shifts_move_the_mean_and_scales_the_variances() -> None:
    of = GRIDS["main, small"]
    plain, moved = (fit(of.design(), y) for y in (of.y, 1e4 + 3 * of.y))

    assert moved.components == pytest.approx(9 * plain.components, rel=1e-6)
    assert moved.effects[-4] == pytest.approx(1e4 + 3 * plain.effects[-4])


def test_predictions_are_shrunk_means_in_a_balanced_design() -> None:
    """b̂ = γ / (γ + σ²/n) × (group mean - mean)."""
    groups = np.repeat(np.arange(5), 4)
    y = np.random.default_rng(1).standard_normal(20) + 2 * np.arange(5)[groups]
    found = fit(Design((Factor.of("group", groups.tolist()),), np.ones((20, 1))), y)

    means = y.reshape(5, 4).mean(axis=1)
    ratio = found.named["group"] / (found.named["group"] + found.named[RESIDUAL] / 4)
    assert found.effects[:5] == pytest.approx(ratio * (means - means.mean()))


def test_a_weight_of_two_is_two_rows() -> None:
    """Of the same value: the ratios of a weighted fit are those of the repeated rows, with ν of the latter."""
    of = grid(SMALL, MAIN, seed=5)
    design = of.design()
    twice = np.arange(len(of.y)) % 3 == 0
    rows = np.concatenate([np.arange(len(of.y)), np.flatnonzero(twice)])
    repeated = Design(
        tuple(Factor(f.name, f.codes[rows], f.levels) for f in design.factors), design.fixed[rows], design.names
    )
    weights = 1.0 + twice
    assert design.cross(weights) == pytest.approx(repeated.cross())
    assert design.with_response(of.y, weights) == pytest.approx(repeated.with_response(of.y[rows]))


def test_responses_without_variance_are_refused_with_a_sentence() -> None:
    design = grid(SMALL, MAIN, seed=5).design()

    with pytest.raises(DataError, match="no variance to part"):
        fit(design, np.full(len(design.fixed), 3.7))


def test_a_missing_response_is_refused_with_a_sentence() -> None:
    of = grid(SMALL, MAIN, seed=5)

    with pytest.raises(DataError, match="got 1 that are not"):
        fit(of.design(), np.where(np.arange(len(of.y)) == 3, np.nan, of.y))


def test_fixed_effects_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(DataError, match="cannot tell the 2 fixed effects apart"):
        Design((), np.ones((5, 2)), ("one", "two"))


def test_a_response_without_residual_is_all_its_factor_s() -> None:
    codes = codes_of(*SMALL)
    design = Design((Factor.of("source", codes["source"].tolist()),), np.ones((len(codes["source"]), 1)))

    found = fit(design, codes["source"].astype(float))

    assert found.named["source"] > 1e5 * found.named[RESIDUAL]
