"""Clustered items: planted correlations are recovered, independent items raise few alarms."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.stats.resampling.clustered import clustered, id_groups

PREFIXED = [f"p{n // 5}-q{n % 5}" for n in range(150)]
NUMBERED = [str(n) for n in range(150)]


def planted(rng: np.random.Generator, correlation: float) -> np.ndarray:
    common = np.repeat(rng.standard_normal(30), 5)
    return np.sqrt(correlation) * common + np.sqrt(1 - correlation) * rng.standard_normal(150)


@pytest.mark.parametrize("items", [PREFIXED, NUMBERED])
def test_a_planted_correlation_is_found_with_its_design_effect(items: list[str]) -> None:
    rng = np.random.default_rng(0)
    found = [one for _ in range(40) if (one := clustered(planted(rng, 0.3), items, rng))]

    assert np.mean([one.p <= 0.05 for one in found]) > 0.8
    assert np.mean([one.design_effect for one in found]) == pytest.approx(1 + 4 * 0.3, abs=0.25)


@pytest.mark.parametrize("items", [PREFIXED, NUMBERED])
def test_independent_items_have_small_p_as_often_as_it_says(items: list[str]) -> None:
    rng = np.random.default_rng(1)
    small = [one.p <= 0.1 for _ in range(100) if (one := clustered(planted(rng, 0.0), items, rng))]

    assert np.mean(small) == pytest.approx(0.1, abs=0.09)  # three Monte-Carlo errors


def test_one_prefix_for_all_and_ids_that_share_nothing_are_no_groups() -> None:
    assert id_groups(NUMBERED) is None
    assert id_groups([f"squad-{n}" for n in range(150)]) is None


def test_the_order_of_numbered_items_is_that_of_their_numbers() -> None:
    rng = np.random.default_rng(2)
    values, shuffled = planted(rng, 0.5), rng.permutation(150)

    found = clustered(values[shuffled], [NUMBERED[place] for place in shuffled], rng)

    assert found is not None
    assert found.p < 0.01
