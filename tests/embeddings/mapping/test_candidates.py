"""The best candidates of both languages, against sorting everything."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.embeddings.mapping.steps.candidates import Candidates, Rows, candidates
from crossgraft.embeddings.spaces.space import Vectors, unit


def sorted_rows(scores: Vectors, wanted: Rows) -> list[list[int]]:
    """Of each row the wanted number of columns; a stable sort leaves equals in the order of the columns."""
    return [np.argsort(-row, kind="stable")[:count].tolist() for row, count in zip(scores, wanted, strict=True)]


def lists(found: Candidates) -> list[list[int]]:
    return [part.tolist() for part in np.split(found.row, found.start[1:])]


def grid(n: int, m: int, values: int = 3) -> tuple[Vectors, Vectors]:
    """Vectors of small whole numbers: their products are exact in float32, and most of them are tied."""
    rng = np.random.default_rng(n + m)
    x, y = (rng.integers(-values, values + 1, size=(count, 4)).astype(np.float32) for count in (n, m))
    return x, y


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 700), (63, 65), (64, 256), (257, 129), (300, 1)])
@pytest.mark.parametrize("most", [1, 7, 1000])
def test_they_are_the_first_of_a_stable_sort(n: int, m: int, most: int) -> None:
    """Whole and broken blocks and groups; fewer candidates than groups, more than groups, all there are."""
    x, y = grid(n, m)
    rng = np.random.default_rng(5)
    of_x, of_y = rng.integers(1, min(most, m) + 1, size=n), rng.integers(1, min(most, n) + 1, size=m)

    near_x, near_y = candidates(x, y, of_x, of_y)

    assert lists(near_x) == sorted_rows(x @ y.T, of_x)
    assert lists(near_y) == sorted_rows(y @ x.T, of_y)


def test_large_vocabularies_are_in_larger_groups() -> None:
    x, y = grid(4100, 4200, values=60)
    of_x, of_y = np.arange(4100) % 50 + 1, np.arange(4200) % 30 + 1

    near_x, near_y = candidates(x, y, of_x, of_y)

    some = slice(None, None, 97)
    assert lists(near_x)[some] == sorted_rows(x[some] @ y.T, of_x[some])
    assert lists(near_y)[some] == sorted_rows(y[some] @ x.T, of_y[some])


def test_words_that_ask_for_one_stand_beside_words_that_ask_for_all() -> None:
    x, y = grid(300, 500)
    of_x = np.where(np.arange(300) % 2, 1, 500)
    of_y = np.where(np.arange(500) % 3, 300, 1)

    near_x, near_y = candidates(x, y, of_x, of_y)

    assert lists(near_x) == sorted_rows(x @ y.T, of_x)
    assert lists(near_y) == sorted_rows(y @ x.T, of_y)


def test_similarities_are_those_of_the_rows_named_and_their_means_and_firsts() -> None:
    rng = np.random.default_rng(1)
    x, y = (unit(rng.normal(size=(count, 20)).astype(np.float32)) for count in (130, 190))

    near, _ = candidates(x, y, np.full(130, 10), np.full(190, 1))

    best = -np.sort(-(x @ y.T), axis=1)[:, :10]
    assert near.similarity.reshape(130, 10) == pytest.approx(best, abs=1e-6)
    assert near.mean == pytest.approx(best.mean(axis=1), abs=1e-6)
    assert near.first == pytest.approx(best[:, 0], abs=1e-6)
    assert near.at(np.full(130, 9)).tolist() == near.row.reshape(130, 10)[:, 9].tolist()
