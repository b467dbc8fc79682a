"""word2vec's binary format: a line with the numbers of words and dimensions, then word, space, float32s, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from crossgraft.embeddings.spaces.normalise import Vectors
from crossgraft.embeddings.spaces.reading import MOST_DIMENSIONS, Block, Source
from crossgraft.errors import DataError
from crossgraft.safety.opening import most_unpacked, packing

_ROWS = 4096  # a block
_CHUNK = 4 << 20
_LONGEST_WORD = 1 << 16  # bytes


def read(file: Path, stream: BinaryIO, begin: bytes, declared: int, width: int) -> Source:
    """``begin`` is what was read of the stream already, without the header."""
    if not 0 < width <= MOST_DIMENSIONS or not declared:
        raise DataError(f"{file}: its header says {declared} words of {width} dimensions")
    room = (most_unpacked(file) if packing(file) else file.stat().st_size) // (4 * width + 1)
    if declared > room:
        raise DataError(
            f"{file}: its header says {declared:,} words of {width} dimensions; the file has room for {room:,}; get it again"
        )
    return Source("word2vec binary", width, _blocks(_Entries(file, stream, begin, declared, width)), declared, declared)


class _Entries:
    """A stream after its header, and what was read of it but not used yet."""

    def __init__(self, file: Path, stream: BinaryIO, buffer: bytes, declared: int, width: int) -> None:
        self.file = file
        self.declared = declared
        self.width = width
        self._stream = stream
        self._buffer = buffer
        self._at = 0

    def take(self, number: int) -> tuple[bytes, bytes]:
        """The next word and the bytes of its vector; ``number`` counts from 1, for errors."""
        space = self._buffer.find(b" ", self._at)
        while space < 0 or len(self._buffer) < space + 1 + 4 * self.width:
            self._read(number, word_ended=space >= 0)
            space = self._buffer.find(b" ")
        word = self._buffer[self._at : space].lstrip(b"\n")
        self._at = space + 1 + 4 * self.width
        return word, self._buffer[space + 1 : self._at]

    def goes_on(self) -> bool:
        """Whether more comes than the header says."""
        return bool((self._buffer[self._at :] + self._stream.read(_CHUNK)).strip(b"\n"))

    def _read(self, number: int, *, word_ended: bool) -> None:
        rest = self._buffer[self._at :]
        if not word_ended and len(rest) > _LONGEST_WORD:
            raise DataError(
                f"{self.file}: no end of word {number:,}; this is no binary file of {self.width} dimensions"
            )
        more = self._stream.read(_CHUNK)
        if not more:
            raise DataError(
                f"{self.file}: expected {self.declared:,} words of {self.width} dimensions, as its header says; "
                f"the file ends within word {number:,}; get it again"
            )
        self._buffer, self._at = rest + more, 0


def _blocks(entries: _Entries) -> Iterator[Block]:
    for start in range(0, entries.declared, _ROWS):
        numbers = range(start + 1, min(start + _ROWS, entries.declared) + 1)
        words, values = zip(*(entries.take(number) for number in numbers), strict=True)
        yield _block(words, np.frombuffer(b"".join(values), dtype="<f4").reshape(-1, entries.width), start)
    if entries.goes_on():
        nothing = np.empty((0, entries.width), dtype=np.float32)
        yield Block([], nothing, note=f"its header says {entries.declared:,} words; what comes after them is not read")


def _block(words: tuple[bytes, ...], vectors: Vectors, before: int) -> Block:
    texts: list[str] = []
    kept: list[int] = []
    first = ""
    for place, word in enumerate(words):
        try:
            texts.append(word.decode("utf-8"))
            kept.append(place)
        except UnicodeDecodeError:
            first = first or f", word {before + place + 1:,}: expected UTF-8 text; got {word[:60]!r}"
    broken = len(words) - len(kept)
    return Block(texts, vectors[kept] if broken else vectors, broken, first)
