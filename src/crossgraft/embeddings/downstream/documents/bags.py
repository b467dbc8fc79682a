"""Texts as bags of words: counts, inverse document frequencies, and sums of word vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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

    @property
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

    def weights_in(self, other: Bags) -> Weights:
        """The idf that each of our terms has in other texts; that of one text where it is in none of them."""
        rare = float(np.log(max(len(other), 1)))
        return np.array([other.idf[other.index[term]] if term in other.index else rare for term in self.terms])


def bags(texts: Sequence[Sequence[str]], look_up: LookUp) -> Bags:
    """The bags of texts that have been split into words."""
    forms = [[look_up(word)[0] for word in text] for text in texts]
    terms = tuple(dict.fromkeys(chain.from_iterable(forms)))
    index = {term: column for column, term in enumerate(terms)}
    columns = np.array([index[form] for text in forms for form in text], dtype=np.int64)
    ends = np.cumsum([0, *map(len, forms)])
    counts = csr_array((np.ones(len(columns)), columns, ends), shape=(len(texts), len(terms)))
    counts.sum_duplicates()
    rows = np.array([look_up(term)[1] for term in terms], dtype=np.int64)
    return Bags(terms, rows, counts)
