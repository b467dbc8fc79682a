"""What seeds add to sums of cells: by hand, where they add nothing, and that single answers do not count twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.intervals.estimate import Weighted
from crossgraft.analysis.intervals.seeds import SeedSums
from crossgraft.analysis.questions.effects.contrast import contrasts
from crossgraft.core import Labels, Point, Treatment
from crossgraft.metrics import METRICS
from crossgraft.transfer.changes import Measured, change_cells
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

ALWAYS = SyntheticGrid(models=2, tasks=2, languages=2, seeds=3, items=50, fragile=1.0, seed=20.0)
DRAWS = Draws(ALWAYS.matrix(1))
CELLS = [DRAWS.cells_of(row) for row in dict.fromkeys(cell.row for cell in DRAWS.cells)]
BY_HAND = {id(cell): dict(zip((1, 2, 3), (1.0, -2.0, 1.0), strict=True)) for cell in DRAWS.cells}


def raw_variance(weighted: Weighted) -> float:
    """Between the seeds of one treatment, over their number."""
    sums = sum(weight * np.array(cell.seed_changes) for cell, weight in weighted)
    return float(np.var(sums, ddof=1)) / 3


def test_the_squares_of_a_sum_of_deviations_are_its_variance() -> None:
    assert SeedSums.of([(CELLS[0][0], 0.5), (CELLS[0][1], 0.5)], BY_HAND).variance == pytest.approx(6)


def test_the_seeds_of_two_treatments_have_nothing_in_common() -> None:
    first, second = (SeedSums.of([(cells[0], 1.0)], BY_HAND) for cells in CELLS[:2])

    assert first.covariance(second) == 0
    assert first.covariance(first) == first.variance


def test_three_seeds_alone_are_judged_by_two_degrees_of_freedom() -> None:
    weighted = [(CELLS[0][0], 1.0)]
    sums = SeedSums.of(weighted, BY_HAND)
    between, places = (sums.variance, sums.spent), DRAWS.places([CELLS[0][0]])

    assert DRAWS.noise(0.0, between, places) == pytest.approx((np.sqrt(sums.variance), 2))
    assert DRAWS.noise(1e6, between, places)[1] == np.inf  # beside so much noise of items, nothing is left of it


def test_one_seed_adds_nothing_that_is_known() -> None:
    draws = Draws(replace(ALWAYS, seeds=1).matrix(1))

    assert draws.seeds([(cell, 1.0) for cell in draws.cells]).variance == 0


def test_seeds_that_differ_by_far_more_than_single_answers_keep_nearly_all_their_variance() -> None:
    weighted = [(cell, 1 / len(CELLS[0])) for cell in CELLS[0]]

    assert 0.8 * raw_variance(weighted) < DRAWS.seeds(weighted).variance <= raw_variance(weighted)


def test_the_luck_of_single_answers_is_no_luck_of_training() -> None:
    """No seed does anything: what seeds differ by is what draws of items have already."""
    draws = Draws(replace(ALWAYS, tasks=3, languages=3, items=100, parallel=0.0, fragile=0.25, seed=0.0).matrix(1))
    cells = [[(cell, 1.0)] for cell in draws.cells]

    kept, raw = (sum(map(variance, cells)) for variance in (lambda one: draws.seeds(one).variance, raw_variance))
    assert kept < 0.1 * raw


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0.0, 1.0])
def test_a_contrast_in_which_the_base_cancels_is_covered_as_often_as_it_says(seed: float) -> None:
    """Of 200 null grids; counting single answers twice makes it 99 %."""
    grid = SyntheticGrid(models=1, tasks=3, languages=3, seeds=3, items=100, seed=seed)
    found = [next(contrasts(Draws(grid.matrix(number)), Labels())).estimate for number in range(200)]

    assert 0.92 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.975


def test_graded_outcomes_that_seeds_do_not_move_item_by_item_leave_seeds_their_variance() -> None:
    """Every item has .5; a seed moves all of them by as much. By p(1 - p) all of that would be single answers."""
    metric, items = METRICS.get("f1"), tuple(map(str, range(100)))
    shift = np.array([-0.02, 0.0, 0.02])[:, None]
    treated = np.stack([np.broadcast_to(0.5 + shift, (3, 100)), np.ones((3, 100))], axis=-1)
    control = np.broadcast_to([0.5, 1.0], (3, 100, 2))
    rows = [Treatment("m", f"a{n}/en", "trained", Point(f"a{n}", "en")) for n in range(3)]
    targets = [Point("b", lang) for lang in ("de", "en")]
    measured = {
        (row, target): Measured(metric, (1, 2, 3), treated, control, items) for row in rows for target in targets
    }
    draws = Draws(TransferMatrix(tuple(rows), tuple(targets), change_cells(measured)))

    weighted = [(draws.cells[0], 1.0)]
    assert draws.seeds(weighted).variance == pytest.approx(raw_variance(weighted), rel=0.05)
