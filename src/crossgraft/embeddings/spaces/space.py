"""A monolingual space: words in order of frequency and their vectors, read from any of the usual files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.readers import open_vectors
from crossgraft.embeddings.readers.language_model import Pieces, embedded
from crossgraft.embeddings.spaces import cache
from crossgraft.embeddings.spaces.normalise import Normaliser, Step, Vectors, normalise, unit
from crossgraft.embeddings.spaces.reading import Case, Reading, gather
from crossgraft.embeddings.spaces.subwords import Subwords
from crossgraft.errors import DataError
from crossgraft.safety.opening import is_file

__all__ = ["Case", "Space", "Step", "Vectors", "read_model_space", "read_space", "unit"]


@dataclass(frozen=True)
class Space:
    """Words in order of frequency, one vector a row; with ``subwords``, vectors also of words it never saw."""

    words: tuple[str, ...]
    vectors: Vectors  # (words, dimensions)
    reading: Reading | None = field(default=None, compare=False)
    subwords: Subwords | None = field(default=None, compare=False)
    normaliser: Normaliser = field(default=Normaliser(), compare=False)

    @cached_property
    def index(self) -> dict[str, int]:
        """Word → row."""
        return {word: row for row, word in enumerate(self.words)}

    @property
    def width(self) -> int:
        return int(self.vectors.shape[1])

    @property
    def notes(self) -> tuple[str, ...]:
        """What looked odd when it was read, one sentence each."""
        return self.reading.notes if self.reading else ()

    def normalised(self, steps: Sequence[Step]) -> Space:
        """The space after the steps in their order; see ``normalise``."""
        if not steps:
            return self
        vectors, done = normalise(self.vectors, steps)
        return replace(self, vectors=vectors, normaliser=Normaliser(self.normaliser.steps + done.steps))

    def embed(self, words: Sequence[str]) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        """Vectors (words, d) as they are in this space, and which words have one; the others stay zero.

        Words out of vocabulary are made of their n-grams if the space has any, and normalised as it was.
        """
        rows = np.array([self.index.get(word, -1) for word in words], dtype=np.int64)
        known = rows >= 0
        vectors = np.zeros((len(words), self.width), dtype=np.float32)
        vectors[known] = self.vectors[rows[known]]
        if self.subwords is not None and not known.all():
            unseen = np.flatnonzero(~known).tolist()
            made, possible = self.subwords.embed([words[place] for place in unseen])
            vectors[unseen] = self.normaliser(made)
            known[unseen] = possible
        return vectors, known


def read_space(
    path: str | Path, *, top: int = 0, case: Case = "keep", kept: Path | None = None, memory: int | None = None
) -> Space:
    """The first ``top`` words (0: all) of a file of vectors, in whichever format it is.

    With ``case="lower"`` words are lower-cased and the first (most frequent) form is kept. In the folder ``kept`` a
    space that was read before is found by its content and memory-mapped; one that was not is left there.
    ``memory`` is how many bytes may be taken; None asks the machine.
    """
    file = Path(path)
    if kept is None:
        return _space(_read(file, top, case, memory))
    if not is_file(file):
        raise DataError(f"no such file: {file}")
    name = cache.key(kept, file, top, case)
    found = cache.load(kept, name, file)
    if found is None:
        read = _read(file, top, case, memory)
        cache.save(kept, name, read)
        found = cache.load(kept, name, file) or read
    return _space(found)


def read_model_space(
    folder: str | Path, words: Sequence[str], *, top: int = 0, case: Case = "keep", pieces: Pieces = "mean"
) -> Space:
    """The first ``top`` different words (0: all) of a list in the input embeddings of a language model."""
    folded = [word.lower() for word in words] if case == "lower" else words
    chosen = list(dict.fromkeys(folded))
    found = embedded(Path(folder), chosen[: top or None], pieces)
    if not found.words:
        raise DataError(f"{folder}: no word of the list has a vector in this model; the first is {chosen[:1]}")
    remarks = [f"{found.several:,} of {len(found.words):,} words are means of several pieces"] if found.several else []
    remarks += [f"{found.without:,} words of the list have no vector"] if found.without else []
    reading = Reading(
        "input embeddings of a language model",
        len(found.words),
        found.vectors.shape[1],
        zeros=int((~found.vectors.any(axis=1)).sum()),
        case=case,
        remarks=tuple(remarks),
    )
    return Space(found.words, found.vectors, reading)


def _read(file: Path, top: int, case: Case, memory: int | None) -> cache.Read:
    with open_vectors(file) as source:
        words, vectors, reading = gather(file, source, top=top, case=case, memory=memory)
        return words, vectors, reading, source.subwords


def _space(read: cache.Read) -> Space:
    words, vectors, reading, subwords = read
    return Space(words, vectors, reading, subwords)
