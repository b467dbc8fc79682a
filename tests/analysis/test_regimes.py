"""Means, medians and shares by regime; the contrast; harm: on outcomes made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.effects.contrast import contrasts
from crossgraft.analysis.questions.effects.harm import target_harm, treatment_harm
from crossgraft.analysis.questions.effects.regimes import ALL_MODELS, regimes
from crossgraft.core import Labels, Point, Treatment
from crossgraft.report.section import share
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from outcomes import answers, matrix_of, measured

N = 100
POINTS = tuple(Point(task, lang) for task in ("a", "b", "c") for lang in ("de", "en"))


def outcome(right: int) -> list[int]:
    return [1] * right + [0] * (N - right)


def grid(
    change: dict[tuple[Point, Point], int], models: tuple[str, ...] = ("m",), base: dict[Point, int] | None = None
) -> TransferMatrix:
    """Every point a source and a target; items more right than the base's 50, for each source and target."""
    pairs = []
    for model in models:
        for target in POINTS:
            before = (base or {}).get(target, 50)
            pairs.append(measured(Treatment(model, "base", "control"), answers(outcome(before)), target))
            for source in POINTS:
                row = Treatment(model, str(source), "trained", source, (), 1)
                pairs.append(measured(row, answers(outcome(50 + change.get((source, target), 0))), target))
    return matrix_of(*pairs)


def everywhere(on_task: int, off_task: int) -> dict[tuple[Point, Point], int]:
    return {(s, t): on_task if s.task == t.task else off_task for s in POINTS for t in POINTS}


def test_a_summary_has_what_a_tail_cannot_move() -> None:
    """One cell of six gains 40: the mean follows it, the median does not."""
    summaries = {one.regime: one for one in regimes(Draws(grid({(POINTS[0], POINTS[1]): 40})))}

    near = summaries["MT-CL"]
    assert near.estimate.mean == pytest.approx(40 / 6)
    assert near.median.mean == 0
    assert (near.positive.mean, near.gained.mean, near.harmed.mean) == (
        pytest.approx(100 / 6),
        pytest.approx(100 / 6),
        0,
    )


def test_a_share_of_a_handful_of_cells_is_counted_and_no_share_has_an_interval() -> None:
    """Noise alone moves cells beyond any limit, so a share of cells as measured is no estimate of a share of true changes."""
    summaries = {one.regime: one for one in regimes(Draws(grid({(POINTS[0], POINTS[1]): 40})))}

    few, many = summaries["MT-CL"].gained, summaries["CT-CL"].gained
    assert (few.cells, many.cells) == (6, 12)
    assert not np.isfinite([few.high - few.low, many.high - many.low]).any()
    assert (share(few).text, share(many).text) == ("1 of 6", "0 %")


def test_several_models_have_a_summary_together() -> None:
    found = [one.model for one in regimes(Draws(grid({}, ("m", "n")))) if one.regime == "MT-CL"]

    assert found == ["m", "n", ALL_MODELS]


def test_an_unlucky_base_moves_the_means_and_not_the_contrast() -> None:
    plain, unlucky = (grid(everywhere(5, 0), base=base) for base in (None, {POINTS[0]: 20, POINTS[3]: 35}))
    of = [next(iter(contrasts(Draws(matrix), Labels()))).estimate.mean for matrix in (plain, unlucky)]
    means = [next(iter(regimes(Draws(matrix)))).estimate.mean for matrix in (plain, unlucky)]

    assert of == [pytest.approx(5), pytest.approx(5)]
    assert means[1] > means[0] + 5


def test_each_question_has_its_interval_or_the_reason_why_not() -> None:
    one, two = (
        next(iter(contrasts(Draws(grid(everywhere(5, 0), models)), Labels()))) for models in (("m",), ("m", "n"))
    )

    assert [level.level for level in one.levels] == ["new items and seeds", "new models", "new tasks"]
    assert one.levels[1].why == "only one model"
    assert two.levels[1].why == "only 2 models (+5.0 and +5.0)"


