"""Closed-form components of complete tables: known expectations, and agreement with REML."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.errors import DataError
from crossgraft.stats.mixed.model import RESIDUAL, fit
from cubes import cube_components
from mixed_grids import Grid, grid

FACTORS = ("model", "source", "target", "model_source", "model_target", "pair")
KEYS = ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2))


def test_a_cube_has_the_components_of_reml() -> None:
    of = grid((5, 2, 4), FACTORS, seed=2)

    closed = cube_components(of.y.reshape(5, 8, 8))
    reml = fit(of.design(regimes=False), of.y).named

    assert min(float(value) for value in closed.values()) > 0
    for name, key in zip(FACTORS, KEYS, strict=True):
        assert float(closed[key]) == pytest.approx(reml[name], rel=1e-4)
    assert float(closed[0, 1, 2]) == pytest.approx(reml[RESIDUAL], rel=1e-4)


def test_the_nested_fit_is_two_way_anova_within_models() -> None:
    """Row 4, exactly: the authors' model pools what each model's own table of sources and targets has.

    Its target is γ(target) + γ(model × target) of the crossed fit, and its residual has source × target in it.
    """
    of = grid((5, 2, 4), FACTORS, seed=2)
    y, a, b = of.y.reshape(5, 8, 8), 5, 8
    nested = Grid(of.codes, of.y, of.regime, ("model", "model_source", "model_target"))
    centred = y - y.mean(axis=(1, 2), keepdims=True)
    rows, columns = centred.mean(axis=2, keepdims=True), centred.mean(axis=1, keepdims=True)
    of_rows, of_columns = (b * float((side**2).sum()) / (a * (b - 1)) for side in (rows, columns))
    left = float(((centred - rows - columns) ** 2).sum()) / (a * (b - 1) ** 2)
    of_models = b * b * float(y.mean(axis=(1, 2)).var(ddof=1))

    reml = fit(nested.design(regimes=False), nested.y).named

    assert reml[RESIDUAL] == pytest.approx(left, rel=1e-4)
    assert reml["model_source"] == pytest.approx((of_rows - left) / b, rel=1e-4)
    assert reml["model_target"] == pytest.approx((of_columns - left) / b, rel=1e-4)
    assert reml["model"] == pytest.approx((of_models - of_rows - of_columns + left) / b**2, rel=1e-4)
    crossed = cube_components(y)
    assert reml["model_target"] == pytest.approx(float(crossed[2,] + crossed[0, 2]), rel=1e-4)
    assert reml[RESIDUAL] == pytest.approx(float(crossed[1, 2] + crossed[0, 1, 2]), rel=1e-4)


def test_components_are_unbiased_also_where_one_is_zero() -> None:
    """1,500 tables without an interaction of the first two axes: its mean estimate is zero, half of them negative."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal((1500, 3, 4, 5)) + 2 * rng.standard_normal((1500, 3, 1, 1))
    y += 0.7 * rng.standard_normal((1500, 1, 4, 5))

    found = cube_components(y)

    for key, planted in {(0,): 4.0, (1,): 0.0, (0, 1): 0.0, (1, 2): 0.49, (0, 1, 2): 1.0}.items():
        assert found[key].mean() == pytest.approx(planted, abs=5 * found[key].std() / np.sqrt(1500))
    assert 0.3 < (found[0, 1] < 0).mean() < 0.7


def test_an_axis_of_one_level_has_no_effects() -> None:
    y = np.random.default_rng(0).standard_normal((1, 4, 5))

    found = cube_components(y)

    assert set(found) == {(1,), (2,), (1, 2)}
    flat = cube_components(y[0], axes=2)
    assert [found[1,], found[2,], found[1, 2]] == [flat[0,], flat[1,], flat[0, 1]]


def test_a_missing_cell_is_refused_with_what_to_do() -> None:
    y = np.zeros((2, 3, 4))
    y[0, 0, 0] = np.nan

    with pytest.raises(DataError, match="REML"):
        cube_components(y)


def test_a_table_of_one_value_has_components_of_zero() -> None:
    assert all(float(value) == 0 for value in cube_components(np.full((2, 3, 4), 1.5)).values())
