"""An .npy of vectors with a list of words beside it: x.npy and x.words.txt, a word a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.spaces.normalise import Vectors
from crossgraft.embeddings.spaces.reading import MOST_DIMENSIONS, Block, Source
from crossgraft.errors import DataError
from crossgraft.safety.opening import look, read_bytes

MAGIC = b"\x93NUMPY"
_ROWS = 16384  # a block


def words_file(file: Path) -> Path:
    """Where the words of an .npy are."""
    return file.with_name(f"{file.name.removesuffix('.npy')}.words.txt")


def read(file: Path) -> Source:
    """Vectors of any floating type; words in their order, each to its end of line (``\\n``), spaces and all."""
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy evaluates the header as a Python literal: it may fail in any way
        raise DataError(f"{file}: not a whole .npy file of numbers ({str(error)[:200]})") from None
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.floating) or not 0 < array.shape[1] <= MOST_DIMENSIONS:
        raise DataError(f"{file}: expected rows of floating-point numbers; got {array.dtype} of shape {array.shape}")
    words = read_words(words_file(file))
    if len(words) != len(array):
        raise DataError(f"{file}: {len(array):,} vectors, but {len(words):,} words in {words_file(file).name}")
    return Source("npy with a list of words", array.shape[1], _blocks(array, words), len(words), len(words))


def write(file: Path, words: Sequence[str], vectors: Vectors) -> None:
    """Write what ``read`` reads; ``file`` ends in .npy."""
    for word in words:
        if "\n" in word:
            raise DataError(f"{file}: the word {word!r} has an end of line in it, so it fits in no list of words")
    np.save(file, vectors, allow_pickle=False)
    words_file(file).write_bytes("".join(f"{word}\n" for word in words).encode())


def read_words(file: Path) -> list[str]:
    """A word a line; only ``\\n`` ends one."""
    if not look(file):
        raise DataError(f"no such file: {file}; it should have the words of the .npy beside it, one a line")
    try:
        text = read_bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: expected UTF-8 text; {error.reason} at byte {error.start}") from None
    words = text.removesuffix("\n").split("\n") if text else []
    return [word.removesuffix("\r") for word in words]


def _blocks(array: npt.NDArray[Any], words: list[str]) -> Iterator[Block]:
    for start in range(0, len(words), _ROWS):
        part = words[start : start + _ROWS]
        yield Block(
            part, np.asarray(array[start : start + _ROWS], dtype=np.float32), phrases=sum(" " in w for w in part)
        )
