"""fastText's models (.bin): arguments, dictionary, and the matrix of words and hashed n-grams."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossgraft.embeddings.spaces.reading import MOST_DIMENSIONS, Block, Source
from crossgraft.embeddings.spaces.subwords import Subwords
from crossgraft.errors import DataError

MAGIC = struct.pack("<i", 793712314)
_VERSIONS = (11, 12)
_ARGUMENTS = struct.Struct("<12id")  # width, window, epochs, … , buckets, shortest and longest n-gram, …
_DICTIONARY = struct.Struct("<iiiqq")  # entries, words, labels, tokens, n-grams left by pruning
_SUPERVISED = 3
_LONGEST_NGRAM = 32  # characters; fastText makes 6 by default
_LONGEST_WORD = 1 << 12  # bytes
_ROWS = 4096  # a block


@dataclass(frozen=True)
class _Model:
    """The head of a model, before the numbers."""

    words: tuple[str | None, ...]  # None: not UTF-8, so a row without a name
    subwords: Subwords


def read(file: Path) -> Source:
    """Vectors as fastText gives them: of each word, the mean of its own row and those of its n-grams."""
    try:
        model = _head(file)
    except (struct.error, ValueError, IndexError, OverflowError):
        raise DataError(f"{file}: the fastText model ends too early; get it again") from None
    needed = model.subwords.offset + 4 * model.subwords.width * (model.subwords.words + model.subwords.buckets)
    if file.stat().st_size < needed:
        raise DataError(
            f"{file}: expected at least {needed:,} bytes in a fastText model of {model.subwords.words:,} words; "
            f"got {file.stat().st_size:,}; get it again"
        )
    count = model.subwords.words
    subwords = model.subwords if model.subwords.buckets else None
    return Source("fastText model", model.subwords.width, _blocks(model), count, count, subwords=subwords)


def _blocks(model: _Model) -> Iterator[Block]:
    for start in range(0, len(model.words), _ROWS):
        part = model.words[start : start + _ROWS]
        vectors, _ = model.subwords.means([word or "" for word in part], np.arange(start, start + len(part)))
        named = [place for place, word in enumerate(part) if word is not None]
        texts = [word for word in part if word is not None]
        broken = len(part) - len(named)
        first = (
            f", word {start + part.index(None) + 1:,}: expected UTF-8 text of at most {_LONGEST_WORD:,} bytes"
            if broken
            else ""
        )
        yield Block(texts, vectors[named] if broken else vectors, broken, first)


def _head(file: Path) -> _Model:
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        version = struct.unpack_from("<i", data, 4)[0]
        if version not in _VERSIONS:
            raise DataError(f"{file}: expected a fastText model of version 11 or 12; got {version}")
        at = 8
        arguments = _ARGUMENTS.unpack_from(data, at)
        width, kind, buckets, shortest, longest = arguments[0], arguments[7], *arguments[8:11]
        at += _ARGUMENTS.size
        entries, count, _, _, pruned = _DICTIONARY.unpack_from(data, at)
        at += _DICTIONARY.size
        words: list[str | None] = []
        for _ in range(entries):
            end = data.find(b"\0", at)
            if end < 0:
                raise ValueError("no end of word")
            if len(words) < count:
                words.append(_decoded(data[at:end]))
            at = end + 1 + 9  # its count (8 bytes) and whether it is a label (1)
        at += 8 * max(pruned, 0)
        if data[at]:
            raise DataError(
                f"{file}: the fastText model is quantised; its full vectors are in the model before quantising"
            )
        rows, columns = struct.unpack_from("<qq", data, at + 1)
    if version == 11 and kind == _SUPERVISED:
        longest = 0  # models of that age have n-grams of words there, not of characters
    if not 0 < width <= MOST_DIMENSIONS or count < 1 or buckets < 0 or longest > _LONGEST_NGRAM:
        raise DataError(
            f"{file}: expected a fastText model; its head says {count:,} words of {width} dimensions, {buckets:,} buckets, "
            f"n-grams of up to {longest} characters"
        )
    if columns != width or rows < count or (longest > 0 and rows != count + buckets):
        raise DataError(
            f"{file}: expected {count + buckets:,} × {width} numbers in the fastText model; its matrix is {rows:,} × {columns}"
        )
    subwords = Subwords(file, at + 17, count, buckets if longest > 0 else 0, width, shortest, longest)
    return _Model(tuple(words), subwords)


def _decoded(word: bytes) -> str | None:
    if len(word) > _LONGEST_WORD:
        return None
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError:
        return None
