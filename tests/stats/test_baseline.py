"""The noise of a shared control: formulas by hand, graded outcomes, items that stand or fall together."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.stats.control_noise import column_noise, summed

ITEMS = 400


def drawn(rng: np.random.Generator, *, treatments: int = 6, spread: float = 0.5, passage: int = 1) -> np.ndarray:
    """Differences (treatments, items) of graded outcomes that all have the control's noise, the same within a passage."""
    control, *treated = (
        np.repeat(rng.normal(0, spread, (1, ITEMS // passage)), passage, axis=1) for _ in range(treatments + 1)
    )
    return np.concatenate(treated) - control


def test_outcomes_that_come_up_with_probability_p_leave_p_times_one_less_p() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        answers = rng.uniform(size=(9, ITEMS)) < 0.3
        each = answers[1:].astype(float) - answers[0]
        found.append(column_noise(each.mean(axis=0)[None], each.var(axis=0, ddof=1)[None] / 8).variance[0])

    assert np.mean(found) == pytest.approx(1e4 * 0.3 * 0.7 / ITEMS, rel=0.03)


def test_graded_outcomes_have_the_variance_of_their_items() -> None:
    each = drawn(np.random.default_rng(1), spread=0.1)

    (variance,) = column_noise(each.mean(axis=0)[None], each.var(axis=0, ddof=1)[None] / 6).variance

    assert variance == pytest.approx(1e4 * 0.1**2 / ITEMS, rel=0.25)


def test_passages_count_as_one() -> None:
    each = drawn(np.random.default_rng(2), passage=5)
    groups = np.arange(ITEMS) // 5
    own = summed(each - each.mean(axis=1, keepdims=True), groups).var(axis=0, ddof=1)[None] / 6

    (variance,) = column_noise(each.mean(axis=0)[None], own, groups).variance

    assert variance == pytest.approx(5 * 1e4 * 0.5**2 / ITEMS, rel=0.4)


def test_columns_that_share_their_noise_do_not_differ_by_it() -> None:
    difference = drawn(np.random.default_rng(3)).mean(axis=0)

    found = column_noise(np.stack([difference, difference]), np.zeros((2, ITEMS)))

    assert found.between == pytest.approx(0, abs=1e-9)
    assert found.apart == pytest.approx([0, 0], abs=1e-9)
