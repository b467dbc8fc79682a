"""True scores of noisy estimates: what is said of the first must be as often true."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.stats.matrices.exchangeable import true_scores
from crossgraft.stats.matrices.ranks import ranks

DRAWS = 400


def stated_and_true(spread: float, repeat: int = 800) -> tuple[float, float]:
    """Mean P(first) of the highest of five estimates, and how often it is the first in truth."""
    rng = np.random.default_rng(0)
    stated, right = [], []
    for _ in range(repeat):
        truth = rng.normal(0, spread, 5)
        estimates = truth + rng.standard_normal(5)
        found = ranks(true_scores(estimates, rng.standard_normal((DRAWS, 5)), rng), estimates, 1)
        stated.append(found.first.max())
        right.append(truth.argmax() == found.first.argmax())
    return float(np.mean(stated)), float(np.mean(right))


@pytest.mark.parametrize("spread", [0.5, 1.0, 3.0])
def test_the_probability_of_being_first_is_as_often_true(spread: float) -> None:
    """Draws about the estimates say .60 at 0.5 where .41 is true."""
    stated, right = stated_and_true(spread)

    assert stated == pytest.approx(right, abs=0.09)  # the prior costs up to .06, the rest is Monte-Carlo error


def test_scores_without_noise_are_what_they_are() -> None:
    found = true_scores(np.array([3.0, 1.0, 2.0]), np.zeros((10, 3)), np.random.default_rng(0))

    assert found == pytest.approx(np.tile([1.0, -1.0, 0.0], (10, 1)))


def test_noise_that_all_scores_share_draws_none_of_them_to_another() -> None:
    rng = np.random.default_rng(0)
    noise = 10 * rng.standard_normal((DRAWS, 1)) + 0.01 * rng.standard_normal((DRAWS, 3))

    found = true_scores(np.array([3.0, 1.0, 2.0]), noise, rng)

    assert found.mean(axis=0) == pytest.approx([1.0, -1.0, 0.0], abs=0.01)
