"""Distances of shape against closed forms, brute force and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import laplacian
from scipy.spatial.distance import cdist

from crossgraft.embeddings.spaces.isomorphism import (
    bottleneck,
    isomorphism,
    laplacian_distance,
    laplacian_spectrum,
    shape,
    singular_value_gap,
)
from crossgraft.embeddings.spaces.space import Space, Vectors, unit

RNG = np.random.default_rng(0)


def space(vectors: Vectors) -> Space:
    return Space(tuple(map(str, range(len(vectors)))), unit(np.asarray(vectors, dtype=np.float32)))


def stretched(n: int = 150, *, seed: int = 0) -> Vectors:
    """A cloud whose axes differ in length."""
    return np.asarray(np.random.default_rng(seed).normal(size=(n, 6)) * [4, 2, 1, 1, 0.5, 0.2])


def test_a_rotation_changes_nothing() -> None:
    rotation = np.linalg.qr(RNG.normal(size=(6, 6)))[0]

    found = isomorphism(shape(space(stretched())), shape(space(stretched() @ rotation)))

    assert list(found.values()) == pytest.approx([0.0, 0.0, 0.0], abs=1e-4)


def test_another_cloud_is_further_off_than_a_noisy_copy() -> None:
    first = stretched()
    near = isomorphism(shape(space(first)), shape(space(first + 0.01 * RNG.normal(size=first.shape))))
    far = isomorphism(shape(space(first)), shape(space(RNG.normal(size=first.shape))))

    assert all(near[name] < far[name] / 2 for name in near)


def test_it_does_not_matter_which_is_the_source() -> None:
    first, second = shape(space(stretched())), shape(space(stretched(120, seed=1)))

    assert isomorphism(first, second) == pytest.approx(isomorphism(second, first))


def test_the_spectrum_of_a_ring_is_known() -> None:
    """Rows around a circle, each joined with the two beside it: eigenvalues 2 - 2 cos(2πk/n)."""
    angles = 2 * np.pi * np.arange(12) / 12
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    expected = np.sort(2 - 2 * np.cos(angles))[::-1]
    assert laplacian_spectrum(circle, 2) == pytest.approx(expected, abs=1e-6)


def test_the_spectrum_is_scipys() -> None:
    x = space(stretched(40)).vectors
    similar = x @ x.T
    np.fill_diagonal(similar, -np.inf)
    near = np.argsort(-similar, axis=1)[:, :5]
    joined = np.zeros((40, 40))
    np.put_along_axis(joined, near, 1, axis=1)

    expected = np.linalg.eigvalsh(laplacian(np.maximum(joined, joined.T)))[::-1]
    assert laplacian_spectrum(x, 5) == pytest.approx(expected, abs=1e-9)


def test_only_the_largest_eigenvalues_are_compared() -> None:
    assert laplacian_distance(np.array([9.0, 0.5, 0.5]), np.array([8.0, 1.0, 1.0])) == pytest.approx(1.0)


def test_the_gap_of_scaled_singular_values_is_that_of_the_scale() -> None:
    values = np.array([3.0, 2.0, 1.0, 0.0])

    assert singular_value_gap(values, values * np.e) == pytest.approx(3.0)


def test_vocabularies_of_different_size_have_the_same_singular_values() -> None:
    twice = np.concatenate([stretched()] * 2)

    found = isomorphism(shape(space(stretched())), shape(space(twice)))

    assert found["singular-value gap"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("sizes", [(4, 4), (5, 3), (1, 6), (0, 3)])
def test_the_bottleneck_is_that_of_all_matchings(sizes: tuple[int, int]) -> None:
    """Against a search over thresholds: both sides and their shadows on the diagonal must match below it."""
    rng = np.random.default_rng(sum(sizes))
    for _ in range(20):
        first, second = (np.sort(rng.exponential(size=n))[::-1] for n in sizes)

        assert bottleneck(first, second) == pytest.approx(searched(first, second))


def searched(first: np.ndarray, second: np.ndarray) -> float:
    n, m = len(first), len(second)
    cost = np.zeros((n + m, n + m))
    cost[:n, :m] = cdist(first[:, None], second[:, None])
    cost[:n, m:] = first[:, None] / 2
    cost[n:, :m] = second[None, :] / 2

    def possible(threshold: float) -> bool:
        over = (cost > threshold + 1e-12).astype(float)
        return bool(over[linear_sum_assignment(over)].sum() == 0)

    return min(value for value in np.unique(np.append(cost, 0.0)) if possible(value))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_space_of_a_few_words_has_a_shape(n: int) -> None:
    found = shape(space(stretched(n)))

    assert len(found.merges) == n - 1
    assert all(value == pytest.approx(0, abs=1e-6) for value in isomorphism(found, found).values())
