"""Dictionaries out of nothing, and better ones out of bad ones: VecMap's seed and its stochastic induction (ACL 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import Matrix
from crossgraft.embeddings.mapping._dictionary import less
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.retrieval import Neighbours, both_ways, nearest
from crossgraft.embeddings.retrieval.exact import Rows
from crossgraft.embeddings.space import Space, Vectors, unit

_BLOCK = 256  # rows that are drawn to be kept together
_MARGIN = 0.1


@dataclass(frozen=True)
class Schedule:
    """How the share of candidates that are kept grows: doubled after so many rounds without progress."""

    keep: float = 0.1
    patience: int = 50
    least: float = 1e-6  # progress, in mean cosine
    neighbours: int = 10  # of CSLS
    rounds: int = 5000


@dataclass(frozen=True)
class Induced:
    """The rotation and dictionary of the last round; the objective is the mean cosine to the nearest word, both ways."""

    w: Matrix
    pairs: Pairs
    objective: float
    rounds: int
    settled: bool  # all candidates were kept at the end, and it got no better

    @property
    def mutual(self) -> Pairs:
        """Words that choose each other: both sides named the pair."""
        found, counts = np.unique(self.pairs, axis=0, return_counts=True)
        return np.asarray(found[counts > 1])


def seed_pairs(x: Vectors, y: Vectors, neighbours: int) -> Pairs:
    """Words whose similarities to all words of their own language are spread alike.

    Rows of ``(xxᵀ)^½``, sorted, do not depend on the axes of a space nor on the order of the other words, so the two
    languages can be compared row by row: by CSLS, in both directions, of as many words on each side.
    """
    n = min(len(x), len(y))
    a, b = _spread(x[:n]), _spread(y[:n])
    from_a, from_b = both_ways(a, b, neighbours)
    a, b = less(a, b, _half(from_a), _half(from_b))
    forward, backward = both_ways(a, b)
    return _union(forward.rows[:, 0], backward.rows[:, 0])


def _spread(x: Vectors) -> Vectors:
    u, s, _ = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    found = np.sort((u * s) @ u.T, axis=1).astype(np.float32)
    return Space((), found).normalised(("unit", "center", "unit")).vectors


def self_learnt(x: Vectors, y: Vectors, pairs: Pairs, schedule: Schedule, rng: np.random.Generator) -> Induced:
    """A rotation from a dictionary, a dictionary from the rotation, and so on, from few and random candidates to all.

    Of the candidates of a round only a share is kept, so that it cannot settle in the first rut; the paper draws for every
    pair of words, here 256 neighbouring words are drawn the same candidates, which saves the product with the others.
    Candidates that are not kept cannot be chosen (in the authors' code they count as 0, and may be).
    """
    keep, best, best_round, round_ = schedule.keep, -np.inf, 0, 0
    settled = False
    while round_ < schedule.rounds:
        round_ += 1
        w = rotation(x[pairs[:, 0]], y[pairs[:, 1]])
        mapped = unit(np.asarray(x @ w, dtype=np.float32))
        from_x, from_y = both_ways(mapped, y, schedule.neighbours)
        objective = float(from_x.similarity[:, 0].mean() + from_y.similarity[:, 0].mean()) / 2
        if objective >= best + schedule.least:
            best, best_round = objective, round_
        elif round_ - best_round > schedule.patience:
            if keep >= 1:
                settled = True
                break
            keep, best_round = min(1.0, 2 * keep), round_
        pairs = _union(
            _kept_nearest(mapped, y, _half(from_y), keep, rng), _kept_nearest(y, mapped, _half(from_x), keep, rng)
        )
    return Induced(w, pairs, objective, round_, settled)


def _half(neighbours: Neighbours) -> Vectors:
    """What CSLS takes off on each side, where similarity counts once."""
    return np.asarray(neighbours.mean / 2, dtype=np.float32)


def _kept_nearest(queries: Vectors, targets: Vectors, penalty: Vectors, keep: float, rng: np.random.Generator) -> Rows:
    """The nearest target of each query by CSLS, among those that are kept for its block of queries."""
    if keep >= 1:
        return nearest(queries, targets, penalty=penalty).rows[:, 0]
    found = np.empty(len(queries), dtype=np.int64)
    for start in range(0, len(queries), _BLOCK):
        kept = np.flatnonzero(rng.random(len(targets)) < keep)
        if len(kept) == 0:
            kept = rng.integers(len(targets), size=1)
        block = queries[start : start + _BLOCK]
        found[start : start + _BLOCK] = kept[nearest(block, targets[kept], penalty=penalty[kept]).rows[:, 0]]
    return found


def _union(forward: Rows, backward: Rows) -> Pairs:
    """Every word with its choice, from both sides; a pair that both choose is there twice, and weighs twice."""
    there = np.stack([np.arange(len(forward)), forward], axis=1)
    back = np.stack([backward, np.arange(len(backward))], axis=1)
    return np.concatenate([there, back])


def believed(x: Vectors, y: Vectors, found: Induced, schedule: Schedule, rng: np.random.Generator) -> dict[str, object]:
    """Whether a mapping learnt without a dictionary relates the languages; no dictionary is looked at.

    Any two clouds of points can be laid upon each other so that words are near to something. So it is all done again from
    the same rotation after every second principal axis of the source was turned round, which leaves its shape and takes
    its meaning. Where that ends with another dictionary and brings words as near, to within a tenth of what is left to
    cosine 1, the first one is worth no more; where it finds back to the first, that one is no accident.
    """
    _, axes = np.linalg.eigh((x.T @ x).astype(np.float64))
    mirror = (axes * np.where(np.arange(axes.shape[1]) % 2, -1.0, 1.0)) @ axes.T
    start = nearest(unit(np.asarray(x @ mirror @ found.w, dtype=np.float32)), y).rows[:, 0]
    control = self_learnt(x, y, np.stack([np.arange(len(x)), start], axis=1), schedule, rng)
    known = {tuple(pair) for pair in found.mutual.tolist()}
    back = sum(tuple(pair) in known for pair in control.mutual.tolist()) > len(known) / 2
    nearer = found.objective - control.objective > _MARGIN * (1 - control.objective)
    return {
        "objective": found.objective,
        "control": control.objective,
        "found_again": back,
        "converged": bool(found.settled and (nearer or back)),
    }
