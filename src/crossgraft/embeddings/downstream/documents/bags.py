"""Texts as bags of words: counts, inverse document frequencies, and sums of word vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from crossgraft.core import Floats
from crossgraft.embeddings.downstream.words import LookUp
from crossgraft.embeddings.spaces.space import Vectors

Weights = Floats  # (terms,)


@dataclass(frozen=True, eq=False)
class Bags:
    """Texts as counts of terms; a term is a word in the form under which the vocabulary has it, or lower-case."""

    terms: tuple[str, ...]
    rows: npt.NDArray[np.int64]  # (terms,): the row of each in the vocabulary, -1 without a vector
    counts: csr_array  # (texts, terms)
    _embedded: dict[tuple[int, bool], tuple[Vectors, Vectors]] = field(
        default_factory=dict, repr=False
    )  # vectors, sums

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    @cached_property
    def index(self) -> dict[str, int]:
        """Term → column."""
        return {term: column for column, term in enumerate(self.terms)}

    @cached_property
    def lengths(self) -> Floats:
        """Words of each text, with those that have no vector."""
        return np.asarray(self.counts.sum(axis=1), dtype=np.float64)

    @cached_property
    def document_frequency(self) -> Floats:
        """In how many texts each term is."""
        return np.bincount(self.counts.indices, minlength=len(self.terms)).astype(np.float64)

    @cached_property
    def idf(self) -> Weights:
        """ln(N / df) of each term."""
        return np.log(len(self) / np.maximum(self.document_frequency, 1))

    @property
    def covered(self) -> npt.NDArray[np.bool_]:
        """Which texts have a word with a vector."""
        return np.asarray(self.counts @ (self.rows >= 0).astype(np.float64)) > 0

    def sums(self, vectors: Vectors, weights: Weights | None = None) -> Vectors:
        """The sum of the vectors of each text's words; zero where there is nothing to add."""
        known = np.flatnonzero(self.rows >= 0)
        counts = self.counts[:, known]
        if weights is not None:
            counts = counts.multiply(weights[known]).tocsr()
        return np.asarray(counts.astype(np.float32) @ vectors[self.rows[known]], dtype=np.float32)

    def embedded(self, vectors: Vectors, *, weighted: bool) -> Vectors:
        """The sums, weighted by idf or not; those of the vectors asked for last are kept, as the methods of a pair share them."""
        key = (id(vectors), weighted)
        if key not in self._embedded:
            self._embedded.clear()
            self._embedded[key] = vectors, self.sums(vectors, self.idf if weighted else None)
        return self._embedded[key][1]

    def weights_in(self, other: Bags) -> Weights:
        """The idf that each of our terms has in other texts; that of one text where it is in none of them."""
        rare = float(np.log(max(len(other), 1)))
        return np.array([other.idf[other.index[term]] if term in other.index else rare for term in self.terms])


def bags(texts: Sequence[Sequence[str]], look_up: LookUp) -> Bags:
    """The bags of texts that have been split into words."""
    written: dict[str, int] = {}  # every word once, so that each is looked up once
    words = np.fromiter((written.setdefault(word, len(written)) for word in chain.from_iterable(texts)), np.int64)
    found = list(map(look_up, written))
    row_of = dict(found)
    column_of = {form: column for column, form in enumerate(row_of)}
    columns = np.array([column_of[form] for form, _ in found], dtype=np.int64)[words]
    ends = np.cumsum([0, *map(len, texts)])
    counts = csr_array((np.ones(len(columns)), columns, ends), shape=(len(texts), len(row_of)))
    counts.sum_duplicates()
    return Bags(tuple(row_of), np.array(list(row_of.values()), dtype=np.int64), counts)
