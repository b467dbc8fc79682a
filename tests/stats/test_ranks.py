"""Ranks in joint draws: against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.stats.matrices.ranks import ranks


def test_ranks_of_normal_scores_are_their_probabilities() -> None:
    rng = np.random.default_rng(5)
    scores = np.array([1.0, 0.0])
    found = ranks(scores + rng.normal(size=(40000, 2)), scores, 1)

    assert found.first[0] == pytest.approx(0.7602, abs=0.01)  # Φ(1/√2)
    assert found.same_set == pytest.approx(found.first[0])


def test_probabilities_of_being_among_the_highest_add_up_whatever_the_ties() -> None:
    draws = np.random.default_rng(6).integers(0, 3, size=(500, 7)).astype(float)
    found = ranks(draws, draws.mean(axis=0), 3)

    assert found.among.sum() == pytest.approx(3)
    assert found.first.sum() == pytest.approx(1)
