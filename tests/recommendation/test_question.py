"""What cannot be asked is refused with one sentence; what is odd is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft import Question, recommend
from crossgraft.core import Point
from crossgraft.errors import DataError, SpecError
from crossgraft.recommendation.asked import Asked
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=1, tasks=2, languages=3, items=100, source=1.5)
MATRIX = GRID.matrix(1)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"improve": ()}, "expected a target to improve"),
        ({"tolerance": -1.0}, "expected a tolerated loss of 0 or more percentage points; got -1"),
        ({"tolerance": float("nan")}, "expected a tolerated loss"),
        ({"risk": 0.0}, "expected a risk between 0 and 1, such as 0.1; got 0"),
        ({"risk": 1.0}, "expected a risk between 0 and 1"),
        ({"rule": "hope"}, "expected a rule 'chance' or 'cvar'; got 'hope'"),
        ({"least": -0.1}, "expected a least gain"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(asked: dict[str, object], why: str) -> None:
    with pytest.raises(SpecError, match=why):
        Question(**{"improve": ("task0/de",), **asked})  # type: ignore[arg-type]


def test_a_target_that_is_not_there_is_named_with_its_nearest() -> None:
    with pytest.raises(SpecError, match=r"protect: no measured target of this model matches 'task9/de'; did you mean"):
        recommend(MATRIX, improve="task0/de", protect="task9/de")


def test_patterns_name_targets_in_the_order_of_the_grid() -> None:
    asked = Asked.of(Question(("*/de", "task0/ar"), ("task1/*",)), MATRIX)

    assert list(map(str, asked.improve)) == ["task0/ar", "task0/de", "task1/de"]
    assert asked.both == (Point("task1", "de"),)


def test_several_models_are_not_averaged_in_silence() -> None:
    with pytest.raises(SpecError, match="a recommendation is for one model; the results are of model0, model1"):
        recommend(replace(GRID, models=2).matrix(1), improve="task0/de")


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(SpecError, match="no treatment is of a model 'modelo'; did you mean 'model0'"):
        recommend(MATRIX, improve="task0/de", model="modelo")


def test_a_study_without_results_is_refused() -> None:
    with pytest.raises(SpecError, match="no treatment of model0 has a result yet"):
        recommend(replace(MATRIX, cells={}), improve="task0/de")


def test_a_question_and_its_parts_are_not_mixed() -> None:
    with pytest.raises(SpecError, match="expected a question or its parts; got both"):
        recommend(MATRIX, Question(("task0/de",)), improve="task1/de")


def test_an_empty_matrix_is_refused() -> None:
    with pytest.raises(SpecError, match="the study has no treatment"):
        recommend(TransferMatrix((), (), {}), improve="task0/de")


def said(matrix: TransferMatrix, **asked: object) -> str:
    return str(recommend(matrix, Question(**{"improve": ("task0/de",), **asked})))  # type: ignore[arg-type]


def test_an_empty_protected_set_is_said() -> None:
    assert "No target is protected, so nothing is said of harm" in said(MATRIX)


def test_targets_both_improved_and_protected_are_said() -> None:
    assert "Improved and protected at once: task0/de." in said(MATRIX, protect=("*/de",))


def test_a_single_source_is_said() -> None:
    rows = MATRIX.rows[:1]
    matrix = replace(MATRIX, rows=rows, cells={place: one for place, one in MATRIX.cells.items() if place[0] in rows})

    assert "There is only one option beside the base, task0/ar." in said(matrix, protect=("task1/*",))


def test_cells_that_were_not_measured_are_said_and_named() -> None:
    rng = np.random.default_rng(0)
    kept = {place: one for place, one in MATRIX.cells.items() if rng.random() < 0.6}

    found = said(replace(MATRIX, cells=kept), protect=("task1/*",))

    assert "were not measured; they are predicted from the others" in found


def test_a_treatment_without_any_result_is_no_option_and_named() -> None:
    kept = {place: one for place, one in MATRIX.cells.items() if place[0] != MATRIX.rows[0]}

    assert "Not an option, because there is no result yet: task0/ar." in said(replace(MATRIX, cells=kept))


def test_a_protected_target_at_chance_promises_nothing() -> None:
    matrix = replace(GRID, base=0.0, fragile=0.5).matrix(1)
    cells = {place: replace(one, chance=0.5) for place, one in matrix.cells.items()}

    found = said(replace(matrix, cells=cells), protect=("task1/ar",))

    assert "losses cannot be seen there, so protecting it promises nothing" in found


def test_dead_targets_are_named() -> None:
    cells = dict(MATRIX.cells)
    for row in MATRIX.rows:
        place = row, MATRIX.columns[0]
        cells[place] = replace(cells[place], change=replace(cells[place].change, mean=0.0))

    assert "Dead: no treatment changes task0/ar" in said(replace(MATRIX, cells=cells), protect=("task0/ar",))


def test_one_seed_is_said() -> None:
    matrix = replace(GRID, seeds=1).matrix(1)

    assert "One seed: the noise of a training run is not known" in said(matrix, protect=("task1/*",))


def test_a_target_whose_noise_nothing_tells_is_refused() -> None:
    target = MATRIX.columns[0]
    blank = {
        place: replace(one, items=(), change=replace(one.change, why="no items")) if place[1] == target else one
        for place, one in MATRIX.cells.items()
    }

    with pytest.raises(DataError, match="can be neither improved nor protected"):
        recommend(replace(MATRIX, cells=blank), improve=str(target))
