"""The rules, against brute force over the draws."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from crossgraft.core import Floats, Point, Treatment
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import Options
from crossgraft.recommendation.question import Question
from crossgraft.recommendation.rules import (
    allowed,
    by_chance,
    by_tail,
    choose,
    frontier,
    probability_of_best,
    regret,
    tail,
)

TARGETS = (Point("a", "de"), Point("b", "en"), Point("b", "fr"))


def options(draws: Floats, question: Question) -> Options:
    """Of draws (draws, treatments, 3): the first target is to be improved, the others are protected."""
    rows = tuple(Treatment("m", f"t{n}", "given") for n in range(draws.shape[1]))
    with_base = np.concatenate([np.zeros((len(draws), 1, 3)), draws], axis=1)
    asked = Asked(question, "m", TARGETS[:1], TARGETS[1:])
    return Options(asked, (None, *rows), with_base[..., :1], with_base[..., 1:], ((),) * (len(rows) + 1))


def random_options(seed: int, risk: float = 0.2) -> Options:
    rng = np.random.default_rng(seed)
    draws = rng.normal(rng.normal(0, 1, (1, 6, 3)), 1, (200, 6, 3))
    return options(draws, Question(("a/de",), ("b/*",), 1.0, risk))


@pytest.mark.parametrize("seed", range(5))
def test_harm_is_that_of_any_target_in_a_draw(seed: int) -> None:
    found = random_options(seed)

    counted = [any(one < -1 for one in found.protected[draw, 3]) for draw in range(200)]

    assert found.harms[:, 3].mean() == pytest.approx(np.mean(counted))
    assert found.harms[:, 3].mean() >= (found.protected[:, 3] < -1).mean(axis=0).max()


@pytest.mark.parametrize("seed", range(5))
def test_the_tail_is_the_worst_mean_of_any_set_of_draws_of_its_size(seed: int) -> None:
    losses = np.random.default_rng(seed).normal(size=(8, 1))

    worst = max(np.mean(losses[list(some)]) for some in combinations(range(8), 3))

    assert tail(losses, 3 / 8)[0] == pytest.approx(worst)


@pytest.mark.parametrize("seed", range(20))
def test_what_the_tail_allows_chance_allows_too(seed: int) -> None:
    losses = random_options(seed).losses

    assert (by_chance(losses, 0.2) >= by_tail(losses, 0.2)).all()


@pytest.mark.parametrize("seed", range(20))
def test_no_allowed_option_gains_more_than_the_chosen_one(seed: int) -> None:
    found = random_options(seed)
    gains, fine = found.gains.mean(axis=0), allowed(found)

    chosen = choose(found, fine)

    assert fine[chosen]
    assert gains[chosen] == max(gain for gain, one in zip(gains, fine, strict=True) if one)


@pytest.mark.parametrize(("least", "chosen"), [(0.4, 1), (0.6, 0)])
def test_the_base_is_kept_where_the_gain_is_not_worth_it(least: float, chosen: int) -> None:
    found = options(np.full((10, 1, 3), 0.5), Question(("a/de",), least=least))

    assert choose(found, allowed(found)) == chosen


def test_regret_is_what_knowing_the_draw_would_add() -> None:
    gain, harm = [2.0, 0.0, 0.0], [3.0, -5.0, 0.0]
    draws = np.array([[gain, harm], [gain, [3.0, 0.0, 0.0]]])  # the second does harm in the first draw only

    found = options(draws, Question(("a/de",), ("b/*",)))

    assert regret(found).tolist() == [2.5, 0.5, 1.0]
    assert probability_of_best(found).tolist() == [0.0, 0.5, 0.5]


@pytest.mark.parametrize("seed", range(10))
def test_the_frontier_holds_the_choice_at_every_risk(seed: int) -> None:
    for risk in (0.05, 0.2, 0.5, 0.9):
        found = random_options(seed, risk)
        steps = [step for step in frontier(found) if step.risk <= risk]

        assert steps[-1].row == found.rows[choose(found, allowed(found))]
