"""Nearest rows against a full sort."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.embeddings.retrieval import both_ways, nearest, top_means
from crossgraft.embeddings.space import Vectors, unit


def spaces(n: int = 30, m: int = 50) -> tuple[Vectors, Vectors]:
    rng = np.random.default_rng(0)
    return unit(rng.normal(size=(n, 8)).astype(np.float32)), unit(rng.normal(size=(m, 8)).astype(np.float32))


@pytest.mark.parametrize("k", [2, 5, 10])
def test_chunks_lose_none_of_the_nearest(k: int) -> None:
    x, y = spaces(20, 64 * 25 + 7)

    assert np.array_equal(nearest(x, y, k, block=7).rows, np.argsort(-(x @ y.T), axis=1, kind="stable")[:, :k])


@pytest.mark.parametrize("k", [1, 3, 10, 99])
def test_the_nearest_are_those_of_a_full_sort(k: int) -> None:
    x, y = spaces()
    expected = np.argsort(-(x @ y.T), axis=1, kind="stable")[:, : min(k, 50)]

    assert np.array_equal(nearest(x, y, k, block=7).rows, expected)


def test_a_penalty_is_taken_off_before_the_choice() -> None:
    x, y = spaces()
    penalty = np.linspace(0, 1, 50, dtype=np.float32)

    assert np.array_equal(nearest(x, y, penalty=penalty).rows[:, 0], (x @ y.T - penalty).argmax(axis=1))


@pytest.mark.parametrize("k", [1, 4])
def test_both_ways_are_the_two_ways(k: int) -> None:
    x, y = spaces()
    forward, backward = both_ways(x, y, k, block=7)

    assert np.array_equal(forward.rows, nearest(x, y, k).rows)
    assert np.array_equal(backward.rows, nearest(y, x, k).rows)
    np.testing.assert_allclose(backward.similarity, nearest(y, x, k).similarity, atol=1e-6)


def test_the_mean_of_the_nearest_is_that_of_a_sort() -> None:
    x, y = spaces()

    np.testing.assert_allclose(top_means(x, y, 10), np.sort(x @ y.T, axis=1)[:, -10:].mean(axis=1), rtol=1e-5)
