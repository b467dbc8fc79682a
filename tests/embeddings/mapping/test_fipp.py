"""FIPP: each step against its definition, and planted rotations."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.embeddings.mapping import identity, mapper
from crossgraft.embeddings.mapping.fipp import FIPP, carried, embedding, filtered, off_components
from planted import hits, rng, rotated, same, space


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_it_finds_a_planted_rotation(noise: float) -> None:
    source, target, _ = rotated(noise=noise)

    assert hits(FIPP().fit(source, target, same(100), rng()), source, target) > 0.95


def test_wanted_inner_products_minimise_the_loss_of_each_entry() -> None:
    draws = rng()
    g, h = draws.normal(size=(2, 6, 6))

    wanted, share = filtered(g, h, 0.5, 0.75)

    near = np.abs(g - h) < 0.5
    weight = np.where(near, 0.75 * near.size / near.sum(), 0)
    slope = 2 * (wanted - g) + 2 * weight * (wanted - h)
    assert share == near.mean()
    assert slope == pytest.approx(np.zeros((6, 6)), abs=1e-6)


def test_without_isometric_entries_the_source_stays() -> None:
    g = np.zeros((2, 2), dtype=np.float32)

    wanted, share = filtered(g, g + 1, 0.5, 1.0)

    assert share == 0
    assert np.array_equal(wanted, g)


def test_an_embedding_has_the_inner_products_it_was_made_from() -> None:
    x = rng().normal(size=(30, 4))

    found = embedding(x @ x.T, 6)

    assert found.shape == (30, 6)
    assert found @ found.T == pytest.approx(x @ x.T, abs=1e-8)
    assert embedding(x[:3] @ x[:3].T, 6).shape == (3, 6)


def test_without_strength_or_components_the_space_is_only_rotated() -> None:
    source, target, _ = rotated(noise=0.5)

    w = FIPP(strength=0, components=0).fit(source, target, same(100), rng()).source

    assert w @ w.T == pytest.approx(np.eye(10), abs=1e-4)


def test_bent_words_are_nearer_to_the_similarities_of_the_target() -> None:
    source, target, _ = rotated(noise=0.3)
    g, h = (one.vectors[:100] @ one.vectors[:100].T for one in (source, target))

    bent = embedding(filtered(g, h, 0.1, 0.75)[0], 10)

    assert np.linalg.norm(bent @ bent.T - h) < np.linalg.norm(g - h)


def test_other_words_keep_their_inner_products_with_the_dictionary() -> None:
    draws = rng()
    x, bent, others = draws.normal(size=(30, 4)), draws.normal(size=(30, 4)), draws.normal(size=(5, 4))

    moved = others @ carried(x.astype(np.float32), bent)

    expected = np.linalg.lstsq(bent, x @ others.T, rcond=None)[0].T
    assert moved == pytest.approx(expected, abs=1e-5)


def test_components_are_those_of_largest_second_moment() -> None:
    vectors = (rng().normal(size=(500, 3)) * [1, 9, 3]).astype(np.float32)

    assert off_components(vectors, 1) == pytest.approx(np.diag([1, 0, 1]), abs=0.1)
    assert np.trace(off_components(vectors, 2)) == pytest.approx(1, abs=1e-5)


def test_a_vocabulary_of_three_words_is_enough() -> None:
    tiny = space(np.eye(3))

    mapping = FIPP(components=0).fit(tiny, tiny, same(3), rng())

    assert hits(mapping, tiny, tiny) == 1


def test_the_rotation_is_that_of_the_carried_words_by_weighted_squares() -> None:
    source, target, _ = rotated(noise=0.5)
    x, y = source.vectors[:100].astype(float), target.vectors[:100].astype(float)
    h = y @ y.T
    residual = np.linalg.norm(filtered(x @ x.T, h, 0.05, 0.75)[0] - h, axis=1)[:, None]

    w = FIPP(components=0).fit(source, target, same(100), rng()).source

    product = (x @ w / residual).T @ (y / residual)  # symmetric where no rotation is left to be made
    assert product == pytest.approx(product.T, abs=1e-4 * np.abs(product).max())


def test_records_of_the_earlier_weights_are_not_taken_for_new_ones() -> None:
    assert identity("fipp", FIPP())["revision"] == 2
    assert "revision" not in identity("procrustes", mapper("procrustes"))
