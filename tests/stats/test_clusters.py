"""Clusters drawn anew and sign flips, against closed forms, exact enumeration and simulated truth."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from crossgraft.metrics.base import ratio
from crossgraft.stats.resampling.clusters import cluster_sums, cluster_times, drawn_scores, exchanges, sign_flips


def test_rows_are_summed_within_clusters() -> None:
    rows = np.array([[1.0, 1.0], [0.5, 1.0], [0.25, 1.0]])

    assert cluster_sums(rows, np.array([2, 0, 2]), 3).tolist() == [[0.5, 1.0], [0.0, 0.0], [1.25, 2.0]]


def weighted(values: np.ndarray) -> np.ndarray:
    return np.stack([values, np.ones_like(values)], axis=-1)


def test_the_spread_of_a_cell_is_its_standard_error() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(300)

    drawn = drawn_scores(cluster_times(300, draws=4000, rng=rng), weighted(values), ratio)

    assert drawn.mean() == pytest.approx(values.mean(), abs=0.002)
    assert drawn.std() == pytest.approx(values.std() / np.sqrt(300), rel=0.05)


def test_queries_of_one_concept_are_no_surer_together() -> None:
    rng = np.random.default_rng(1)
    values = rng.random(200)
    times = cluster_times(200, draws=500, rng=rng)
    thrice = np.repeat(np.arange(200), 3)

    assert drawn_scores(times[:, thrice], weighted(values[thrice]), ratio) == pytest.approx(
        drawn_scores(times, weighted(values), ratio),
        abs=1e-5,  # float32
    )


def test_a_draw_without_any_query_of_a_cell_has_no_mean_of_it() -> None:
    times = np.array([[0, 1, 2], [0, 3, 0]], dtype=np.float32)

    assert drawn_scores(times[:, [2]], weighted(np.array([0.5])), ratio) == pytest.approx([0.5, np.nan], nan_ok=True)


def test_the_interval_of_a_mean_over_pairs_covers_it_where_that_of_single_queries_does_not() -> None:
    """60 concepts, hard or easy alike in 5 pairs; 300 studies of them."""
    rng = np.random.default_rng(7)
    queries = rng.normal(size=(300, 5, 60)) * 0.5 + rng.normal(size=(300, 1, 60))

    def covered(study: np.ndarray, place: np.ndarray) -> bool:
        times = cluster_times(place.max() + 1, draws=150, rng=rng)
        low, high = np.quantile(drawn_scores(times[:, place], weighted(study.ravel()), ratio), [0.025, 0.975])
        return bool(low <= 0 <= high)

    concepts, apart = np.tile(np.arange(60), 5), np.arange(300)
    assert np.mean([covered(study, concepts) for study in queries]) == pytest.approx(0.95, abs=0.05)
    assert np.mean([covered(study, apart) for study in queries]) < 0.8


def test_flips_agree_with_all_of_them() -> None:
    differences = np.random.default_rng(4).normal(0.3, 1, size=(8, 2))
    sums = np.array([np.array(signs) @ differences for signs in product((-1, 1), repeat=8)])
    exact = np.mean(np.abs(sums) >= np.abs(differences.sum(axis=0)) - 1e-12, axis=0)

    found = sign_flips(differences, flips=20_000, rng=np.random.default_rng(5))

    assert found == pytest.approx(exact, abs=0.012)


def test_no_difference_at_all_is_no_finding() -> None:
    assert sign_flips(np.zeros((10, 2)), flips=99, rng=np.random.default_rng(0)).tolist() == [1.0, 1.0]


def test_p_is_never_zero() -> None:
    assert sign_flips(np.ones((200, 1)), flips=99, rng=np.random.default_rng(0)).tolist() == [0.01]


def test_equal_methods_differ_in_one_study_of_twenty_when_concepts_are_flipped_whole() -> None:
    """200 studies without a true difference, of 60 concepts that are hard or easy alike in all of 5 pairs."""
    rng = np.random.default_rng(6)
    queries = rng.normal(size=(60, 1, 200)) + rng.normal(size=(60, 5, 200))

    whole = sign_flips(queries.sum(axis=1), flips=999, rng=rng)
    apart = sign_flips(queries.reshape(300, 200), flips=999, rng=rng)

    assert np.mean(whole <= 0.05) == pytest.approx(0.05, abs=0.04)
    assert np.mean(apart <= 0.05) > 0.15


def f1(sums: np.ndarray) -> np.ndarray:
    return np.asarray(2 * sums[..., 0] / (2 * sums[..., 0] + sums[..., 1] + sums[..., 2]))


def test_exchanges_agree_with_all_of_them() -> None:
    rng = np.random.default_rng(8)
    pairs = [(rng.uniform(2, 5, (8, 3)), rng.uniform(1, 5, (8, 3))) for _ in range(2)]

    def difference(swapped: tuple[bool, ...]) -> float:
        chosen = np.array(swapped)[:, None]
        sides = [(np.where(chosen, b, a).sum(axis=0), np.where(chosen, a, b).sum(axis=0)) for a, b in pairs]
        return float(sum(f1(a) - f1(b) for a, b in sides))

    every = np.abs([difference(swapped) for swapped in product((False, True), repeat=8)])

    found = exchanges(pairs, f1, flips=20_000, rng=np.random.default_rng(9))

    assert found == pytest.approx(np.mean(every >= every[0] - 1e-9), abs=0.012)


def test_exchanges_of_means_are_flips_of_signs() -> None:
    rng = np.random.default_rng(10)
    first, second = rng.random(30), rng.random(30) + 0.1

    found = exchanges([(weighted(first), weighted(second))], ratio, flips=20_000, rng=rng)

    flipped = sign_flips((first - second)[:, None], flips=20_000, rng=rng)
    assert found == pytest.approx(flipped[0], abs=0.012)
