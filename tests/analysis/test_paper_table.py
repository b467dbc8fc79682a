"""What the paper's table says of itself: the printed figures, what carries the means, which cells and targets move."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from crossgraft.analysis.external.scores import ScoreRow, matrix_of_scores
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.paper.cell_noise import called
from crossgraft.analysis.questions.paper.flat_targets import movements
from crossgraft.analysis.questions.paper.language_groups import group_roles
from crossgraft.analysis.questions.paper.published import (
    Printed,
    beside,
    beside_the_printed,
    figure,
    is_the_papers,
    missing_cells,
)
from crossgraft.analysis.questions.paper.task_pairs import task_pairs
from crossgraft.analysis.questions.roles.consistency import consistencies
from crossgraft.core import Labels, Point
from crossgraft.transfer.matrix import TransferMatrix

TASKS, LANGUAGES = ("arc_challenge", "truthfulqa"), ("ar", "bn", "en", "hi")
MODELS = ("Llama-3.2-1B-Instruct", "gemma-3-1b-it", "Qwen2.5-7B-Instruct")
POINTS = [Point(task, language) for task, language in product(TASKS, LANGUAGES)]


def change(model: str, source: Point, target: Point) -> float:
    """Points: English gives two more than others, TruthfulQA gains four on itself, Hindi on ARC never moves."""
    if target == Point("arc_challenge", "hi"):
        return 0.0
    own = 4.0 if source.task == target.task == "truthfulqa" else 0.5
    return own + 2.0 * (source.lang == "en") + 0.1 * MODELS.index(model) * (source.lang == "en")


def matrix(items: int = 400) -> TransferMatrix:
    places = enumerate(product(MODELS, POINTS, POINTS), 2)
    rows = [
        ScoreRow(n, model, s, t, 0.5, 0.5 + change(model, s, t) / 100, sd=0.3, seeds=3, items=items)
        for n, (model, s, t) in places
    ]
    return matrix_of_scores(rows)


@pytest.fixture(scope="module")
def draws() -> Draws:
    return Draws(matrix())


@pytest.mark.parametrize("name", ["mean", "positive", "harm"])
def test_a_part_says_what_the_missing_cells_must_have(name: str) -> None:
    changes = np.round(np.random.default_rng(3).normal(0.6, 2, 396) * 12) / 12
    half = 3 if name == "mean" else 1
    printed = Printed("MT-ML", 396, name, round(figure(changes, name), half))  # type: ignore[arg-type]

    found = beside(printed, changes[:352])

    assert found.missing is not None
    assert found.missing[0] <= figure(changes[352:], name) <= found.missing[1]  # type: ignore[arg-type]
    assert found.verdict == "possible"


def test_a_part_that_no_rest_can_complete_is_called_so() -> None:
    found = beside(Printed("MT-ML", 396, "positive", 10.0), np.ones(352))

    assert found.verdict == "impossible"


@pytest.mark.parametrize(("printed", "verdict"), [(1.235, "equal"), (1.234, "differs")])
def test_a_whole_table_must_have_the_printed_figure_to_its_last_digit(printed: float, verdict: str) -> None:
    changes = np.full(396, 1.2349)

    assert beside(Printed("MT-ML", 396, "mean", printed), changes).verdict == verdict


def test_losses_of_exactly_a_point_may_or_may_not_be_harm() -> None:
    changes = np.array([-2.0, -0.999999999, -1.0, 3.0])

    found = [beside(Printed("MT-ML", 4, "harm", share), changes) for share in (25.0, 50.0, 75.0, 100.0)]

    assert [one.verdict for one in found] == ["equal", "equal", "equal", "differs"]
    assert (found[0].least, found[0].value) == (25.0, 50.0)


def test_printed_figures_are_shown_for_the_papers_points_only() -> None:
    theirs = matrix()
    other = matrix_of_scores([ScoreRow(2, MODELS[0], Point("xnli", "en"), Point("xnli", "hi"), 0.5, 0.6)])

    assert is_the_papers(theirs)
    assert not is_the_papers(other)
    assert beside_the_printed(other) == ()
    assert missing_cells(theirs)[MODELS[0]] == 44 * 44 - 64


def test_shares_of_task_pairs_are_of_the_sum_of_their_side(draws: Draws) -> None:
    found = {(one.source, one.target): one for one in task_pairs(draws)}

    near = [change(m, s, t) for m, s, t in product(MODELS, POINTS, POINTS) if s.task == t.task and s.lang != t.lang]
    mine = [
        change(m, s, t)
        for m, s, t in product(MODELS, POINTS, POINTS)
        if s.task == t.task == "truthfulqa" and s.lang != t.lang
    ]

    pair = found["truthfulqa", "truthfulqa"]
    assert pair.share == pytest.approx(100 * sum(mine) / sum(near))
    assert pair.rest == pytest.approx(found["arc_challenge", "arc_challenge"].mean)
    assert sum(one.share or 0 for one in found.values() if one.side == "other tasks") == pytest.approx(100)


def test_a_target_that_no_treatment_moves_is_the_flattest(draws: Draws) -> None:
    found = movements(draws)

    flat = [one for one in found if one.is_flat]
    assert {(one.model, str(one.target)) for one in flat} == {(model, "arc_challenge/hi") for model in MODELS}
    assert [one.deviation for one in found] == sorted(one.deviation for one in found)


def test_the_bound_calls_fewer_cells_than_a_tenth_of_changed_answers_and_multiplicity_fewer_still(draws: Draws) -> None:
    counts = [one.gains + one.losses for one in called(draws)]

    seeds, supposed, supposed_fdr, bound, bound_fdr, holm = counts
    assert seeds > supposed > bound
    assert supposed_fdr <= supposed
    assert holm <= bound_fdr <= bound


def test_the_bound_calls_no_more_than_its_level_where_nothing_changed() -> None:
    rng = np.random.default_rng(0)
    places = list(product(MODELS, POINTS, POINTS))
    before, after = rng.binomial(400, 0.5, (2, len(places))) / 400
    rows = [
        ScoreRow(n, *place, float(b), float(a), items=400)
        for n, (place, b, a) in enumerate(zip(places, before, after, strict=True))
    ]

    found = {one.rule: one for one in called(Draws(matrix_of_scores(rows)))}

    by_itself = found["and of items, binomial bound, each by itself"]
    assert by_itself.gains + by_itself.losses < 0.08 * by_itself.cells  # independent answers reach the bound: 5 %


def test_without_numbers_of_items_no_cell_is_called() -> None:
    assert called(Draws(matrix(items=0))) == ()


def test_a_planted_donor_is_found_and_tested_over_models(draws: Draws) -> None:
    found = {(one.group, one.side, one.task): one for one in group_roles(draws)}

    english = found["English", "donor", "truthfulqa"]
    assert english.by_model == pytest.approx([2.0, 2.1, 2.2])
    assert english.p == pytest.approx(ttest_1samp(english.by_model, 0).pvalue)
    assert found["English", "recipient", "truthfulqa"].mean == pytest.approx(0.0, abs=1e-9)


def test_the_index_of_a_regime_is_the_median_of_its_sources() -> None:
    rng = np.random.default_rng(1)
    rows = [
        ScoreRow(n, *place, 0.5, float(rng.uniform(0.4, 0.7)), items=400)
        for n, place in enumerate(product(MODELS, POINTS, POINTS))
    ]

    for one in consistencies(Draws(matrix_of_scores(rows)), Labels()):
        if one.index is not None:
            assert np.median([index for _, index in one.of_sources]) == pytest.approx(one.index)
