"""VecMap's self-learning (Artetxe et al., ACL 2018): dictionaries out of nothing, and better ones out of bad ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import Mapping, Matrix
from crossgraft.embeddings.mapping.steps.candidates import Rows, candidates
from crossgraft.embeddings.mapping.steps.dictionary import less
from crossgraft.embeddings.spaces.space import Space, Vectors, unit


@dataclass(frozen=True)
class Schedule:
    """How the share of candidates that are kept grows: doubled when ``patience`` rounds brought no progress."""

    keep: float = 0.1
    patience: int = 50
    threshold: float = 1e-6  # progress, in mean cosine
    neighbours: int = 10  # of CSLS
    rounds: int = 5000  # at most


@dataclass(frozen=True)
class Induced:
    """The last rotation and the dictionary it led to; the mean cosine of words to their nearest, both ways, by round."""

    w: Matrix
    pairs: Pairs
    objectives: tuple[float, ...]
    settled: bool  # at the end all candidates were kept, and it got no better

    @property
    def mutual(self) -> Pairs:
        """Words that choose each other: both sides named the pair."""
        found, counts = np.unique(self.pairs, axis=0, return_counts=True)
        return np.asarray(found[counts > 1])


def seed_pairs(x: Vectors, y: Vectors, neighbours: int) -> Pairs:
    """Words whose similarities to all words of their own language are spread alike.

    Rows of ``(xxᵀ)^½``, sorted, depend neither on the axes of a space nor on the order of its other words, so they can
    be compared between languages: by CSLS, in both directions, for as many words on each side.
    """
    count = min(len(x), len(y))
    return chosen(spread(x[:count]), spread(y[:count]), neighbours)[0]


def spread(x: Vectors) -> Vectors:
    """The sorted rows of ``(xxᵀ)^½``, normalised as word vectors are. (n, n)"""
    u, s, _ = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    half = u * np.sqrt(s)
    found = np.sort((half @ half.T).astype(np.float32), axis=1)
    return Space((), found).normalised(("unit", "center", "unit")).vectors


def self_learnt(x: Vectors, y: Vectors, w: Matrix, schedule: Schedule, rng: np.random.Generator) -> Induced:
    """A dictionary from a rotation, a rotation from the dictionary, and so on, from few and random candidates to all."""
    keep, best, since, settled = schedule.keep, -np.inf, 0, False
    objectives: list[float] = []
    while True:
        mapped = unit(Mapping(source=w).map_source(x))
        pairs, objective = chosen(mapped, y, schedule.neighbours, keep, rng)
        objectives.append(objective)
        since += 1
        if objective >= best + schedule.threshold:
            best, since = objective, 0
        elif since > schedule.patience:
            settled = keep >= 1
            keep, since = min(1.0, 2 * keep), 0
        if settled or len(objectives) == schedule.rounds:
            return Induced(w, pairs, tuple(objectives), settled)
        w = _rotation(x, y, pairs)


def chosen(
    x: Vectors, y: Vectors, neighbours: int, keep: float = 1.0, rng: np.random.Generator | None = None
) -> tuple[Pairs, float]:
    """Every word with its best by CSLS, from both sides, and the mean cosine of words to their nearest.

    Each candidate of a word is kept with probability ``keep``; those that are not cannot be chosen (in the authors'
    code they count as 0, which may still be the largest). A pair that both sides choose is there twice, and weighs twice.
    """
    n, m = len(x), len(y)
    near_x, near_y = candidates(x, y, np.full(n, min(neighbours, m)), np.full(m, min(neighbours, n)))
    objective = float(near_x.first.mean() + near_y.first.mean()) / 2
    x, y = less(x, y, near_x.mean / np.float32(2), near_y.mean / np.float32(2))
    place_x, place_y = places(n, m, keep, rng), places(m, n, keep, rng)
    of_x, of_y = candidates(x, y, place_x + 1, place_y + 1)
    there = np.stack([np.arange(n), of_x.at(place_x)], axis=1)
    back = np.stack([of_y.at(place_y), np.arange(m)], axis=1)
    return np.concatenate([there, back]), objective


def places(count: int, among: int, keep: float, rng: np.random.Generator | None) -> Rows:
    """Where in its list, best first and counted from 0, each word's first kept candidate stands. (count,)

    If each candidate is kept with probability p by itself, that place is geometric, ``(1 - p)ᵏ p``. One draw a word has
    thus the distribution of one draw a candidate, given that at least one of the candidates is kept.
    """
    if keep >= 1 or rng is None:
        return np.zeros(count, dtype=np.int64)
    any_kept = -np.expm1(among * np.log1p(-keep))
    drawn = np.log1p(-any_kept * rng.random(count)) / np.log1p(-keep)
    return np.asarray(np.minimum(drawn.astype(np.int64), among - 1))


def _rotation(x: Vectors, y: Vectors, pairs: Pairs) -> Matrix:
    """Procrustes' rotation for as many pairs as words: their product is summed in float32."""
    u, _, vt = np.linalg.svd((x[pairs[:, 0]].T @ y[pairs[:, 1]]).astype(np.float64))
    return np.asarray(u @ vt)
