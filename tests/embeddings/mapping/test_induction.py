"""Dictionaries by CSLS with candidates left out at random, against drawing for every candidate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from crossgraft.embeddings.mapping.steps.induction import Schedule, chosen, places, self_learnt, spread
from crossgraft.embeddings.spaces.space import Vectors, unit


def spaces(n: int, m: int, width: int = 8) -> tuple[Vectors, Vectors]:
    rng = np.random.default_rng(n)
    return tuple(unit(rng.normal(size=(count, width)).astype(np.float32)) for count in (n, m))  # type: ignore[return-value]


@pytest.mark.parametrize(("among", "keep"), [(6, 0.3), (40, 0.2)])
def test_places_are_those_of_the_first_kept_of_a_bernoulli_draw(among: int, keep: float) -> None:
    """By chi-square against the naive draw's law: first success in ``among`` trials, where there is one."""
    found = np.bincount(places(20_000, among, keep, np.random.default_rng(3)), minlength=among)

    drawn = np.random.default_rng(4).random((200_000, among)) < keep
    drawn = drawn[drawn.any(axis=1)]
    law = keep * (1 - keep) ** np.arange(among)
    naive = np.bincount(drawn.argmax(axis=1), minlength=among)
    tail = max(2, int(np.searchsorted(-law, -0.001)))  # cells of less than 20 draws go together
    for counts in (found, naive):
        cells = np.append(counts[:tail], counts[tail:].sum())
        shares = np.append(law[:tail], law[tail:].sum())
        used = shares > 0
        assert chisquare(cells[used], counts.sum() * (shares / shares.sum())[used]).pvalue > 0.01


def test_all_are_kept_without_a_draw() -> None:
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state

    assert places(5, 100, 1.0, rng).tolist() == [0] * 5
    assert rng.bit_generator.state == before


def test_hardly_any_kept_still_leaves_one() -> None:
    found = places(10_000, 7, 1e-9, np.random.default_rng(0))

    assert found.min() == 0
    assert found.max() == 6


def test_the_dictionary_is_the_best_by_csls_from_both_sides() -> None:
    """Against the definition, ``cos - r(x)/2 - r(y)/2``, from the whole matrix."""
    x, y = spaces(90, 130)
    cosines = x @ y.T
    near_x, near_y = (np.sort(side, axis=1)[:, -10:].mean(axis=1) for side in (cosines, cosines.T))
    csls = cosines - near_x[:, None] / 2 - near_y[None, :] / 2

    pairs, objective = chosen(x, y, 10)

    assert pairs[:90].tolist() == [[row, int(csls[row].argmax())] for row in range(90)]
    assert pairs[90:].tolist() == [[int(csls[:, row].argmax()), row] for row in range(130)]
    assert objective == pytest.approx((cosines.max(axis=1).mean() + cosines.max(axis=0).mean()) / 2, abs=1e-6)


def test_a_word_whose_first_candidates_are_left_out_gets_the_best_of_the_others() -> None:
    """The same seed draws the same places; each chosen candidate stands in its place of a sorted list."""
    x, y = spaces(70, 80)
    cosines = x @ y.T
    near_x, near_y = (np.sort(side, axis=1)[:, -5:].mean(axis=1) for side in (cosines, cosines.T))
    csls = cosines - near_x[:, None] / 2 - near_y[None, :] / 2
    rng = np.random.default_rng(6)
    place_x, place_y = places(70, 80, 0.2, rng), places(80, 70, 0.2, rng)

    pairs, _ = chosen(x, y, 5, 0.2, np.random.default_rng(6))

    order_x, order_y = np.argsort(-csls, axis=1), np.argsort(-csls.T, axis=1)
    assert pairs[:70, 1].tolist() == order_x[np.arange(70), place_x].tolist()
    assert pairs[70:, 0].tolist() == order_y[np.arange(80), place_y].tolist()


def test_a_vocabulary_smaller_than_the_neighbourhood_is_all_neighbours() -> None:
    x, y = spaces(3, 2)

    pairs, _ = chosen(x, y, 10, 0.1, np.random.default_rng(0))

    assert pairs.shape == (5, 2)
    assert pairs.min() >= 0
    assert (pairs.max(axis=0) < (3, 2)).all()


def test_spread_rows_are_those_of_the_root_of_the_cosines_sorted_and_normalised() -> None:
    x, _ = spaces(12, 1, width=5)
    values, vectors = np.linalg.eigh(x.astype(np.float64) @ x.T.astype(np.float64))
    root = vectors @ np.diag(np.sqrt(np.clip(values, 0, None))) @ vectors.T
    expected = unit(np.sort(root, axis=1).astype(np.float32))
    expected = unit(expected - expected.mean(axis=0))

    assert spread(x) == pytest.approx(expected, abs=1e-4)


def test_learning_ends_settled_or_after_the_rounds_it_is_given() -> None:
    x, y = spaces(60, 60)

    cut = self_learnt(x, y, np.eye(8), Schedule(rounds=3), np.random.default_rng(0))
    whole = self_learnt(x, y, np.eye(8), Schedule(keep=0.5, patience=2), np.random.default_rng(0))

    assert (len(cut.objectives), cut.settled) == (3, False)
    assert whole.settled
