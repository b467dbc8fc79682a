"""Nearest rows against a full sort."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.embeddings.retrieval import both_ways, nearest, top_means
from crossgraft.embeddings.retrieval.best import Best
from crossgraft.embeddings.retrieval.device import Tile, product
from crossgraft.embeddings.retrieval.exact import Pairwise
from crossgraft.embeddings.spaces.space import Vectors, unit


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


def sorted_exactly(x: Vectors, y: Vectors) -> np.ndarray:
    return np.argsort(-(x.astype(float) @ y.astype(float).T), axis=1, kind="stable")


class Counted:
    """A tile that counts the values it is asked for."""

    def __init__(self, tile: Tile) -> None:
        self.tile = tile
        self.columns = tile.columns
        self.asked = 0

    def maxima(self, size: int) -> Vectors:
        return self.tile.maxima(size)

    def members(self, *where):  # type: ignore[no-untyped-def]
        found = self.tile.members(*where)
        self.asked += len(found[0])
        return found


@pytest.mark.parametrize("device", ["cpu", "torch"])
@pytest.mark.parametrize(("k", "columns"), [(10, 128), (17, 1024), (50, 1000)])
def test_few_columns_are_looked_at_when_k_is_more_than_the_groups_of_64(device, k: int, columns: int) -> None:  # type: ignore[no-untyped-def]
    if device == "torch":
        pytest.importorskip("torch")
    x, y = spaces(100, columns)
    pairs = Pairwise(x, y)
    best = Best(pairs, k, pairs.slack(), slice(0, 100))
    ((_, tile),) = product(x, y, device=device).tiles(slice(0, 100))
    counted = Counted(tile)

    best.take(counted, 0, 0)  # type: ignore[arg-type]

    assert counted.asked < 100 * columns / 2
    assert np.array_equal(best.neighbours().rows, sorted_exactly(x, y)[:, :k])


@pytest.mark.parametrize("k", [20, 50])
def test_both_ways_with_many_neighbours_are_those_of_a_full_sort(k: int) -> None:
    x, y = spaces(300, 1100)

    forward, backward = both_ways(x, y, k, block=128)

    assert np.array_equal(forward.rows, sorted_exactly(x, y)[:, :k])
    assert np.array_equal(backward.rows, sorted_exactly(y, x)[:, :k])
