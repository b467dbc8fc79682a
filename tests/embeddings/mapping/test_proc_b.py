"""PROC-B: what is added to the dictionary, and that it helps where there are few pairs."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.embeddings.mapping.proc_b import ProcB
from crossgraft.embeddings.mapping.procrustes import Procrustes, rotation
from crossgraft.embeddings.mapping.steps.dictionary import frequent_first, mutual
from crossgraft.embeddings.spaces.space import unit
from crossgraft.errors import DataError, SpecError
from planted import hits, rng, rotated, same, space

MODES = ["paper", "growing", "csls"]


@pytest.mark.parametrize("mode", MODES)
def test_few_pairs_go_further_than_with_procrustes(mode: str) -> None:
    source, target, _ = rotated(n=400, d=20, noise=0.5)

    mapping = ProcB(mode).fit(source, target, same(25), rng())  # type: ignore[arg-type]

    plain = hits(Procrustes().fit(source, target, same(25), rng()), source, target)
    assert hits(mapping, source, target) > plain + 0.05


def test_the_paper_adds_the_most_frequent_mutual_neighbours_once() -> None:
    source, target, _ = rotated(noise=0.5)
    given = same(30)

    mapping = ProcB(limit=50).fit(source, target, given, rng())

    x, y = source.vectors, target.vectors
    similar = unit((x @ rotation(x[:30], y[:30])).astype(np.float32)) @ y.T
    found = sorted((i + j, i, j) for i, j in enumerate(similar.argmax(axis=1)) if similar[:, j].argmax() == i)[:20]
    pairs = np.concatenate([given, [(i, j) for _, i, j in found]])
    assert mapping.source == pytest.approx(rotation(x[pairs[:, 0]], y[pairs[:, 1]]), abs=1e-6)
    assert mapping.facts["pairs"] == [30, 50]


def test_a_growing_dictionary_grows_by_no_more_than_half_and_stops_at_the_limit() -> None:
    source, target, _ = rotated(noise=0.1)

    sizes = ProcB("growing", limit=70).fit(source, target, same(20), rng()).facts["pairs"]

    assert sizes == [20, 30, 45, 67, 70]


def test_csls_rounds_end_when_the_pairs_stay_the_same() -> None:
    source, target, _ = rotated(noise=0.0)

    facts = ProcB("csls").fit(source, target, same(20), rng()).facts

    assert facts["pairs"] == [20, 220, 220]
    assert facts["converged"]
    assert not ProcB("csls", rounds=1).fit(source, target, same(20), rng()).facts["converged"]


def test_only_searched_words_become_pairs() -> None:
    source, target, _ = rotated(noise=0.0)

    assert ProcB(search=40).fit(source, target, same(20), rng()).facts["pairs"] == [20, 60]


def test_mutual_csls_is_that_of_the_whole_matrix() -> None:
    source, target, _ = rotated(noise=1.0)
    x, y = source.vectors, target.vectors[:150]

    pairs, similarity = mutual(x, y, density=5)

    cosines = unit(x) @ unit(y).T
    dense = [np.sort(one, axis=1)[:, -5:].mean(axis=1) for one in (cosines, cosines.T)]
    csls = cosines - dense[0][:, None] / 2 - dense[1] / 2
    expected = [(i, j) for i, j in enumerate(csls.argmax(axis=1)) if csls[:, j].argmax() == i]
    assert pairs.tolist() == [list(pair) for pair in expected]
    assert similarity == pytest.approx([csls[pair] for pair in expected], abs=1e-5)


def test_pairs_are_ordered_by_the_sum_of_ranks() -> None:
    assert frequent_first(np.array([[5, 5], [0, 9], [1, 1]])).tolist() == [[1, 1], [0, 9], [5, 5]]


@pytest.mark.parametrize("mode", MODES)
def test_a_vocabulary_of_three_words_is_enough(mode: str) -> None:
    tiny = space(np.eye(3))

    assert hits(ProcB(mode).fit(tiny, tiny, same(2), rng()), tiny, tiny) == 1  # type: ignore[arg-type]


def test_what_cannot_be_is_an_error() -> None:
    source, target, _ = rotated()

    with pytest.raises(DataError, match="no dictionary entry"):
        ProcB().fit(source, target, same(0), rng())
    with pytest.raises(SpecError, match="expected growth above 1.01; got 1.0"):
        ProcB(growth=1.0)
    with pytest.raises(SpecError, match="expected limit of at least 1; got 0"):
        ProcB(limit=0)
