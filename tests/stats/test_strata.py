"""Sums of squares in sequence: those of a balanced table, and the components that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.stats.mixed.strata import Strata
from cubes import cube_components
from mixed_grids import grid, lme4_grids


def test_in_balanced_data_components_are_the_closed_form() -> None:
    of = grid((4, 2, 3), ("model", "source", "target", "model_source", "model_target", "pair"), seed=2)
    strata = Strata.of(of.design(regimes=False))
    y = np.random.default_rng(1).standard_normal((3, len(of.y)))

    found = np.linalg.solve(strata.expected, strata.squares(y).T).T

    closed = cube_components(y.reshape(3, 4, 6, 6))
    keys = ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))
    assert found == pytest.approx(np.column_stack([closed[key] for key in keys]), abs=1e-9)
    assert strata.df == (3, 5, 5, 15, 15, 25, 75)


def test_strata_leave_what_least_squares_leaves() -> None:
    of = lme4_grids()["30 % missing"]
    design = of.design()
    columns = np.hstack([design.fixed, *(np.eye(one.levels)[one.codes] for one in design.factors)])

    left = Strata.of(design).residual(of.y)

    assert left == pytest.approx(of.y - columns @ np.linalg.lstsq(columns, of.y, rcond=None)[0], abs=1e-8)


def test_the_order_of_factors_is_by_levels_and_not_by_place() -> None:
    """What is nested in a factor comes after it, wherever it stands; then it has no negative degrees of freedom."""
    of = lme4_grids()["unbalanced"]
    design = of.design()
    turned = type(design)(design.factors[::-1], design.fixed, design.names)

    first, second = Strata.of(design), Strata.of(turned)

    assert second.df == (*first.df[-2::-1], first.df[-1])
