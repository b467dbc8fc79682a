"""Readers of vector files, one format a file; which one is chosen by content, not by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crossgraft.embeddings.readers.fasttext import MAGIC as FASTTEXT
from crossgraft.embeddings.readers.fasttext import read as read_fasttext
from crossgraft.embeddings.readers.npy import MAGIC as NPY
from crossgraft.embeddings.readers.npy import read as read_npy
from crossgraft.embeddings.readers.npy import words_file
from crossgraft.embeddings.readers.text import read as read_text
from crossgraft.embeddings.readers.word2vec import read as read_word2vec
from crossgraft.embeddings.spaces.reading import Source
from crossgraft.errors import DataError
from crossgraft.safety.opening import open_bytes, packing

_PEEK = 1 << 20
_HEADER = re.compile(rb"(\d{1,15}) (\d{1,15})[ \r]*\n")  # numbers of more digits count no words
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_BINARY = 0.01  # of the bytes are control characters: numbers as they lie in memory, not text


@contextmanager
def open_vectors(file: Path) -> Iterator[Source]:
    """A file of vectors in whichever format it is; blocks come only while it is open."""
    with open_bytes(file) as stream:
        begin = stream.read(_PEEK)
        if begin.startswith((FASTTEXT, NPY)):
            if packing(file):
                raise DataError(f"{file}: unpack it first: this format is read where it lies, not as a stream")
            yield read_fasttext(file) if begin.startswith(FASTTEXT) else read_npy(file)
            return
        header = _HEADER.match(begin)
        if header and _is_binary(begin[header.end() :]):
            declared, width = map(int, header.groups())
            yield read_word2vec(file, stream, begin[header.end() :], declared, width)
        else:
            yield read_text(file, stream, begin)


@dataclass(frozen=True)
class Peek:
    """What the beginning of a file says of all of it."""

    width: int
    words: int | None  # by its header or its size; None when nobody knows before the end


def peek(file: Path, top: int = 0) -> Peek:
    """Without reading the vectors; of at most ``top`` words (0: all)."""
    with open_vectors(file) as source:
        words = source.expected
        return Peek(source.width, min(words, top) if words is not None and top else words)


def companions(file: Path) -> tuple[Path, ...]:
    """Other files that belong to it: an .npy of vectors has its words in a text file of the same name."""
    return (words_file(file),) if file.suffix == ".npy" else ()


def _is_binary(sample: bytes) -> bool:
    return len(_CONTROL.findall(sample)) > _BINARY * len(sample)


__all__ = ["Peek", "companions", "open_vectors", "peek"]
