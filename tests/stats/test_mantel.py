"""Relabelling tests: exact when few, right in size where naive ones are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from crossgraft.core import Floats
from crossgraft.stats.matrices.mantel import mantel


def distances(n: int, rng: np.random.Generator) -> Floats:
    places = rng.normal(size=(n, 2))
    return np.asarray(np.linalg.norm(places[:, None] - places, axis=2))


def test_the_correlation_is_spearmans_over_ordered_pairs() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(5, 5)), distances(5, rng)
    first[1, 3] = np.nan
    used = ~np.isnan(first) & ~np.eye(5, dtype=bool)

    found = mantel(first, second, rng)

    assert found is not None
    assert found.rho == pytest.approx(spearmanr(first[used], second[used]).statistic)
    assert (found.relabelings, found.exact) == (120, True)


def test_a_matrix_goes_with_itself_as_no_relabelling_does() -> None:
    rng = np.random.default_rng(2)
    table = distances(8, rng)

    found = mantel(-table, table, rng, draws=500)

    assert found is not None
    assert found.rho == pytest.approx(-1)
    assert found.p == pytest.approx(1 / 500)
    assert not found.exact


def test_the_size_is_right_where_pairs_share_donors() -> None:
    """Changes are donors' only and have nothing to do with distance: independent pairs would be rejected too often."""
    rng = np.random.default_rng(3)
    ours, naive = [], []
    for _ in range(100):
        first = rng.normal(size=(5, 1)) + rng.normal(size=5) + 0.1 * rng.normal(size=(5, 5))
        second = distances(5, rng)
        off = ~np.eye(5, dtype=bool)
        found = mantel(first, second, rng)
        assert found is not None
        ours.append(found.p <= 0.05)
        naive.append(spearmanr(first[off], second[off]).pvalue <= 0.05)

    assert np.mean(ours) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)
    assert np.mean(naive) > np.mean(ours)


def test_what_does_not_vary_goes_with_nothing() -> None:
    assert mantel(np.ones((4, 4)), distances(4, np.random.default_rng(4)), np.random.default_rng(4)) is None
