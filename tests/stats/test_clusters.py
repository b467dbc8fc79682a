"""Clusters drawn anew and sign flips, against closed forms, exact enumeration and simulated truth."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from crossgraft.stats.clusters import cluster_draws, cluster_sums, sign_flips


def test_rows_are_summed_within_clusters() -> None:
    rows = np.array([[1.0, 1.0], [0.5, 1.0], [0.25, 1.0]])

    assert cluster_sums(rows, np.array([2, 0, 2]), 3).tolist() == [[0.5, 1.0], [0.0, 0.0], [1.25, 2.0]]


def test_the_spread_of_a_cell_is_its_standard_error() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(300)
    sums = np.stack([values, np.ones(300)], axis=-1)[None]

    drawn = cluster_draws(sums, draws=4000, rng=rng)[:, 0]

    assert drawn.mean() == pytest.approx(values.mean(), abs=0.002)
    assert drawn.std() == pytest.approx(values.std() / np.sqrt(300), rel=0.05)


def test_cells_that_ask_the_same_concepts_are_no_surer_together() -> None:
    values = np.random.default_rng(1).random(200)
    sums = np.stack([np.stack([values, np.ones(200)], axis=-1)] * 3)

    drawn = cluster_draws(sums, draws=500, rng=np.random.default_rng(2))

    assert drawn.mean(axis=1).std() == pytest.approx(drawn[:, 0].std(), rel=1e-9)


def test_a_cluster_a_cell_lacks_has_no_weight_in_it() -> None:
    sums = np.array([[[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]]])

    drawn = cluster_draws(sums, draws=300, rng=np.random.default_rng(3))

    assert np.nanmin(drawn) == np.nanmax(drawn) == 1.0


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
