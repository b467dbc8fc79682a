"""A monolingual space: words and their vectors, read from word2vec text files."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
import numpy.typing as npt

from crossgraft.errors import DataError

Vectors = npt.NDArray[np.float32]
Case = Literal["keep", "lower"]
Step = Literal["unit", "center"]


@dataclass(frozen=True)
class Space:
    """Words in order of frequency, one vector a row."""

    words: tuple[str, ...]
    vectors: Vectors  # (words, dimensions)

    @cached_property
    def index(self) -> dict[str, int]:
        """Word → row."""
        return {word: row for row, word in enumerate(self.words)}

    @property
    def width(self) -> int:
        return int(self.vectors.shape[1])

    def normalised(self, steps: tuple[Step, ...]) -> Space:
        """The steps in their order: "unit" makes each vector length 1, "center" removes the mean."""
        vectors = self.vectors
        for step in steps:
            vectors = unit(vectors) if step == "unit" else vectors - vectors.mean(axis=0)
        return replace(self, vectors=vectors)


def unit(vectors: Vectors) -> Vectors:
    """Rows of length 1; a zero row stays zero, and so is similar to nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def read_space(path: str | Path, *, top: int = 0, case: Case = "keep") -> Space:
    """The first ``top`` words (0: all) of a ``.vec`` file, with or without header, also gzipped.

    With ``case="lower"`` words are lower-cased and the first (most frequent) form is kept.
    """
    file = Path(path)
    words: dict[str, None] = {}
    rows: list[Vectors] = []
    for number, word, values in _lines(file):
        word = word.lower() if case == "lower" else word
        if word in words:
            continue
        vector = _vector(file, number, word, values)
        if rows and len(vector) != len(rows[0]):
            raise DataError(
                f"{file}, line {number}: expected {len(rows[0])} numbers after the word, as on the lines before; "
                f"got {len(vector)} for {word!r}"
            )
        words[word] = None
        rows.append(vector)
        if len(rows) == top:
            break
    if not rows:
        raise DataError(f"{file}: no word vectors in it")
    return Space(tuple(words), np.stack(rows))


def _vector(file: Path, number: int, word: str, values: str) -> Vectors:
    try:
        vector = np.array(values.split(), dtype=np.float32)
    except ValueError:
        raise DataError(
            f"{file}, line {number}: expected numbers after the word {word!r}; got {values[:60]!r}"
        ) from None
    if not np.isfinite(vector).all():
        raise DataError(f"{file}, line {number}: the vector of {word!r} has values that are not finite")
    return vector


def _lines(file: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, word, rest; a header of two whole numbers is passed over."""
    try:
        with open_text(file) as stream:
            for number, line in enumerate(stream, 1):
                word, _, values = line.rstrip().partition(" ")
                if number == 1 and word.isdigit() and values.isdigit():
                    continue
                if word:
                    yield number, word, values
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: expected UTF-8 text; {error.reason} at byte {error.start} of a block") from None


def open_text(file: Path) -> TextIO:
    """A UTF-8 text file, unpacked on the way if its name ends in .gz."""
    try:
        if file.suffix == ".gz":
            return gzip.open(file, "rt", encoding="utf-8", newline="\n")
        return file.open(encoding="utf-8", newline="\n")
    except FileNotFoundError:
        raise DataError(f"no such file: {file}") from None
