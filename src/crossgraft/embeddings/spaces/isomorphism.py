"""How alike two spaces are in shape, before any mapping: three distances that are 0 for a rotation."""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import linkage

from crossgraft.core import Floats
from crossgraft.embeddings.retrieval import nearest
from crossgraft.embeddings.spaces.space import Space, Vectors, unit

WORDS = 2000  # the most frequent ones: a graph of n words costs n³
NEIGHBOURS = 10
_ENERGY = 0.9  # share of the sum of eigenvalues that is compared
_EPSILON = 1e-6  # singular values below this share of the largest are zero


@dataclass(frozen=True, eq=False)
class Shape:
    """What the three distances need to know of one space; it takes little memory, whatever the vocabulary."""

    laplacian: Floats  # eigenvalues of the neighbourhood graph, largest first
    singular: Floats  # singular values of the matrix of vectors over √words, largest first
    merges: Floats  # lengths at which single linkage joins words, largest first


def shape(space: Space, *, words: int = WORDS, neighbours: int = NEIGHBOURS) -> Shape:
    """The shape of a space: graph and linkage of its most frequent words, spectrum of all of them."""
    frequent = unit(space.vectors[:words])
    frequent = frequent[np.linalg.norm(frequent, axis=1) > 0]  # a zero vector is near to nothing
    merges = linkage(frequent.astype(np.float64), "single")[::-1, 2] if len(frequent) > 1 else np.zeros(0)
    return Shape(laplacian_spectrum(frequent, neighbours), singular_values(space.vectors), merges)


def isomorphism(source: Shape, target: Shape) -> Table[str, float]:
    """The distances by name; the larger, the less alike, and none knows of a dictionary."""
    return {
        "eigenvector similarity": laplacian_distance(source.laplacian, target.laplacian),
        "singular-value gap": singular_value_gap(source.singular, target.singular),
        "bottleneck of single linkage": bottleneck(source.merges, target.merges),
    }


def laplacian_spectrum(vectors: Vectors, neighbours: int = NEIGHBOURS) -> Floats:
    """Eigenvalues, largest first, of the Laplacian D - A of the graph that joins each row with its nearest ones.

    An edge is there if either row is among the nearest of the other.
    """
    n = len(vectors)
    rows = nearest(vectors, vectors, neighbours + 1).rows
    joined = np.zeros((n, n))
    np.put_along_axis(joined, rows, 1.0, axis=1)
    joined = np.maximum(joined, joined.T)
    np.fill_diagonal(joined, 0.0)
    return np.asarray(np.linalg.eigvalsh(np.diag(joined.sum(axis=1)) - joined)[::-1], dtype=np.float64)


def laplacian_distance(first: Floats, second: Floats) -> float:
    """Eigenvector similarity, which is a distance (Søgaard, Ruder and Vulić, 2018): Σ (λᵢ - μᵢ)² over i ≤ k.

    k is the smaller of the two numbers of largest eigenvalues that make up 90 % of their sum.
    """
    if not (len(first) and len(second)):
        return float("nan")
    k = min(int(np.searchsorted(np.cumsum(one), _ENERGY * one.sum())) + 1 for one in (first, second))
    k = min(k, len(first), len(second))
    return float(np.sum((first[:k] - second[:k]) ** 2))


def singular_values(vectors: Vectors) -> Floats:
    """Singular values of the vectors over √words, largest first, so that vocabularies of any size compare."""
    gram = (vectors.T @ vectors).astype(np.float64) / max(len(vectors), 1)
    return np.asarray(np.sqrt(np.clip(np.linalg.eigvalsh(gram)[::-1], 0, None)))


def singular_value_gap(first: Floats, second: Floats) -> float:
    """Σ (log σᵢ - log τᵢ)² over the singular values that are not zero in either (Dubossarsky et al., 2020)."""
    there = (first > _EPSILON * first.max(initial=0)) & (second > _EPSILON * second.max(initial=0))
    return float(np.sum(np.log(first[there] / second[there]) ** 2)) if there.any() else float("nan")


def bottleneck(first: Floats, second: Floats) -> float:
    """Bottleneck distance of the 0-dimensional persistence diagrams (Patra et al., 2019), from merges, largest first.

    It is at most twice the Gromov–Hausdorff distance (Chazal et al., 2009). All points are born at 0, so some matching
    that is optimal pairs the k longest of both in their order, for some k, and leaves each of the others, of length
    l, to the diagonal at l / 2.
    """
    width = min(len(first), len(second))
    matched = np.maximum.accumulate(np.concatenate([[0.0], np.abs(first[:width] - second[:width])]))
    left = [np.concatenate([one, [0.0]])[: width + 1] / 2 for one in (first, second)]
    return float(np.min(np.maximum(matched, np.maximum(*left))))
