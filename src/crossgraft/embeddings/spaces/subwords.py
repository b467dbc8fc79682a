"""Vectors from character n-grams (Bojanowski et al., 2017): what fastText knows of words it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from crossgraft.embeddings.spaces.normalise import Vectors

END_OF_SENTENCE = "</s>"  # the one word without n-grams

_OFFSET = np.uint32(2166136261)
_PRIME = np.uint32(16777619)
_BLOCK = 4096  # words at a time


@dataclass(frozen=True)
class Subwords:
    """The table of hashed n-grams in a fastText model, read where it lies.

    ``<word>`` is cut into its n-grams of ``shortest`` to ``longest`` characters; each is hashed by FNV-1a over its
    bytes in UTF-8, and the hash, modulo the number of ``buckets``, is its row. A word out of vocabulary is the mean of its
    n-grams; a word of the vocabulary, the mean of its n-grams and a row of its own.
    """

    file: Path
    offset: int  # of the matrix in the file, in bytes
    words: int  # rows before the n-grams
    buckets: int
    width: int
    shortest: int
    longest: int

    def table(self) -> Vectors:
        """The whole matrix, memory-mapped: the rows of words, then those of n-grams."""
        return np.memmap(self.file, "<f4", "r", self.offset, (self.words + self.buckets, self.width))

    def embed(self, words: Sequence[str]) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        """Vectors of words by their n-grams alone, and which words have any; the others stay zero."""
        return self.means(words, np.full(len(words), -1, dtype=np.int64))

    def means(self, words: Sequence[str], own: npt.NDArray[np.int64]) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        """The same, with the row ``own`` of each word among the summands where it is not -1."""
        table = self.table()
        vectors = np.zeros((len(words), self.width), dtype=np.float32)
        known = np.zeros(len(words), dtype=bool)
        for start in range(0, len(words), _BLOCK):
            part = slice(start, start + _BLOCK)
            at, hashes = ngrams(words[part], self.shortest, self.longest) if self.buckets else _NONE
            mine = np.flatnonzero(own[part] >= 0)
            at = np.concatenate([mine, at])
            rows = np.concatenate([own[part][mine], self.words + hashes.astype(np.int64) % max(self.buckets, 1)])
            size = len(words[part])
            counts = np.bincount(at, minlength=size)
            used, columns = np.unique(rows, return_inverse=True)
            sums = csr_array((np.ones(len(at), dtype=np.float32), (at, columns)), (size, len(used))) @ table[used]
            vectors[part] = sums / np.maximum(counts, 1)[:, None]
            known[part] = counts > 0
        return vectors, known


_NONE = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint32))


def ngrams(words: Sequence[str], shortest: int, longest: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Of all n-grams of all words: the place of the word, and the hash; ``<`` and ``>`` alone are left out.

    All n-grams grow at once, byte by byte, from every character of every word. As in fastText, bytes enter the hash
    as signed numbers.
    """
    texts = [b"" if word == END_OF_SENTENCE else f"<{word}>".encode() for word in words]
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    data = np.frombuffer(b"".join(texts) + b"\0", dtype=np.uint8)
    owner = np.repeat(np.arange(len(words)), lengths)
    first, end = (np.cumsum(lengths) - lengths)[owner], np.cumsum(lengths)[owner]
    begins = (data & 0xC0) != 0x80  # a byte that begins a character
    signed = data.view(np.int8).astype(np.int32).view(np.uint32)

    start = np.flatnonzero(begins[:-1])
    at, characters, hashes = start.copy(), np.zeros(len(start), dtype=np.int64), np.full(len(start), _OFFSET)
    found: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]] = [_NONE]
    while len(start):
        characters = characters + begins[at]
        hashes = (hashes ^ signed[at]) * _PRIME
        at = at + 1
        word = owner[start]
        whole = (at == end[start]) | begins[at]
        edge = (characters == 1) & ((start == first[start]) | (at == end[start]))
        chosen = whole & (characters >= shortest) & ~edge
        found.append((word[chosen], hashes[chosen]))
        more = (at < end[start]) & ~(whole & (characters == longest))
        start, at, characters, hashes = start[more], at[more], characters[more], hashes[more]
    return np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])
