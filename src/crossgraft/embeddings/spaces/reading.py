"""From blocks of words and vectors to one space: who is kept, and a report on what came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from crossgraft.embeddings.spaces.memory import available_memory, refuse_too_many
from crossgraft.embeddings.spaces.normalise import Vectors
from crossgraft.embeddings.spaces.subwords import Subwords
from crossgraft.errors import DataError

Case = Literal["keep", "lower"]

MOST_DIMENSIONS = 1 << 15  # of a word vector: more are a header or a line that went wrong
_TOLERATED = 0.01  # of the entries may be broken; with more, the file is not what it seems
_FIRST = 1 << 16  # rows to begin with when nobody knows how many come


@dataclass(frozen=True)
class Block:
    """Some words and their vectors, and what went wrong between them."""

    words: list[str]
    vectors: Vectors  # (words, d)
    broken: int = 0  # entries that were passed over
    first_broken: str = ""  # where, and what is wrong: ", line 7: expected …"
    phrases: int = 0  # words with a space in them
    note: str = ""


@dataclass(frozen=True)
class Source:
    """A file of vectors, opened: what it says of itself, and its blocks in order."""

    format: str
    width: int
    blocks: Iterator[Block] = field(repr=False)
    declared: int | None = None  # words, by its header
    expected: int | None = None  # words, by its header or its size; None when nobody knows before the end
    notes: tuple[str, ...] = ()
    subwords: Subwords | None = None


@dataclass(frozen=True)
class Reading:
    """What was found in a file of vectors."""

    format: str
    words: int  # kept
    width: int
    zeros: int = 0
    duplicates: int = 0
    case: Case = "keep"
    broken: int = 0
    first_broken: str = ""
    phrases: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What looks odd, one sentence each; nothing for a clean file."""
        again = "a word that was there before" + (", in lower case" if self.case == "lower" else "")
        counted = (
            (self.broken, f"broken and passed over, the first{self.first_broken}"),
            (self.duplicates, f"of {again}; the first is kept"),
            (self.zeros, "with a zero vector, which is similar to nothing"),
            (self.phrases, "of a word with spaces in it"),
        )
        return (*(f"{count:,} entries {what}" for count, what in counted if count), *self.remarks)


def gather(
    file: Path, source: Source, *, top: int = 0, case: Case = "keep", memory: int | None = None
) -> tuple[tuple[str, ...], Vectors, Reading]:
    """The first ``top`` different words (0: all), their vectors, and the report.

    ``memory`` is how many bytes may be taken; None asks the machine.
    """
    memory = available_memory() if memory is None else memory
    expected = source.expected or _FIRST
    expected = min(expected, top) if top else expected
    if source.expected is not None:
        refuse_too_many(file, expected, source.width, memory)
    rows = np.empty((max(expected, 1), source.width), dtype=np.float32)
    words: dict[str, None] = {}
    zeros = duplicates = broken = phrases = 0
    first_broken = ""
    remarks = list(source.notes)
    ended = True
    for block in source.blocks:
        broken, phrases = broken + block.broken, phrases + block.phrases
        first_broken = first_broken or block.first_broken
        remarks += [block.note] if block.note else []
        came = [word.lower() for word in block.words] if case == "lower" else block.words
        new = _new(came, words)
        duplicates += len(came) - len(new)
        if top and len(words) + len(new) > top:
            new = new[: top - len(words)]
        vectors = block.vectors if len(new) == len(came) else block.vectors[new]
        _refuse_infinite(file, came, new, vectors)
        zeros += int((~vectors.any(axis=1)).sum())
        refuse_too_many(file, len(words) + len(new), source.width, memory)
        if len(words) + len(new) > len(rows):
            rows = _larger(rows, len(words) + len(new))
        rows[len(words) : len(words) + len(new)] = vectors
        words.update(dict.fromkeys(came if len(new) == len(came) else [came[row] for row in new]))
        if top and len(words) == top:
            ended = False
            break
    entries = len(words) + duplicates + broken
    if broken > _TOLERATED * entries:
        raise DataError(f"{file}{first_broken} ({broken:,} of {entries:,} entries are broken)")
    if not words:
        raise DataError(f"{file}: no word vectors in it")
    if ended and source.declared is not None and source.declared != entries:
        remarks.append(f"its header says {source.declared:,} words; it has {entries:,}")
    report = Reading(
        source.format,
        len(words),
        source.width,
        zeros,
        duplicates,
        case,
        broken,
        first_broken,
        phrases,
        tuple(remarks),
    )
    return tuple(words), rows[: len(words)], report


def _new(came: list[str], words: dict[str, None]) -> list[int]:
    """Places of the words that come for the first time."""
    if words.keys().isdisjoint(came) and len(set(came)) == len(came):
        return list(range(len(came)))
    first = {word: place for place, word in reversed(list(enumerate(came))) if word not in words}
    return sorted(first.values())


def _refuse_infinite(file: Path, came: list[str], new: list[int], vectors: Vectors) -> None:
    finite = np.isfinite(vectors)
    if not finite.all():
        word = came[new[int((~finite).any(axis=1).argmax())]]
        raise DataError(f"{file}: the vector of {word!r} has values that are not finite")


def _larger(rows: Vectors, least: int) -> Vectors:
    larger = np.empty(
        (max(least, 2 * len(rows)), rows.shape[1]), dtype=np.float32
    )  # pages beyond those filled take no memory
    larger[: len(rows)] = rows
    return larger
