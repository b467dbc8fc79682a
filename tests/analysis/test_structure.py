"""The structure of grids of which the truth is known, and of grids that have none."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from crossgraft.analysis.draws import Draws
from crossgraft.analysis.structure import Structure, structures
from crossgraft.matrix import TransferMatrix
from crossgraft.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=2, tasks=3, languages=3, seeds=1, items=300)


def found(matrix: TransferMatrix) -> dict[str, Structure]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {one.model: one for one in structures(Draws(matrix))}


@pytest.fixture(scope="module")
def targets() -> dict[str, Structure]:
    """Targets that gain from everything, much more than noise."""
    return found(replace(GRID, target=5.0).matrix(1))


def test_targets_explain_what_is_planted_in_targets(targets: dict[str, Structure]) -> None:
    two_way = targets["all models"].two_way

    assert two_way is not None
    assert two_way.targets > 0.7 > 0.2 > two_way.sources
    assert two_way.r2 >= two_way.targets
    assert two_way.noise < 0.3
    assert "the target more than the source" in two_way.sentence


def test_easy_recipients_are_low_potential_and_no_cycle(targets: dict[str, Structure]) -> None:
    """The planted truth has columns only: half of its energy is antisymmetric, all of that a potential."""
    asymmetry = targets["all models"].asymmetry
    best = replace(GRID, target=5.0).truth(1)[0].argmax()

    assert asymmetry is not None
    assert asymmetry.share == pytest.approx(0.5, abs=0.12)
    assert asymmetry.gradient is not None
    assert asymmetry.gradient > 0.9
    assert asymmetry.potential[-1][0] == GRID.points[best]
    assert sum(value for _, value in asymmetry.potential) == pytest.approx(0, abs=1e-9)


def test_each_model_has_a_structure_and_so_has_their_mean(targets: dict[str, Structure]) -> None:
    assert list(targets) == ["model0", "model1", "all models"]
    assert all(len(one.sentences) == 3 and not one.why for one in targets.values())


def test_what_goes_from_task_to_task_is_a_pattern_beyond_source_and_target() -> None:
    """A task that helps another helps it from all its languages: a block."""
    pattern = found(replace(GRID, task_pair=4.0).matrix(2))["all models"].pattern

    assert pattern is not None
    assert pattern.real
    assert pattern.p < 0.05
    assert "more than expected" in pattern.sentence


def test_the_same_noise_in_many_languages_is_no_pattern() -> None:
    """Items are parallel: cells of one task move together by luck, which shuffles of cells do not know and draws do."""
    pattern = found(replace(GRID, parallel=0.9).matrix(3))["all models"].pattern

    assert pattern is not None
    assert pattern.noise > pattern.shuffled
    assert not pattern.real
    assert pattern.sentence.startswith("Beyond source and target no pattern")


def test_a_missing_cell_is_missing() -> None:
    matrix = GRID.matrix(1)
    cells = {place: cell for place, cell in matrix.cells.items() if place[1] != GRID.points[0]}
    one = found(replace(matrix, cells=cells))["all models"]

    assert one.targets == 8
    assert one.asymmetry is not None
    assert GRID.points[0] not in [point for point, _ in one.asymmetry.potential]


def test_where_no_point_is_source_and_target_there_is_no_asymmetry_but_a_sentence() -> None:
    matrix = GRID.matrix(1)
    given = set(GRID.points[:4])
    cells = {place: cell for place, cell in matrix.cells.items() if place[0].source in given and place[1] not in given}
    one = found(replace(matrix, cells=cells))["all models"]

    assert one.asymmetry is None
    assert one.two_way is not None
    assert one.sentences[-1].startswith("too few points that changed are sources and targets")


def test_grids_without_structure_have_a_sentence() -> None:
    small = found(SyntheticGrid(models=1, tasks=1, languages=2, seeds=1, items=40).matrix(1))["model0"]
    still = found(replace(GRID, fragile=0.0).matrix(1))["model0"]

    assert small.sentences == ("2 sources and 2 targets are too few to have a structure.",)
    assert still.sentences == ("all cells changed alike: there is nothing to explain.",)


@pytest.mark.slow
def test_in_grids_without_transfer_a_pattern_is_seldom_announced_in_any_model() -> None:
    """Each of four models and their mean at .05 would announce one in about a fifth of the grids."""
    grid = replace(GRID, models=4, items=100)
    announced = [
        any(one.pattern and one.pattern.real for one in found(grid.matrix(seed)).values()) for seed in range(40)
    ]

    assert np.mean(announced) <= 0.1
