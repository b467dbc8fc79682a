"""Hubness: whether a few targets are near to very many queries, and most to none (Radovanović et al., 2010)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossgraft.embeddings.retrieval.best import Neighbours


@dataclass(frozen=True)
class Hubness:
    """How unevenly the k nearest of the queries are spread over the targets.

    N_k of a target is the number of queries among whose k nearest it is.
    """

    k: int
    queries: int
    skewness: float  # E[(N - μ)³] / σ³; NaN where all targets have the same N_k
    never: float  # share of the targets that are near to no query
    hub: int  # row of the target with the largest N_k, of equals the first
    largest: int  # its N_k


def hubness(nearest: Neighbours, targets: int) -> Hubness:
    """Of the neighbours of all queries, among so many targets."""
    counts = np.bincount(nearest.rows.ravel(), minlength=targets)
    away = counts - counts.mean()
    spread = away.std()
    skewness = float(np.mean(away**3) / spread**3) if spread else float("nan")
    hub = int(counts.argmax())
    queries, k = nearest.rows.shape
    return Hubness(k, queries, skewness, float(np.mean(counts == 0)), hub, int(counts[hub]))
