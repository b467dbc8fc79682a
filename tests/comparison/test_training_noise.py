"""What training anew adds to a difference: by hand, moderated, borrowed, unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft.analysis.comparison.matching import Pair
from crossgraft.analysis.comparison.training import RunNoise, Spread, run_noise, together
from crossgraft.core import Point, Treatment
from crossgraft.transfer.matrix import ChangeCell
from crossgraft.transfer.synthetic import SyntheticGrid

TRUTH = 3.0  # pp, what a run moves all its targets by
TOLERANCE = 3 / np.sqrt(2 * 40)  # three standard errors of a standard deviation with 40 degrees of freedom
CELLS = SyntheticGrid(models=1, tasks=4, languages=5, items=400, fragile=0.5, seed=TRUTH).matrix(1).cells


def single(cell: ChangeCell) -> ChangeCell:
    return replace(cell, seeds=cell.seeds[:1], seed_changes=cell.seed_changes[:1], sampled=0.0)


def noise(pairs: list[tuple[ChangeCell, ChangeCell]]) -> list[tuple[RunNoise | None, RunNoise | None]]:
    return run_noise([Pair(a, b, unchanged=False) for a, b in pairs])


def test_one_treatment_alone_has_its_own_variance() -> None:
    cell = next(iter(CELLS.values()))
    ((known, _),) = noise([(cell, cell)])

    assert known is not None
    assert known.whole == pytest.approx(np.var(cell.seed_changes, ddof=1) / 3)
    assert known.variance == pytest.approx(known.whole - 1e4 * cell.sampled / 3)
    assert known.df == 2


def test_treatments_together_know_the_noise_that_was_planted() -> None:
    """Twenty treatments of three runs have 40 degrees of freedom, however many targets a run moves."""
    found = [known for both in noise([(cell, cell) for cell in CELLS.values()]) for known in both if known]

    assert np.sqrt(3 * np.mean([known.variance for known in found])) == pytest.approx(TRUTH, rel=TOLERANCE)
    assert 2 < max(known.df for known in found) <= 40


def test_a_single_run_takes_the_noise_of_the_other_study() -> None:
    found = [b for _, b in noise([(cell, single(cell)) for cell in CELLS.values()])]

    assert all(known and known.borrowed for known in found)
    assert np.sqrt(np.mean([known.variance for known in found if known])) == pytest.approx(TRUTH, rel=TOLERANCE)


def test_where_every_treatment_has_one_run_nothing_is_known() -> None:
    assert set(noise([(single(cell), single(cell)) for cell in CELLS.values()])) == {(None, None)}


def test_an_adapter_that_exists_already_has_no_noise_of_training() -> None:
    cell = single(next(iter(CELLS.values())))
    given = replace(cell, row=replace(cell.row, kind="given"))

    ((known, _),) = noise([(given, given)])
    assert known is not None
    assert known.variance == 0


def test_the_targets_of_a_borrowed_run_move_together_and_treatments_apart() -> None:
    rows = [Treatment("m", name, "trained", Point("qa", "en")) for name in "ab"]
    unit = RunNoise(4.0, 4.0, 10.0)

    one_run = together([(rows[0], 0.5, unit), (rows[0], -0.5, unit)])
    two_runs = together([(rows[0], 0.5, unit), (rows[1], -0.5, unit)])

    assert (one_run.variance, two_runs.variance) == (4.0, 2.0)
    assert one_run == Spread(4.0, 4.0**2 / 10)
