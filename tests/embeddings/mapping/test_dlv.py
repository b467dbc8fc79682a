"""DLV: the matching against a dense solver, and what one-to-one brings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from crossgraft.embeddings.mapping.dlv import DLV, matching
from crossgraft.embeddings.mapping.procrustes import Procrustes
from crossgraft.embeddings.retrieval import nearest
from crossgraft.embeddings.spaces.space import unit
from planted import hits, rng, rotated, same, space


@pytest.mark.parametrize(("n", "m"), [(40, 60), (60, 40)])
def test_the_matching_is_that_of_a_dense_solver(n: int, m: int) -> None:
    draws = rng()
    x, y = (unit(draws.normal(size=(size, 4)).astype(np.float32)) for size in (n, m))
    found = nearest(x, y, 3)

    pairs = matching(found, m)

    gain = np.zeros((n, m + n))  # a stranger or nobody adds nothing
    np.put_along_axis(gain, found.rows, found.similarity.astype(float), axis=1)
    best = gain[linear_sum_assignment(gain, maximize=True)].sum()
    assert gain[pairs[:, 0], pairs[:, 1]].sum() == pytest.approx(best, abs=1e-9)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    assert all(target in found.rows[row] for row, target in pairs)


def test_nobody_is_matched_with_a_word_on_the_far_side() -> None:
    x = unit(np.array([[1, 0], [-1, 0.1]], dtype=np.float32))

    assert matching(nearest(x, x[:1], 1), 1).tolist() == [[0, 0]]


def test_few_pairs_go_further_than_with_procrustes() -> None:
    source, target, _ = rotated(n=400, d=20, noise=0.5)

    mapping = DLV().fit(source, target, same(25), rng())

    assert (
        hits(mapping, source, target) > hits(Procrustes().fit(source, target, same(25), rng()), source, target) + 0.05
    )
    assert mapping.facts["converged"]


def test_an_exact_rotation_is_matched_whole() -> None:
    source, target, planted = rotated(noise=0.0)

    mapping = DLV().fit(source, target, same(20), rng())

    assert mapping.source == pytest.approx(planted, abs=1e-5)
    assert mapping.facts["pairs"] == [20, 200]
    assert mapping.facts["objective"] == pytest.approx(1, abs=1e-5)


def test_a_last_round_that_still_gained_is_not_called_converged() -> None:
    source, target, _ = rotated(n=400, d=20, noise=0.5)

    assert not DLV(rounds=1).fit(source, target, same(25), rng()).facts["converged"]


def test_a_vocabulary_of_three_words_is_enough() -> None:
    tiny = space(np.eye(3))

    assert hits(DLV().fit(tiny, tiny, same(2), rng()), tiny, tiny) == 1
