"""Texts as rows of a small matrix: the vectors of their words in the shared space, and how much each word weighs."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.embeddings.downstream.words import LookUp, words_of
from crossgraft.embeddings.spaces.space import Space, Vectors, unit

Rows = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int64]

_AT_ONCE = 8  # training, dev and test texts of the tasks of a pair, which every mapping of the pair is asked about


@dataclass(frozen=True, eq=False)
class Encoded:
    """Items of one or two texts each; words without a vector are left out."""

    vectors: Vectors  # (words, d), of the words that occur
    weights: Floats  # (words,)
    texts: tuple[tuple[Rows, ...], ...]  # of each item, the rows of each of its texts

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def bare(self) -> int:
        """Items with a text of which no word has a vector."""
        return sum(any(not len(text) for text in item) for item in self.texts)

    def averages(self, place: int = 0) -> Vectors:
        """The weighted sum of the words of each item's text, brought to length 1; zero without any. (n, d)"""
        rows = [item[place] for item in self.texts]
        owner = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        found = np.zeros((len(rows), self.vectors.shape[1]))
        if len(owner):
            words = np.concatenate(rows)
            np.add.at(found, owner, self.vectors[words] * self.weights[words, None])
        return unit(found.astype(np.float32))

    def digest(self) -> str:
        """What it holds, as a hash."""
        ends = np.cumsum([len(text) for text in chain.from_iterable(self.texts)])
        flat = np.concatenate([*chain.from_iterable(self.texts), np.empty(0, np.int64)])
        parts = (self.vectors, self.weights, ends, flat)
        return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()

    def some(self, places: Sequence[int] | Rows) -> Encoded:
        """Some of the items."""
        return Encoded(self.vectors, self.weights, tuple(self.texts[place] for place in places))


@dataclass(frozen=True, eq=False)
class Examples:
    """Texts with their labels, as numbers."""

    texts: Encoded
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Rarity:
    """ln(N / df) + 1 of a word, over N items; + 1, so that a word of every item still counts."""

    items: int
    in_items: Mapping[str, int]

    def __call__(self, word: str) -> float:
        return float(np.log(self.items / max(self.in_items.get(word, 0), 1))) + 1.0


def rarity(items: Sequence[tuple[str, ...]], space: Space) -> Rarity:
    return _rarity(tuple(items), space.words)


@lru_cache(_AT_ONCE)
def _rarity(items: tuple[tuple[str, ...], ...], words: tuple[str, ...]) -> Rarity:
    look_up = LookUp({word: row for row, word in enumerate(words)})
    forms = ({look_up(word)[0] for text in item for word in words_of(text)} for item in items)
    return Rarity(len(items), Counter(chain.from_iterable(forms)))


@lru_cache(_AT_ONCE)
def _rows(items: tuple[tuple[str, ...], ...], words: tuple[str, ...]) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """The rows of the words that have a vector, of each text of each item."""
    look_up = LookUp({word: row for row, word in enumerate(words)})
    return tuple(
        tuple(tuple(row for _, row in map(look_up, words_of(text)) if row >= 0) for text in item) for item in items
    )


def encode(
    items: Sequence[tuple[str, ...]],
    space: Space,
    mapped: Callable[[Vectors], Vectors],
    weight: Callable[[str], float] = lambda _: 1.0,
) -> Encoded:
    """The texts of items in the shared space, into which ``mapped`` takes vectors of the space."""
    found = _rows(tuple(items), space.words)
    used = sorted({row for item in found for text in item for row in text})
    place = {row: number for number, row in enumerate(used)}
    texts = tuple(tuple(np.array([place[row] for row in text], dtype=np.int64) for text in item) for item in found)
    weights = np.array([weight(space.words[row]) for row in used], dtype=np.float64)
    return Encoded(mapped(space.vectors[used]), weights, texts)
