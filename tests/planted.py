"""Pairs of spaces of which the right mapping is known."""

from __future__ import annotations

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.spaces.space import Space, Vectors, unit

NO_PAIRS: Pairs = np.empty((0, 2), dtype=np.int64)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def space(vectors: np.ndarray) -> Space:
    return Space(tuple(map(str, range(len(vectors)))), vectors.astype(np.float32))


def same(count: int) -> Pairs:
    """The first rows, each with itself."""
    return np.stack([np.arange(count)] * 2, axis=1)


def clouds(n: int = 200, d: int = 10, seed: int = 0) -> Vectors:
    """Unit vectors that no rotation leaves in place: axes of different lengths, each skewed."""
    draws = np.random.default_rng(seed).gamma(1.0, size=(n, d)) * np.geomspace(1, 0.3, d)
    return unit((draws - draws.mean(axis=0)).astype(np.float32))


def rotated(n: int = 200, d: int = 10, noise: float = 0.0, seed: int = 0) -> tuple[Space, Space, np.ndarray]:
    """A space, the same rotated and with noise (relative to the length of a vector), and the rotation."""
    draws = np.random.default_rng(seed + 1)
    x = clouds(n, d, seed)
    rotation, _ = np.linalg.qr(draws.normal(size=(d, d)))
    return space(x), space(unit(x @ rotation + noise / np.sqrt(d) * draws.normal(size=(n, d)))), rotation


def bent(n: int = 200, d: int = 10, seed: int = 0) -> tuple[Space, Space, np.ndarray]:
    """A space, the same under a map that stretches some directions a hundred times as much as others, and the map."""
    draws = np.random.default_rng(seed + 2)
    x = draws.normal(size=(n, d))
    turn, back = (np.linalg.qr(draws.normal(size=(d, d)))[0] for _ in range(2))
    matrix = turn @ np.diag(np.geomspace(1, 100, d)) @ back
    return space(x), space(x @ matrix), matrix


def hits(mapping: Mapping, source: Space, target: Space, rows: slice = slice(None)) -> float:
    """The share of words whose nearest word of the other language is the one in the same row."""
    mapped, into = unit(mapping.map_source(source.vectors)), unit(mapping.map_target(target.vectors))
    return float(np.mean((mapped @ into.T).argmax(axis=1)[rows] == np.arange(len(mapped))[rows]))
