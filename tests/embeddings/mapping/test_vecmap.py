"""VecMap: the advanced mapping against its definition, and dictionaries found where the truth is planted."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.embeddings.mapping import mapper
from crossgraft.embeddings.mapping.steps.induction import seed_pairs
from crossgraft.embeddings.mapping.steps.whitening import advanced
from crossgraft.embeddings.spaces.space import Space, Vectors
from crossgraft.errors import DataError

STEPS = ("unit", "center", "unit")
NONE = np.empty((0, 2), dtype=np.int64)


def planted(words: int, noise: float, *, seed: int = 0, width: int = 20) -> tuple[Space, Space]:
    """A clustered, lopsided space and its rotation with noise; word n translates word n."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(25, width)) ** 3
    shared = centres[rng.integers(25, size=words)] + rng.normal(size=(words, width)) * np.linspace(2.0, 0.5, width)
    w = np.linalg.qr(rng.normal(size=(width, width)))[0]
    names = tuple(f"w{n}" for n in range(words))
    y = shared @ w + noise * rng.normal(size=shared.shape)
    return (
        Space(names, shared.astype(np.float32)).normalised(STEPS),
        Space(tuple(f"v{n}" for n in range(words)), y.astype(np.float32)).normalised(STEPS),
    )


def right(source: Vectors, target: Vectors) -> float:
    similarity = source @ (target / np.linalg.norm(target, axis=1, keepdims=True)).T
    return float(np.mean(similarity.argmax(axis=1) == np.arange(len(source))))


def test_the_advanced_mapping_is_its_four_steps() -> None:
    """Written out with inverse square roots of matrices instead of singular vectors."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(60, 5)), rng.normal(size=(60, 5))

    def root(matrix: np.ndarray, power: float) -> np.ndarray:
        values, vectors = np.linalg.eigh(matrix)
        return vectors @ np.diag(values**power) @ vectors.T

    cx, cy = root(x.T @ x, -0.5), root(y.T @ y, -0.5)
    p, s, qt = np.linalg.svd(cx @ x.T @ y @ cy)
    expected_x = x @ cx @ p @ np.diag(s**0.5) @ p.T @ root(x.T @ x, 0.5) @ p
    expected_y = y @ cy @ qt.T @ np.diag(s**0.5) @ qt @ root(y.T @ y, 0.5) @ qt.T

    found = advanced(x.astype(np.float32), y.astype(np.float32))

    np.testing.assert_allclose(found.map_source(x.astype(np.float32)), expected_x, atol=1e-4)
    np.testing.assert_allclose(found.map_target(y.astype(np.float32)), expected_y, atol=1e-4)


def test_the_seed_sees_neither_axes_nor_the_order_of_words() -> None:
    """A pure rotation with its words shuffled: similarity to the rest of the language names most of them."""
    source, target = planted(300, 0.0)
    order = np.random.default_rng(2).permutation(300)

    pairs = seed_pairs(source.vectors, target.vectors[order], 10)

    assert np.mean(pairs[:, 0] == order[pairs[:, 1]]) > 0.9


@pytest.mark.parametrize("mode", ["unsupervised", "semi-supervised"])
def test_a_planted_isometry_is_found(mode: str) -> None:
    source, target = planted(400, 0.15)
    method = mapper(f"vecmap:{mode}", {"patience": 3, "keep": 0.5})
    pairs = np.stack([np.arange(15)] * 2, axis=1) if method.uses_dictionary else NONE

    found = method.fit(source, target, pairs, np.random.default_rng(1))

    assert right(found.map_source(source.vectors), found.map_target(target.vectors)) > 0.95
    assert found.facts["converged"]


def test_spaces_that_have_nothing_in_common_are_no_success() -> None:
    source, _ = planted(300, 0.0)
    _, target = planted(300, 0.0, seed=9)

    found = mapper("vecmap:unsupervised", {"patience": 3, "keep": 0.5}).fit(
        source, target, NONE, np.random.default_rng(1)
    )

    assert not found.facts["converged"]
    assert right(found.map_source(source.vectors), found.map_target(target.vectors)) < 0.1


def test_the_same_seed_gives_the_same_mapping() -> None:
    source, target = planted(200, 0.3)
    method = mapper("vecmap:unsupervised", {"patience": 2, "keep": 0.5})

    first, second = (method.fit(source, target, NONE, np.random.default_rng(4)) for _ in range(2))

    assert np.array_equal(first.source, second.source)  # type: ignore[arg-type]


def test_words_written_the_same_are_a_start_and_their_absence_is_said() -> None:
    source, target = planted(300, 0.15)
    alike = Space((*source.words[:40], *target.words[40:]), target.vectors)
    method = mapper("vecmap:identical", {"patience": 3, "keep": 0.5})

    found = method.fit(source, alike, NONE, np.random.default_rng(1))

    assert right(found.map_source(source.vectors), found.map_target(target.vectors)) > 0.95
    with pytest.raises(DataError, match="no word is written the same in both vocabularies"):
        method.fit(source, target, NONE, np.random.default_rng(1))
