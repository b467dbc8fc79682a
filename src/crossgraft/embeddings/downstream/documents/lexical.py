"""Ranking documents by the words they share with a query: language models and BM25, as values of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from crossgraft.core import Floats
from crossgraft.embeddings.downstream.documents.bags import Bags

Places = npt.NDArray[np.intp]


class Lexical(Protocol):
    """A score for each query and document; of a document without a word of the query it is minus infinity."""

    def score(self, queries: csr_array, documents: Bags) -> Floats:
        """Queries are counts (queries, terms) of the documents' terms; scores are (queries, documents)."""
        ...


@dataclass(frozen=True)
class Dirichlet:
    """Query likelihood with Dirichlet smoothing (Zhai & Lafferty, 2001): p(t|d) = (tf + μ p(t|C)) / (|d| + μ)."""

    mu: float = 1000.0

    def score(self, queries: csr_array, documents: Bags) -> Floats:
        collection = _collection(documents)
        gains = _each(documents, lambda tf, _, term: np.log1p(tf / (self.mu * collection[term])))
        prior = np.log(self.mu / (documents.lengths + self.mu))
        terms = np.asarray(queries.sum(axis=1))
        background = queries @ np.log(collection)
        return _matching(queries, documents, gains, terms[:, None] * prior + background[:, None])


@dataclass(frozen=True)
class JelinekMercer:
    """Query likelihood with linear interpolation: p(t|d) = (1 - λ) tf / |d| + λ p(t|C)."""

    weight: float = 0.5  # λ, of the collection

    def score(self, queries: csr_array, documents: Bags) -> Floats:
        collection, kept = _collection(documents), (1 - self.weight) / self.weight
        gains = _each(
            documents, lambda tf, text, term: np.log1p(kept * tf / (documents.lengths[text] * collection[term]))
        )
        background = queries @ np.log(self.weight * collection)
        return _matching(queries, documents, gains, background[:, None])


@dataclass(frozen=True)
class BM25:
    """Okapi BM25 (Robertson & Walker, 1994), idf = ln(1 + (N - df + ½) / (df + ½))."""

    k1: float = 1.2
    b: float = 0.75

    def score(self, queries: csr_array, documents: Bags) -> Floats:
        df = documents.document_frequency
        idf = np.log1p((len(documents) - df + 0.5) / (df + 0.5))
        normal = self.k1 * (1 - self.b + self.b * documents.lengths / max(documents.lengths.mean(), 1e-12))
        gains = _each(documents, lambda tf, text, term: idf[term] * tf * (self.k1 + 1) / (tf + normal[text]))
        return _matching(queries, documents, gains, np.zeros(1))


def _collection(documents: Bags) -> Floats:
    """p(t|C) of each term."""
    counts = np.asarray(documents.counts.sum(axis=0))
    return np.asarray(counts / counts.sum())


def _each(documents: Bags, value: Callable[[Floats, Places, Places], Floats]) -> csr_array:
    """What a count is worth, from the count, its document and its term."""
    counts = documents.counts
    text = np.repeat(np.arange(len(documents)), np.diff(counts.indptr))
    made = counts.copy()
    made.data = value(counts.data, text, counts.indices)
    return made


def _matching(queries: csr_array, documents: Bags, gains: csr_array, rest: Floats) -> Floats:
    shared = (queries > 0).astype(np.float64) @ (documents.counts > 0).astype(np.float64).T
    return np.where(shared.toarray() > 0, (queries @ gains.T).toarray() + rest, -np.inf)
