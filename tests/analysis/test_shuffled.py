"""Chance of each kind of answers, against brute force."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from crossgraft.analysis.mappings.means import PairMean
from crossgraft.analysis.mappings.shuffled import ShuffledControl, chance, random_average_precision, sentence
from crossgraft.core import Answers, Point, Treatment
from crossgraft.metrics import METRICS
from outcomes import measured


def test_the_average_precision_of_random_orders_agrees_with_all_orders() -> None:
    relevant, among = 2, 5
    places = [np.sort(np.flatnonzero(np.isin(order, range(relevant)))) + 1 for order in permutations(range(among))]
    exact = np.mean([np.mean(np.arange(1, relevant + 1) / ranks) for ranks in places])

    assert random_average_precision(np.array([float(relevant)]), among) == pytest.approx([exact])


def test_with_one_right_word_chance_is_the_mean_of_reciprocal_ranks() -> None:
    assert random_average_precision(np.array([1.0]), 4) == pytest.approx([(1 + 1 / 2 + 1 / 3 + 1 / 4) / 4])


def test_chance_of_classes_is_that_of_answers_given_to_random_items() -> None:
    """Three of four answers are class 0, and half of the items: .75 × .5 + .25 × .5."""
    said, gold = np.repeat([0, 1], [300, 100]), np.tile([0, 1], 200)
    columns = {"loglik": np.where(np.eye(2)[said] == 1, -0.1, -3.0), "gold": gold, "classes": np.full(400, 2)}
    answers = Answers("choice", tuple(f"i{n}" for n in range(400)), columns)
    _, record = measured(Treatment("vectors", "a", "mapping"), answers, Point("texts", "de:en"))

    assert chance(record, "accuracy") == pytest.approx(0.5, abs=0.01)
    assert METRICS.get("accuracy").score(answers).value == 0.5


def control(task: str, value: float, chance: float) -> ShuffledControl:
    mean = PairMean(value, value - 0.01, value + 0.01, np.nan, np.nan, 2, 100, 100)
    return ShuffledControl(Treatment("vectors", "a, shuffled dictionary", "mapping"), task, "MAP", mean, chance)


def test_a_control_above_chance_is_named_with_both_numbers() -> None:
    said = sentence([control("bli", 0.005, 0.004), control("texts", 0.4, 0.3)])

    assert said == (
        "With a shuffled dictionary: bli not above chance (a, shuffled dictionary); "
        "texts above chance: a, shuffled dictionary 0.400 (chance 0.300)."
    )


def test_without_a_count_of_words_chance_is_not_known() -> None:
    assert control("bli", 0.1, np.nan).verdict == "chance not known"
