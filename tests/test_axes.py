"""Effects of the axes of a recipe, on outcomes made by hand."""

from __future__ import annotations

from itertools import product

import pytest

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.effects.axes import HARMED, AxisEffect, axis_effects, level_means
from crossgraft.core import Point, Treatment
from crossgraft.transfer.matrix import TransferMatrix
from outcomes import BASE, answers, matrix_of, measured

EN, DE, OTHER = Point("a", "en"), Point("a", "de"), Point("b", "de")
TARGETS = (EN, DE, OTHER)
N = 40


def matrix_with(right: dict[tuple[str, int, Point], int], loss: tuple[str, ...] = ("answer", "all")) -> TransferMatrix:
    """The base has 20 of 40 right; a treatment what is given for its loss, rank and target (else 20)."""
    pairs = [measured(BASE, answers([1] * 20 + [0] * 20), target) for target in TARGETS]
    for masked, rank, target in product(loss, (8, 32), TARGETS):
        row = Treatment("m", "a/en", "trained", EN, (("loss_on", masked), ("rank", rank)), 1)
        score = right.get((masked, rank, target), 20)
        pairs.append(measured(row, answers([1] * score + [0] * (N - score)), target))
    return matrix_of(*pairs)


def effects(right: dict[tuple[str, int, Point], int], loss: tuple[str, ...] = ("answer", "all")) -> list[AxisEffect]:
    matrix = matrix_with(right, loss)
    return list(axis_effects(matrix, Draws(matrix)))


def found(all_of_them: list[AxisEffect], axis: str, outcome: str) -> AxisEffect:
    return next(one for one in all_of_them if one.axis == axis and one.outcome == outcome)


def test_a_main_effect_is_the_mean_over_the_matched_sets() -> None:
    """All tokens: +10 items at rank 8, +20 at rank 32, of 40."""
    effect = found(effects({("all", 8, EN): 30, ("all", 32, EN): 40}), "loss_on", "gain on the source")

    assert (effect.levels, effect.references, effect.sets) == ((("loss_on", "all"),), (("loss_on", "answer"),), 2)
    assert effect.estimate.mean == pytest.approx(37.5)
    assert effect.estimate.verdict == "better"


def test_an_interaction_is_the_difference_of_differences() -> None:
    effect = found(effects({("all", 8, EN): 30, ("all", 32, EN): 40}), "loss_on × rank", "gain on the source")

    assert effect.estimate.mean == pytest.approx(25.0)


def test_an_axis_without_effect_is_told_from_none_by_no_interval() -> None:
    effect = found(effects({}), "rank", "other tasks")

    assert effect.estimate.mean == 0
    assert effect.estimate.low < 0 < effect.estimate.high


def test_harm_is_counted_in_percent_of_the_cells_elsewhere() -> None:
    """All tokens harm one of two targets elsewhere, at both ranks; answers none."""
    effect = found(effects({("all", 8, OTHER): 5, ("all", 32, OTHER): 5}), "loss_on", HARMED)

    assert effect.estimate.mean == pytest.approx(50.0)


def test_a_level_without_counterparts_is_left_out() -> None:
    assert all(one.axis == "rank" for one in effects({}, loss=("answer",)))


def test_unequal_sets_are_compared_on_the_targets_they_share() -> None:
    pairs = [measured(BASE, answers([1, 0] * 20), target) for target in TARGETS]
    for rank, targets in ((8, TARGETS), (32, (EN,))):
        row = Treatment("m", "a/en", "trained", EN, (("rank", rank),), 1)
        pairs += [measured(row, answers([1] * N), target) for target in targets]
    matrix = matrix_of(*pairs)

    assert [one.outcome for one in axis_effects(matrix, Draws(matrix))] == ["gain on the source"]


def test_the_mean_at_a_level_is_over_all_treatments_that_have_it() -> None:
    """All tokens: +10 items of 40 at rank 8, +20 at rank 32; the answer alone changes nothing."""
    matrix = matrix_with({("all", 8, EN): 30, ("all", 32, EN): 40})

    gains = {mean.levels: mean.means["gain on the source"] for mean in level_means(matrix, Draws(matrix))}

    means = {levels: gain.mean for levels, gain in gains.items() if gain}
    assert means[("loss_on", "all"),] == pytest.approx(37.5)
    assert means[("loss_on", "answer"),] == 0
    assert means[("loss_on", "all"), ("rank", 32)] == pytest.approx(50.0)