def test_models_and_tasks_that_differ_have_an_interval_each() -> None:
    matrix = SyntheticGrid(models=3, tasks=3, languages=2, items=100, fragile=1.0, model=5, task_pair=5).matrix(1)
    _, models, tasks = next(iter(contrasts(Draws(matrix), Labels()))).levels

    assert models.low is not None
    assert models.units == "3 models, 2 degrees of freedom"
    assert tasks.low is not None
    assert tasks.units == "3 tasks, 2 degrees of freedom"


@pytest.mark.parametrize("seed", range(5))
def test_intervals_over_models_and_tasks_hold_the_one_over_items(seed: int) -> None:
    matrix = SyntheticGrid(models=4, tasks=3, languages=2, items=100, fragile=1.0).matrix(seed)
    items, *wider = next(iter(contrasts(Draws(matrix), Labels()))).levels

    assert items.low is not None
    assert items.high is not None
    for level in wider:
        assert level.low is not None
        assert level.high is not None
        assert level.low <= items.low <= items.high <= level.high


def test_contrasts_are_made_by_family_size_and_translation_where_they_differ() -> None:
    labels = Labels({"m": "llama", "n": "qwen"}, {"m": 0.5, "n": 3.0}, {"a": "human", "b": "machine", "c": "machine"})
    found = {one.over for one in contrasts(Draws(grid(everywhere(5, 0), ("m", "n"))), labels)}

    assert {"all models", "m", "on a", "family llama", "below 1B", "1B to 4B", "translated by machine"} <= found


def test_harm_of_a_treatment_and_of_a_target() -> None:
    """The first source costs one target of other tasks 20 points; all else stays."""
    matrix = grid({(POINTS[0], POINTS[2]): -20})
    draws = Draws(matrix)

    first = treatment_harm(matrix, draws)[0]
    assert (first.off.mean, first.harmed.mean) == (pytest.approx(-5), pytest.approx(20))
    assert (first.mass, first.tail) == (pytest.approx(4), pytest.approx(-20))
    worst = next(iter(target_harm(draws)))
    assert (worst.target, worst.harmed.mean) == (POINTS[2], pytest.approx(20))
    assert worst.worst.row.name == str(POINTS[0])


def test_excess_harm_is_judged_at_equal_gain_on_the_source() -> None:
    """Off-task change falls with the gain by a half; one treatment loses ten more."""
    change = {(s, s): 4 * n for n, s in enumerate(POINTS)}
    for n, s in enumerate(POINTS):
        for t in POINTS:
            if t.task != s.task:
                change[s, t] = -2 * n - (10 if n == 3 else 0)
    matrix = grid(change)

    excess = {one.row.name: one.excess for one in treatment_harm(matrix, Draws(matrix))}
    value = excess[str(POINTS[3])]
    assert value is not None
    assert value.mean == min(one.mean for one in excess.values() if one)
    assert value.mean < -7


def test_an_ellipse_has_the_axes_of_the_joint_draws() -> None:
    """Same items right and wrong on both tasks' targets: gain and change elsewhere move together or apart as planted."""
    rng = np.random.default_rng(0)
    pairs = []
    for target in POINTS:
        pairs.append(measured(Treatment("m", "base", "control"), answers(outcome(50)), target))
        row = Treatment("m", str(POINTS[0]), "trained", POINTS[0], (), 1)
        pairs.append(measured(row, answers(rng.integers(0, 2, N).tolist()), target))
    matrix = matrix_of(*pairs)

    (found,) = treatment_harm(matrix, Draws(matrix))
    assert found.ellipse is not None
    assert found.gain is not None
    assert found.ellipse.long >= found.ellipse.short > 0
    radius = 2.4477  # √5.991
    widths = sorted([found.gain.error * radius, found.off.error * radius])
    assert found.ellipse.short <= widths[0] * 1.1
    assert found.ellipse.long >= widths[1] * 0.9
