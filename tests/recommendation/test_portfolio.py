"""The best k rows of a table, against brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from crossgraft.core import Floats
from crossgraft.errors import SpecError
from crossgraft.recommendation.question import Question
from crossgraft.recommendation.specialisation.portfolio import exact, greedy, smallest_mean, value_of
from crossgraft.recommendation.specialisation.specialise import specialise
from crossgraft.transfer.synthetic import SyntheticGrid


def table(seed: int, rows: int) -> Floats:
    return np.maximum(np.random.default_rng(seed).normal(-0.3, 1, (rows, 12)), 0)


@pytest.mark.parametrize("rows", [2, 5, 10])
@pytest.mark.parametrize("seed", range(4))
def test_the_exact_choice_is_that_of_brute_force(seed: int, rows: int) -> None:
    values = table(seed, rows)
    for count in (1, 2, 3):
        best = max(value_of(values, some) for some in combinations(range(rows), min(count, rows)))

        found = exact(values, count)

        assert found.value == pytest.approx(best)
        assert len(found.rows) <= count


@pytest.mark.parametrize("seed", range(10))
def test_greedy_keeps_its_bound(seed: int) -> None:
    values = table(seed, 10)
    best = exact(values, 3).value

    found = greedy(values, 3)

    assert (1 - 1 / np.e) * best <= found.value <= best + 1e-9
    assert found.bound >= best - 1e-9


def test_the_base_serves_where_nothing_gains() -> None:
    assert exact(np.zeros((3, 4)), 2).rows == ()
    assert greedy(np.zeros((3, 4)), 2).rows == ()


def test_what_adds_nothing_is_not_chosen() -> None:
    assert greedy(np.array([[1.0, 1.0], [0.5, 0.5]]), 2).rows == (0,)


def test_every_target_is_served_by_what_is_best_for_it_of_what_is_kept() -> None:
    grid = SyntheticGrid(models=1, tasks=3, languages=2, seeds=2, items=300, on_source=5, same_task=3)

    found = specialise(grid.matrix(1), Question(("*",)), 3)

    assert len(found.rows) == 3
    assert {row.source.task for row in found.rows if row.source} == {"task0", "task1", "task2"}
    assert all(route.row is None or route.gain > 0 for route in found.routes)
    assert found.gain == pytest.approx(np.mean([route.gain for route in found.routes]))
    assert found.gain == pytest.approx(found.curve[-1].gain)


def test_no_adapter_at_all_is_a_mistake() -> None:
    with pytest.raises(SpecError, match="expected 1 adapter or more; got 0"):
        specialise(SyntheticGrid(models=1, tasks=1, languages=2, items=20).matrix(1), Question(("*",)), 0)


LANGUAGES = ["en", "sw", "de"] * 4


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("price", [0.0, 0.4])
def test_the_exact_choice_with_prices_is_that_of_brute_force(seed: int, price: float) -> None:
    values, prices = table(seed, 8), price * np.random.default_rng(seed).uniform(0, 4, 8)
    every = [some for size in range(4) for some in combinations(range(8), size)]
    best = max(value_of(values, some) - prices[list(some)].sum() for some in every)

    assert exact(values, 3, prices).value == pytest.approx(best)
    assert greedy(values, 3, prices).value <= best + 1e-9 <= greedy(values, 3, prices).bound + 2e-9


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("price", [0.0, 0.05])
def test_the_fair_choice_is_that_of_brute_force(seed: int, price: float) -> None:
    """The largest smallest mean, and of these the largest sum."""
    values, prices = table(seed, 8), price * np.random.default_rng(seed).uniform(0, 4, 8)
    every = [some for size in range(1, 4) for some in combinations(range(8), size)]

    def least(some: tuple[int, ...]) -> float:
        return smallest_mean(values, some, LANGUAGES) - float(prices[list(some)].sum())

    best = max(map(least, every))

    found = exact(values, 3, prices, LANGUAGES)

    assert found.value == pytest.approx(max(best, 0.0), abs=1e-6)
    if price == 0:
        sums = [value_of(values, some) for some in every if least(some) >= best - 1e-6]
        assert value_of(values, found.rows) == pytest.approx(max(sums), abs=1e-5)


def test_a_price_that_no_gain_is_worth_keeps_the_base() -> None:
    matrix = SyntheticGrid(models=1, tasks=2, languages=2, items=300, on_source=5, same_task=3).matrix(1)

    found = specialise(matrix, Question(("*",)), 3, prices=dict.fromkeys(matrix.rows, 50.0))

    assert (found.rows, found.price) == ((), 0.0)


def test_fairness_raises_the_language_that_gains_least() -> None:
    matrix = SyntheticGrid(models=1, tasks=3, languages=4, seeds=2, items=300, on_source=9, language_pair=3).matrix(3)

    plain, fair = (specialise(matrix, Question(("*",)), 2, fair=fair) for fair in (False, True))

    assert min(fair.by_language.values()) >= min(plain.by_language.values())
    assert fair.gain <= plain.gain + 1e-9
