"""What seeds add to sums of cells: by hand, and where they add nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from crossgraft.analysis.draws import Draws
from crossgraft.analysis.seeds import SeedSums
from crossgraft.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=2, tasks=2, languages=2, seeds=3, items=50, seed=2.0)
DRAWS = Draws(GRID.matrix(1))


def test_a_cell_has_the_variance_of_the_mean_of_its_seeds() -> None:
    cell = DRAWS.cells[0]

    assert SeedSums.of([(cell, 2.0)]).variance == pytest.approx(4 * np.var(cell.seed_changes, ddof=1) / 3)


def test_a_seed_moves_all_targets_of_a_treatment_together() -> None:
    first, second = DRAWS.cells[:2]
    assert first.row == second.row
    together = np.add(first.seed_changes, second.seed_changes) / 2

    assert SeedSums.of([(first, 0.5), (second, 0.5)]).variance == pytest.approx(np.var(together, ddof=1) / 3)


def test_the_seeds_of_two_treatments_have_nothing_in_common() -> None:
    first, second = (SeedSums.of([(DRAWS.cells_of(row)[0], 1.0)]) for row in list({c.row for c in DRAWS.cells})[:2])

    assert first.covariance(second) == 0
    assert first.covariance(first) == pytest.approx(first.variance)


def test_three_seeds_alone_are_judged_by_two_degrees_of_freedom() -> None:
    sums = SeedSums.of([(DRAWS.cells[0], 1.0)])

    assert sums.widening(0.0) == pytest.approx(t.ppf(0.975, 2) / norm.ppf(0.975), rel=1e-5)
    assert sums.widening(1e6 * sums.variance) == 1.0  # beside so much luck of items, nothing is left of it


def test_one_seed_adds_nothing_that_is_known() -> None:
    draws = Draws(SyntheticGrid(models=1, tasks=2, languages=2, seeds=1, items=20).matrix(1))

    assert SeedSums.of([(cell, 1.0) for cell in draws.cells]).variance == 0
