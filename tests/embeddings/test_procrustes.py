from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from crossgraft.embeddings.mapping.procrustes import Procrustes
from crossgraft.embeddings.spaces.space import Space
from crossgraft.errors import DataError


def spaces(noise: float) -> tuple[Space, Space, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 6))
    rotation, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    y = x @ rotation + noise * rng.normal(size=x.shape)
    words = tuple(map(str, range(50)))
    return Space(words, x.astype(np.float32)), Space(words, y.astype(np.float32)), rotation


RNG = np.random.default_rng(0)
PAIRS = np.stack([np.arange(30)] * 2, axis=1)


def test_it_recovers_a_known_rotation() -> None:
    source, target, rotation = spaces(noise=0.0)

    mapping = Procrustes().fit(source, target, PAIRS, RNG)

    assert mapping.source == pytest.approx(rotation, abs=1e-5)


def test_it_agrees_with_scipy() -> None:
    source, target, _ = spaces(noise=0.5)

    mapping = Procrustes().fit(source, target, PAIRS, RNG)

    expected, _ = orthogonal_procrustes(source.vectors[:30].astype(float), target.vectors[:30].astype(float))
    assert mapping.source == pytest.approx(expected, abs=1e-9)


def test_it_keeps_lengths_and_angles() -> None:
    source, target, _ = spaces(noise=0.5)

    mapped = Procrustes().fit(source, target, PAIRS, RNG).map_source(source.vectors)

    assert mapped @ mapped.T == pytest.approx(source.vectors @ source.vectors.T, abs=1e-4)


def test_no_known_pair_is_an_error() -> None:
    source, target, _ = spaces(noise=0.0)

    with pytest.raises(DataError, match="no dictionary entry is in both vocabularies"):
        Procrustes().fit(source, target, PAIRS[:0], RNG)
