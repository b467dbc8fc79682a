"""Ranks, densities and neighbours against sorts, naive formulas and SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from crossgraft.embeddings.retrieval import (
    Neighbours,
    csls_nearest,
    csls_penalty,
    hubness,
    nearest,
    ranking,
    softmax_penalty,
)
from crossgraft.embeddings.retrieval.device import Device
from crossgraft.embeddings.spaces.space import Vectors, unit
from crossgraft.errors import DataError


def space(n: int, width: int = 8, seed: int = 0) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32))


def sorted_ranks(queries: Vectors, targets: Vectors, penalty: Any = 0.0) -> np.ndarray:
    """The rank of every target, by a full sort in float64. Of equals the first comes first."""
    scores = np.stack([(targets.astype(float) * query).sum(axis=1) for query in queries.astype(float)]) - penalty
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.argsort(order, axis=1) + 1


@pytest.mark.parametrize("device", ["cpu", "torch"])
@pytest.mark.parametrize("block", [3, 1024])
def test_ranks_and_nearest_are_those_of_a_full_sort(device: Device, block: int) -> None:
    if device == "torch":
        pytest.importorskip("torch")
    queries, targets = space(70), space(2100, seed=1)
    rng = np.random.default_rng(2)
    golds = [[int(g) for g in rng.choice(2100, size=rng.integers(0, 5), replace=False)] for _ in queries]
    penalty = rng.uniform(0, 0.3, size=2100).astype(np.float32)

    found = ranking(queries, targets, golds, k=10, penalty=penalty, block=block, device=device)

    expected = sorted_ranks(queries, targets, penalty)
    for row, rows in enumerate(golds):
        assert found.ranks[row, : len(rows)].tolist() == expected[row, rows].tolist()
        assert np.isnan(found.ranks[row, len(rows) :]).all()
    assert np.array_equal(found.nearest.rows, np.argsort(expected, axis=1)[:, :10])


@given(data=st.data(), n=st.integers(1, 5), m=st.integers(1, 90), width=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_of_equally_similar_words_the_more_frequent_comes_first(
    data: st.DataObject, n: int, m: int, width: int
) -> None:
    few = st.lists(st.integers(-1, 1), min_size=width, max_size=width)  # so that many vectors are equal, or zero
    queries = unit(np.array([data.draw(few) for _ in range(n)], dtype=np.float32))
    targets = unit(np.array([data.draw(few) for _ in range(m)], dtype=np.float32))

    found = ranking(queries, targets, [list(range(m))] * n, k=m)

    expected = sorted_ranks(queries, targets)
    assert np.array_equal(found.ranks, expected)
    assert np.array_equal(found.nearest.rows, np.argsort(expected, axis=1))


def test_copies_of_one_vector_are_tied_wherever_they_stand() -> None:
    targets = np.repeat(space(300, width=50), 10, axis=0)
    queries = space(9, width=50, seed=1)

    found = ranking(queries, targets, [[2999 - row] for row in range(9)], k=20)

    assert np.array_equal(found.ranks[:, 0], sorted_ranks(queries, targets)[range(9), [2999 - row for row in range(9)]])
    assert (found.nearest.rows[:, 0] % 10 == 0).all()
    assert (np.diff(found.nearest.rows[:, :10], axis=1) == 1).all()


def test_a_query_like_no_target_has_ranks_in_the_order_of_the_vocabulary() -> None:
    found = ranking(np.zeros((1, 8), dtype=np.float32), space(3000), [[2500, 7]], k=3)

    assert found.ranks.tolist() == [[2501, 8]]
    assert found.nearest.rows.tolist() == [[0, 1, 2]]


def test_no_queries_have_no_ranks() -> None:
    found = ranking(space(1)[:0], space(5), [], k=2)

    assert (found.ranks.shape, found.nearest.rows.shape) == ((0, 1), (0, 2))


def test_without_k_only_ranks_are_made() -> None:
    found = ranking(space(4), space(50, seed=1), [[n] for n in range(4)], k=0)

    assert np.array_equal(found.ranks[:, 0], sorted_ranks(space(4), space(50, seed=1))[range(4), range(4)])
    assert found.nearest.rows.shape == (4, 0)


def csls(sources: Vectors, targets: Vectors, k: int) -> np.ndarray:
    """The formula of the paper, word by word. (sources, targets)"""
    cosine = sources.astype(float) @ targets.astype(float).T
    return (
        2 * cosine - np.sort(cosine, axis=1)[:, -k:].mean(axis=1)[:, None] - np.sort(cosine, axis=0)[-k:].mean(axis=0)
    )


@pytest.mark.parametrize("k", [1, 5, 10])
def test_csls_orders_as_its_formula(k: int) -> None:
    sources, targets = space(200), space(150, seed=1)
    rows = np.arange(0, 200, 7)

    found = nearest(sources[rows], targets, 150, penalty=csls_penalty(sources, targets, k))

    assert np.array_equal(found.rows, np.argsort(-csls(sources, targets, k)[rows], axis=1))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [1, 40])
@pytest.mark.parametrize("count", [1, 5, 50])
def test_lazy_csls_finds_what_full_csls_finds(seed: int, n: int, count: int) -> None:
    sources, targets = space(5000, seed=seed), space(1500, seed=seed + 10)
    rows = np.random.default_rng(seed).choice(5000, size=n)

    lazy = csls_nearest(sources[rows], sources, targets, 10, count=count, crowd=rows)

    full = nearest(sources[rows], targets, count, penalty=csls_penalty(sources, targets, 10))
    assert np.array_equal(lazy.rows, full.rows)
    assert np.array_equal(lazy.similarity, full.similarity)


def test_lazy_csls_takes_queries_that_are_no_source_words_and_at_most_all_targets() -> None:
    queries, sources, targets = space(7, seed=5), space(300), space(45, seed=1)

    lazy = csls_nearest(queries, sources, targets, 10, count=100)

    full = nearest(queries, targets, 45, penalty=csls_penalty(sources, targets, 10))
    assert np.array_equal(lazy.rows, full.rows)


@pytest.mark.parametrize("count", [1, 4])
def test_lazy_csls_of_copies_takes_the_more_frequent(count: int) -> None:
    sources, targets = space(60), np.repeat(space(40, seed=1), 3, axis=0)

    lazy = csls_nearest(sources, sources, targets, 10, count=count)

    full = nearest(sources, targets, count, penalty=csls_penalty(sources, targets, 10))
    assert np.array_equal(lazy.rows, full.rows)
    assert (lazy.rows[:, 0] % 3 == 0).all()


def test_a_neighbourhood_larger_than_the_vocabulary_is_refused() -> None:
    with pytest.raises(DataError, match=r"mean of the 10 nearest source words, but there are only 3; take a smaller k"):
        csls_nearest(space(3), space(3), space(50), 10)


@pytest.mark.parametrize("beta", [1.0, 30.0, 2000.0])
@pytest.mark.parametrize("device", ["cpu", "torch"])
def test_the_partition_function_is_that_of_scipy(beta: float, device: Device) -> None:
    if device == "torch":
        pytest.importorskip("torch")
    sources, targets = space(1500), space(70, seed=1)

    penalty = softmax_penalty(sources, targets, beta, block=33, device=device)

    expected = logsumexp(beta * (targets.astype(float) @ sources.astype(float).T), axis=1) / beta
    np.testing.assert_allclose(penalty, expected, atol=2e-6)


def test_a_planted_hub_is_found() -> None:
    targets = space(400, width=30)
    hub = unit(targets.mean(axis=0, keepdims=True) + 0.02)
    targets[7] = hub
    queries = unit(space(300, width=30, seed=1) + 2 * hub)

    found = hubness(nearest(queries, targets, 5), len(targets))

    assert (found.hub, found.largest, found.queries, found.k) == (7, 300, 300, 5)
    assert found.skewness > 5


def test_hubness_by_hand() -> None:
    rows = np.array([[0], [0], [1]])

    found = hubness(Neighbours(rows, np.ones((3, 1), dtype=np.float32)), 4)

    counts = np.array([2, 1, 0, 0])  # mean 3/4
    away = counts - 0.75
    assert found.skewness == pytest.approx((away**3).mean() / (away**2).mean() ** 1.5)
    assert (found.never, found.hub, found.largest) == (0.5, 0, 2)
