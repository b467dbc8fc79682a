"""C1: its loss against its formula and differences of it, and spaces that no linear map makes equal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.mapping.c1 import C1
from crossgraft.embeddings.mapping.steps.whitening import advanced
from crossgraft.embeddings.spaces.space import Space, Vectors, unit
from crossgraft.errors import JobFailed, MissingExtra, SpecError
from planted import clouds, hits, rng, same, space

pytest.importorskip("torch")

from crossgraft.embeddings.mapping.steps.contrastive import Descent, descended

QUICK = C1(rounds=2, steps=20, negatives=20, mined=100)


def folded(n: int = 300, d: int = 20, *, noise: float = 0.12) -> tuple[Space, Space]:
    """A space and its rotation, bent: every coordinate is drawn towards its root, and noise is added."""
    draws = rng()
    x = clouds(n, d)
    turned = x @ np.linalg.qr(draws.normal(size=(d, d)))[0]
    bent = unit(np.sign(turned) * np.abs(turned) ** 0.5)
    return space(x), space(unit(bent + noise * draws.normal(size=(n, d))))


def loss(x: Vectors, y: Vectors, pairs: np.ndarray, count: int) -> float:
    """As in the paper, pair by pair, in float64."""
    cosines = unit(x.astype(np.float64)) @ unit(y.astype(np.float64)).T
    total = 0.0
    for i, j in pairs:
        wrong_y = np.sort(np.delete(cosines[i], j))[-count:]
        wrong_x = np.sort(np.delete(cosines[:, j], i))[-count:]
        total -= np.log(np.exp(cosines[i, j]) / np.exp([cosines[i, j], *wrong_x, *wrong_y]).sum())
    return float(total / len(pairs))


def test_the_loss_is_that_of_the_paper() -> None:
    source, target = folded(60, 8)
    pairs = np.stack([np.arange(30), np.roll(np.arange(30), 1)], axis=1)
    start = advanced(source.vectors, target.vectors)

    _, losses = descended(source.vectors, target.vectors, pairs, start, Descent(1, 0.1, 1, 1, 10))

    x, y = start.map_source(source.vectors), start.map_target(target.vectors)
    assert losses == [pytest.approx(loss(x, y, pairs, 10), abs=1e-5)]


def test_a_step_goes_against_the_gradient_with_lengths_held_constant() -> None:
    """All words are negatives, so the loss is smooth; the gradient is measured by central differences."""
    source, target = folded(12, 3)
    pairs = same(12)
    x, y = source.vectors.astype(np.float64), target.vectors.astype(np.float64)
    w = np.eye(3) + 0.1 * rng().normal(size=(3, 3))
    lengths = np.linalg.norm(x @ w, axis=1, keepdims=True)

    def at(candidate: np.ndarray) -> float:
        cosines = x @ candidate / lengths @ y.T
        right = np.diag(cosines)
        everything = np.exp(cosines).sum(axis=0) + np.exp(cosines).sum(axis=1) - np.exp(right)
        return float(np.mean(np.log(everything) - right))

    gradient = np.zeros((3, 3))
    for place in np.ndindex(3, 3):
        nudge = np.zeros((3, 3))
        nudge[place] = 1e-4
        gradient[place] = (at(w + nudge) - at(w - nudge)) / 2e-4

    found, _ = descended(source.vectors, target.vectors, pairs, Mapping(w), Descent(1, 1e-2, 1, 1e9, 11))

    assert (w - found.source) / 1e-2 == pytest.approx(gradient, abs=1e-4)


def test_gradients_are_cut_together_and_the_rate_decays() -> None:
    source, target = folded(40, 4)
    start = Mapping(np.eye(4), np.eye(4))

    one, _ = descended(source.vectors, target.vectors, same(40), start, Descent(1, 1.0, 0.5, 1e-3, 5))
    two, _ = descended(source.vectors, target.vectors, same(40), start, Descent(2, 1.0, 0.5, 1e-3, 5))

    def moved(after: Mapping, before: Mapping) -> float:
        return float(
            np.hypot(np.linalg.norm(after.source - before.source), np.linalg.norm(after.target - before.target))
        )

    assert moved(one, start) == pytest.approx(1e-3, rel=1e-2)
    assert moved(two, one) == pytest.approx(5e-4, rel=1e-2)


def test_it_ends_with_less_of_its_loss_than_it_starts_with() -> None:
    """Of spaces that no linear maps make equal: the facts say so, and the formula at both maps."""
    source, target = folded(400, 20, noise=0.22)
    pairs = same(300)
    start = advanced(source.vectors[:300], target.vectors[:300])

    found = C1(rounds=1, steps=40, rate=0.5, negatives=20).fit(source, target, pairs, rng())

    before, after = (
        loss(one.map_source(source.vectors), one.map_target(target.vectors), pairs, 20) for one in (start, found)
    )
    assert found.facts["objective"][0] == pytest.approx(before, abs=1e-5)
    assert after < before - 0.003


def test_self_learning_finds_words_beyond_a_small_dictionary() -> None:
    source, target = folded()
    train = same(40)
    start = advanced(source.vectors[:40], target.vectors[:40])

    found = C1(mode="semi-supervised", steps=20, negatives=20, mined=150).fit(source, target, train, rng())

    assert found.facts["pairs"][0] == 40
    assert min(found.facts["pairs"][1:]) > 100
    rest = slice(40, None)
    assert hits(found, source, target, rest) > hits(start, source, target, rest)


def test_mined_pairs_have_no_word_of_the_dictionary_and_join_both_directions() -> None:
    source, target = folded(200)

    found = C1(mined=80)._mined(advanced(source.vectors, target.vectors), source.vectors, target.vectors, same(50))

    assert found.min() >= 50
    assert 60 <= len(np.unique(found, axis=0)) == len(found) <= 160
    assert np.mean(found[:, 0] == found[:, 1]) > 0.95


def test_words_of_the_dictionary_beyond_the_frequent_ones_stay() -> None:
    source, target = folded(100)

    x, y, rows = C1(frequent=20)._words(source, target, np.array([[3, 70], [90, 5], [90, 70]]))

    assert (len(x), len(y)) == (21, 21)
    assert np.array_equal(x[rows[:, 0]], source.vectors[[3, 90, 90]])
    assert np.array_equal(y[rows[:, 1]], target.vectors[[70, 5, 70]])


def test_two_fits_are_the_same() -> None:
    source, target = folded(100, 6)

    one, other = (QUICK.fit(source, target, same(50), np.random.default_rng(seed)) for seed in (1, 2))

    assert np.array_equal(one.source, other.source)
    assert np.array_equal(one.target, other.target)


def test_a_vocabulary_of_three_words_has_two_negatives() -> None:
    source, target = folded(3, 5)

    found = QUICK.fit(source, target, same(3), rng())

    assert np.isfinite(found.source).all()


def test_the_facts_hold_at_most_fifty_losses_and_the_dictionary_of_each_round() -> None:
    source, target = folded(60, 5)

    found = C1(rounds=2, steps=40, negatives=5, mined=10).fit(source, target, same(20), rng())

    assert len(found.facts["objective"]) == 50
    assert found.facts["pairs"][0] == 20
    assert len(found.facts["pairs"]) == 2


def test_what_is_not_set_is_the_authors() -> None:
    large, small = C1(), C1(mode="semi-supervised", steps=7)

    assert (large.rounds, large.steps, large.rate, large.decay, large.negatives) == (2, 200, 1.5, 0.99, 150)
    assert (small.rounds, small.steps, small.rate, small.decay, small.negatives) == (3, 7, 2.0, 1.0, 60)


def test_a_negative_number_is_an_error() -> None:
    with pytest.raises(SpecError, match="expected steps of at least 1; got -3"):
        C1(steps=-3)


def test_a_rate_that_leads_nowhere_is_one_sentence() -> None:
    source, target = folded(30, 5)

    with pytest.raises(JobFailed, match=r"c1 diverged with a rate of 1e\+39; set a smaller one"):
        replace(QUICK, rate=1e39).fit(source, target, same(20), rng())


@pytest.mark.usefixtures("without_torch")
def test_without_torch_one_sentence_says_what_to_install() -> None:
    source, target = folded(20, 3)

    with pytest.raises(MissingExtra, match=r"c1 needs the extra 'torch'"):
        QUICK.fit(source, target, same(10), rng())
