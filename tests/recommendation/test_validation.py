"""Held-out parts are held out, and what is said of them is right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau

from crossgraft.core import Point, Treatment
from crossgraft.errors import DataError
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.question import Question
from crossgraft.recommendation.validation.folds import Fold, folds
from crossgraft.recommendation.validation.held_out import ndcg, pair_accuracy, validate
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=2, tasks=2, languages=3, seeds=2, items=120, source=2, same_task=3, cell=1)
MATRIX = GRID.matrix(1)
EVERY = tuple(folds(MATRIX, "model0"))


def of(kind: str) -> list[Fold]:
    return [fold for fold in EVERY if fold.kind == kind]


def test_every_kind_of_part_is_held_out() -> None:
    kinds = {fold.kind: sum(one.kind == fold.kind for one in EVERY) for fold in EVERY}

    assert kinds == {"half of the items": 8, "a seed": 2, "a language": 3, "a task": 2, "the model": 1}


def test_halves_have_no_item_in_common_and_are_whole_together() -> None:
    first, second = of("half of the items")[:2]
    place = MATRIX.rows[0], MATRIX.columns[0]

    items = [fold.left.cells[place].items for fold in (first, second)]

    assert not set(items[0]) & set(items[1])
    assert sorted((*items[0], *items[1])) == sorted(MATRIX.cells[place].items)
    assert np.mean([fold.left.cells[place].change.mean for fold in (first, second)]) == pytest.approx(
        MATRIX.cells[place].change.mean
    )


def test_a_half_is_the_same_items_in_all_languages_of_a_task() -> None:
    left = of("half of the items")[0].left

    assert len({cell.items for (_, target), cell in left.cells.items() if target.task == "task1"}) == 1


def test_items_of_a_group_stay_in_one_half() -> None:
    cells = {
        place: replace(cell, groups=tuple(str(n // 4) for n in range(len(cell.items))))
        for place, cell in MATRIX.cells.items()
    }

    half = next(folds(replace(MATRIX, cells=cells), "model0")).left.cells[MATRIX.rows[0], MATRIX.columns[0]]

    assert all(half.groups.count(group) == 4 for group in half.groups)


def test_without_a_seed_the_change_is_that_of_the_others() -> None:
    fold, place = of("a seed")[0], (MATRIX.rows[0], MATRIX.columns[0])
    whole = MATRIX.cells[place]

    assert fold.left.cells[place].change.mean == pytest.approx(whole.seed_changes[1])
    assert fold.held[place][0] == whole.seed_changes[0]


@pytest.mark.parametrize("kind", ["a language", "a task", "the model"])
def test_what_is_held_out_is_not_among_what_is_left(kind: str) -> None:
    for fold in of(kind):
        assert not set(fold.held) & set(fold.left.cells)
        assert set(fold.held) | set(fold.left.cells) == set(MATRIX.cells)
        assert {row.model for row, _ in fold.held} == {"model0"}


@pytest.mark.parametrize("seed", range(5))
def test_pair_accuracy_is_kendalls_tau_from_0_to_1(seed: int) -> None:
    scores, truth = np.random.default_rng(seed).normal(size=(2, 8))

    assert pair_accuracy(scores, truth) == pytest.approx((kendalltau(scores, truth).statistic + 1) / 2)


def test_ties_share_their_gains() -> None:
    truth = np.array([3.0, 1.0, 0.0, -2.0])

    tied = ndcg(np.array([1.0, 1.0, 0.0, 0.0]), truth, 3)

    orders = [ndcg(np.array([2.0, 1.0, 0.5, 0.0]), truth, 3), ndcg(np.array([1.0, 2.0, 0.5, 0.0]), truth, 3)]
    assert tied == pytest.approx(np.mean(orders))


def test_rules_that_measure_beat_those_that_do_not() -> None:
    asked = Asked.of(Question(("task0/de",), ("task1/*",), 3.0, model="model0"), MATRIX)

    found = {one.rule: one for one in validate(MATRIX, asked) if one.held_out == "half of the items"}

    assert found["chance"].pairs > found["its task in the nearest language"].pairs
    assert found["chance"].questions == 8 * 6
    assert found["cvar"].recommends <= found["chance"].recommends


def test_as_much_harm_is_seen_as_is_expected() -> None:
    """Over grids: of what the largest measured change takes, so that many losses are seen."""
    gaps = []
    for seed in range(6):
        matrix = replace(GRID, models=1).matrix(seed)
        asked = Asked.of(Question(("task0/de",), ("*/*",), 1.0), matrix)
        halves = [one for one in validate(matrix, asked) if one.held_out == "half of the items"]
        found = next(one for one in halves if one.rule == "the largest measured change")
        gaps.append(found.seen - found.expected)

    assert abs(np.mean(gaps)) < 0.15


def test_where_nothing_can_be_held_out_a_sentence_says_so() -> None:
    target = Point("a", "de")
    row = Treatment("m", "a/de", "trained", target)
    cell = replace(MATRIX.cells[MATRIX.rows[0], MATRIX.columns[0]], row=row, target=target, items=(), seed_changes=())
    matrix = TransferMatrix((row,), (target,), {(row, target): cell})

    with pytest.raises(DataError, match="nothing can be held out"):
        validate(matrix, Asked.of(Question(("a/de",)), matrix))
