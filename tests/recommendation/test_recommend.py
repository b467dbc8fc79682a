"""What is recommended on grids whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft import posterior, recommend
from crossgraft.core import Treatment
from crossgraft.recommendation.answer import decide
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import Options
from crossgraft.recommendation.question import Question
from crossgraft.recommendation.settling import Doubt
from crossgraft.recommendation.verdicts import Recommendation
from crossgraft.recommendation.wording import option_rows, plain, yardstick_rows
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=1, tasks=3, languages=3, seeds=2, items=300, source=1, same_task=3, on_source=5, cell=0.5)
HARMFUL = SyntheticGrid(models=1, tasks=2, languages=3, seeds=2, items=400, same_task=-6, on_source=-6, fragile=0.5)


def test_it_names_a_treatment_that_truly_gains_and_spares() -> None:
    matrix, truth = GRID.matrix(1), GRID.truth(1)

    found = recommend(matrix, improve="task0/de", protect="task1/*", tolerance=3)

    row = matrix.rows.index(found.choice.row)
    assert truth[row, matrix.columns.index(found.asked.improve[0])] > 2
    assert min(truth[row, matrix.columns.index(target)] for target in found.asked.protect) > -3


def test_it_keeps_the_base_where_everything_harms() -> None:
    kept = []
    for seed in range(5):
        matrix = HARMFUL.matrix(seed)
        on = [row for row in matrix.rows if row.source and row.source.task == "task1"]
        cells = {place: one for place, one in matrix.cells.items() if place[0] in on}
        found = recommend(replace(matrix, rows=tuple(on), cells=cells), improve="task0/*", protect="task1/*")
        kept.append(found.abstains)

    assert all(kept)


def test_an_abstention_names_what_to_measure() -> None:
    for seed in range(20):
        found = recommend(GRID.matrix(seed), improve="task0/de", protect=["task1/*", "task2/*"], tolerance=0.5)
        if found.settling and found.settling.targets:
            break

    assert found.abstains
    told = found.sentences
    assert told[0].startswith("Keep the base: ")
    assert told[1].startswith(("What would settle it: ", "Hard to settle"))
    assert all(target in (*found.asked.protect, *found.asked.improve) for target in found.settling.targets)


def test_every_way_to_settle_takes_more_than_there_is() -> None:
    for seed in range(10):
        found = recommend(GRID.matrix(seed), improve="task0/de", protect="task[12]/*", tolerance=1).settling
        for way in found.ways if found else ():
            assert way.items * way.seeds > found.items * found.seeds
            assert way.allowed + way.ruled_out <= 1


def test_more_items_are_more_likely_to_tell() -> None:
    matrix = GRID.matrix(3)
    options = Options.of(Asked.of(Question(("task0/de",), ("task1/*",)), matrix), posterior(matrix))
    doubt = Doubt.of(matrix, options, 1)

    told = [one.allowed + one.ruled_out for one in (doubt.outlook(times, times) for times in (1, 4, 100, 10**6))]

    assert told == sorted(told)
    assert told[-1] > 0.95


def test_a_larger_risk_never_lowers_the_expected_gain() -> None:
    matrix, found = GRID.matrix(2), posterior(GRID.matrix(2))

    def gain(risk: float) -> float:
        return decide(matrix, Asked.of(Question(("task0/de",), ("task1/*",), 1.0, risk), matrix), found).choice.gain

    gains = [gain(risk) for risk in (0.01, 0.05, 0.1, 0.3, 0.6, 0.99)]
    assert gains == sorted(gains)


def test_shams_are_no_option() -> None:
    matrix = GRID.matrix(1)
    sham = replace(matrix.rows[0], name="task0/ar (sham)", source=None, source_variant="sham")
    cells = {(sham if row == matrix.rows[0] else row, target): replace(one, row=sham if row == matrix.rows[0] else row)
             for (row, target), one in matrix.cells.items()}  # fmt: skip

    found = recommend(replace(matrix, rows=(sham, *matrix.rows[1:]), cells=cells), improve="task0/de")

    assert sham not in [one.row for one in found.verdicts]


def renamed(number: int, row: Treatment) -> Treatment:
    """The first three rows as a variant of a recipe, an adapter made elsewhere and a mixture."""
    kinds = [
        replace(row, recipe=(("rank", 4),)),
        replace(row, kind="given", name="theirs"),
        replace(row, source=None, name="everything"),
    ]
    return kinds[number] if number < 3 else row


def test_recipes_given_adapters_and_mixtures_are_options() -> None:
    matrix = GRID.matrix(1)
    new = {row: renamed(number, row) for number, row in enumerate(matrix.rows)}
    cells = {(new[row], target): replace(one, row=new[row]) for (row, target), one in matrix.cells.items()}

    found = recommend(replace(matrix, rows=tuple(new.values()), cells=cells), improve="task0/de")

    assert {"task0/ar (rank 4)", "theirs", "everything"} <= {one.name for one in found.verdicts}
    assert next(one for one in found.yardsticks if one.name == "sources mixed").rows == (new[matrix.rows[2]],)


def judged(seed: int = 1) -> Recommendation:
    return recommend(GRID.matrix(seed), improve="task0/de", protect="task1/*", tolerance=3)


def test_yardsticks_take_what_their_names_say() -> None:
    takes = {one.name: [row.name for row in one.rows] for one in judged().yardsticks}

    assert takes["its task in the nearest language"] == ["task0/bn"]  # Indo-European, as German is
    assert len(takes["the largest measured change"]) == 1
    assert takes["sources mixed"] == []
    assert takes["the target's own task in English"] == []


def test_the_own_task_in_english_is_a_yardstick_where_it_was_trained() -> None:
    found = recommend(replace(GRID, languages=4).matrix(1), improve=["task0/de", "task1/de"])

    english = next(one for one in found.yardsticks if "English" in one.name)

    assert [row.name for row in english.rows] == ["task0/en", "task1/en"]
    both = [one.gain for one in found.verdicts if one.row in english.rows]
    assert english.expected.gain == pytest.approx(np.mean(both))


def test_the_largest_measured_change_is_that_of_the_matrix() -> None:
    matrix, found = GRID.matrix(1), judged()
    column = matrix.columns.index(found.asked.improve[0])

    row = next(one for one in found.yardsticks if one.name == "the largest measured change").rows[0]

    assert matrix.change[matrix.rows.index(row), column] == np.max(matrix.change[:, column])


def test_the_answer_is_one_sentence_with_all_that_matters() -> None:
    found = judged()

    first = found.sentences[0]

    assert first.startswith(f"Train {found.choice.name}: expected gain +")
    for part in ("probability that any of the 3 protected targets loses more than 3 pp (10 % allowed)", "runner-up"):
        assert part in first


def test_every_option_has_a_row_and_a_reason_if_it_is_out() -> None:
    found = recommend(GRID.matrix(1), improve="task0/de", protect="task1/*", tolerance=0)

    rows = list(option_rows(found))

    assert len(rows) == len(GRID.points) + 1
    assert all(bool(row[-1]) == one.is_out for row, one in zip(rows, found.verdicts, strict=True))
    assert len(list(yardstick_rows(found))) == 5


@pytest.mark.parametrize("tolerance", [0.0, 3.0])
def test_json_says_the_same(tolerance: float) -> None:
    found = recommend(GRID.matrix(1), improve="task0/de", protect="task1/*", tolerance=tolerance)

    told = plain(found)

    assert told["answer"] == found.sentences[0]
    assert (told["recommended"] is None) == found.abstains
    assert len(told["options"]) == len(found.verdicts)


def test_the_same_matrix_gives_the_same_answer() -> None:
    assert plain(judged()) == plain(judged())
