"""Text: a word and its numbers on each line, as word2vec (with header), GloVe (without) and fastText's .vec have it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from crossgraft.embeddings.spaces.normalise import Vectors
from crossgraft.embeddings.spaces.reading import MOST_DIMENSIONS, Block, Source
from crossgraft.errors import DataError
from crossgraft.safety.opening import packing

pa.enable_signal_handlers(False)  # Arrow's own handler, set while it reads CSV, loses an interruption now and then

_BLOCK = 4 << 20  # bytes parsed at once
_LONGEST_LINE = 64 << 20
_SAMPLE = 200  # lines that tell the width
_PACKED = 10  # times smaller than text of vectors a gzip is at best; 2 to 5 are usual
_SLACK = 1.05  # lines grow shorter or longer as a file goes on
_SHOWN = 60  # characters of a broken line in a message
_WHOLE = re.compile(rb"\d+")
_MOST_DIGITS = 15  # numbers of more count no words


@dataclass(frozen=True)
class _Layout:
    """How the lines of a file are written."""

    file: Path
    width: int
    separator: bytes
    trailing: bool  # a separator ends each line, as fastText writes them


def read(file: Path, stream: BinaryIO, begin: bytes) -> Source:
    """``begin`` was read from the stream already."""
    begin = begin.removeprefix(b"\xef\xbb\xbf")
    lines = [line.rstrip(b"\r") for line in begin.split(b"\n")[: _SAMPLE + 1] if line.strip()]
    if not lines:
        raise DataError(f"{file}: no word vectors in it")
    header = _header(file, lines[0])
    sample = lines[1:] if header else lines
    complete = sample[:-1] if len(sample) > 1 and len(begin) > sum(map(len, lines)) + len(lines) else sample
    if not sample:
        raise DataError(f"{file}: no word vectors in it")
    lines = complete or sample
    layout = _layout(file, lines)
    declared, said = header or (None, layout.width)
    notes = () if said == layout.width else (f"its header says {said} dimensions; the lines have {layout.width}",)
    if header:
        begin = begin.partition(b"\n")[2]
    kind = "text with a header" if header else "text without a header"
    blocks = _blocks(layout, stream, begin, 2 if header else 1)
    return Source(kind, layout.width, blocks, declared, _expected(layout, lines, declared), notes)


def _expected(layout: _Layout, lines: list[bytes], declared: int | None) -> int | None:
    """How many words to make room for; a header is trusted as far as the size of the file allows."""
    size = layout.file.stat().st_size
    if packing(layout.file):
        size *= _PACKED
        return None if declared is None else min(declared, size // (2 * layout.width))
    shortest = 2 * layout.width + 1  # a separator and a digit a number
    length = sum(map(len, lines)) / len(lines) + 1
    return int(_SLACK * size / length) + 1 if declared is None else min(declared, size // shortest + 1)


def _header(file: Path, line: bytes) -> tuple[int, int] | None:
    fields = line.split()
    if len(fields) == 2 and all(_WHOLE.fullmatch(field) for field in fields):
        if max(map(len, fields)) > _MOST_DIGITS:
            raise DataError(f"{file}: its header says numbers of {max(map(len, fields)):,} digits")
        return int(fields[0]), int(fields[1])
    return None


def _layout(file: Path, lines: list[bytes]) -> _Layout:
    """The width is how many numbers most lines end with."""
    separator = b"\t" if lines[0].count(b"\t") > 1 else b" "
    widths = Counter(count for line in lines if (count := _trailing_numbers(line, separator)))
    width = max(widths, key=lambda count: (widths[count], -count), default=0)
    if width > MOST_DIMENSIONS:
        raise DataError(f"{file}: expected at most {MOST_DIMENSIONS:,} numbers on a line; most lines have {width:,}")
    if not width:
        shown = lines[0][:_SHOWN].decode("utf-8", "replace")
        raise DataError(f"{file}: expected a word and its numbers on each line; got {shown!r}")
    trailing = lines[0].endswith(separator)
    return _Layout(file, width, separator, trailing)


def _trailing_numbers(line: bytes, separator: bytes) -> int:
    """How many fields from the end are numbers; the first field is a word, whatever it looks like."""
    fields = [field for field in line.split(separator) if field][1:]
    count = 0
    for field in reversed(fields):
        if not _is_number(field):
            break
        count += 1
    return count


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field


def _blocks(layout: _Layout, stream: BinaryIO, rest: bytes, line: int) -> Iterator[Block]:
    """Whole lines of about ``_BLOCK`` bytes at a time; ``line`` is the number of the first."""
    while more := stream.read(_BLOCK):
        rest += more
        cut = rest.rfind(b"\n") + 1
        if not cut:
            if len(rest) > _LONGEST_LINE:
                raise DataError(f"{layout.file}: no end of line in {len(rest) >> 20} MiB: this is no text of vectors")
            continue
        yield _parse(layout, rest[:cut], line)
        line += rest.count(b"\n", 0, cut)
        rest = rest[cut:]
    if rest.strip():
        yield _parse(layout, rest, line)


def _parse(layout: _Layout, lines: bytes, number: int) -> Block:
    try:
        return _at_once(layout, lines)
    except pa.ArrowInvalid:  # some line is not plain: look at each
        return _line_by_line(layout, lines, number)


def _at_once(layout: _Layout, lines: bytes) -> Block:
    """All lines by Arrow's reader of tables, which takes none that is not as the others."""
    names = ["word", *map(str, range(layout.width)), *(["end"] if layout.trailing else [])]
    types = dict.fromkeys(names[1:], pa.float32()) | {"word": pa.string(), "end": pa.string()}
    table = pc.read_csv(
        pa.BufferReader(_arrows_own(lines)),
        pc.ReadOptions(column_names=names, block_size=max(len(lines), 1)),
        pc.ParseOptions(delimiter=layout.separator.decode(), quote_char=False),
        pc.ConvertOptions(column_types=types, null_values=[], check_utf8=True),
    )
    parts = table.to_batches()
    words = [word for part in parts for word in part.column(0).to_pylist()]
    if "" in words or (layout.trailing and any(table.column("end").unique().to_pylist())):
        raise pa.ArrowInvalid("a line begins with a separator, or has a field too many")
    vectors = np.empty((len(words), layout.width), dtype=np.float32)
    row = 0
    for part in parts:
        for column in range(layout.width):
            vectors[row : row + part.num_rows, column] = part.column(column + 1).to_numpy()
        row += part.num_rows
    return Block(words, vectors)


def _arrows_own(lines: bytes) -> pa.Buffer:
    """A copy that Python does not own: Arrow's threads may let go of it while Python exits, which would abort the process."""
    sink = pa.BufferOutputStream()
    sink.write(lines)
    return sink.getvalue()


def _line_by_line(layout: _Layout, lines: bytes, number: int) -> Block:
    words, rows, broken, first, phrases = [], [], 0, "", 0
    for at, line in enumerate(lines.split(b"\n"), number):
        line = line.rstrip(b"\r").rstrip(layout.separator)
        if not line:
            continue
        try:
            word, vector = _entry(layout, line)
        except DataError as error:
            broken += 1
            first = first or f", line {at}: {error}"
            continue
        words.append(word)
        rows.append(vector)
        phrases += " " in word
    vectors = np.stack(rows) if rows else np.empty((0, layout.width), dtype=np.float32)
    return Block(words, vectors, broken, first, phrases)


def _entry(layout: _Layout, line: bytes) -> tuple[str, Vectors]:
    """The word is what stands before the last numbers, spaces and all; extra fields that are no whole numbers, or
    not words, are numbers too many."""
    start, *fields = line.split(layout.separator)
    fields = [field for field in fields if field]
    shown = line[:_SHOWN].decode("utf-8", "replace")
    extra, values = fields[: -layout.width], fields[-layout.width :]
    wide = bool(extra) and all(_is_number(field) for field in extra) and not all(map(_WHOLE.fullmatch, extra))
    if not start or len(values) < layout.width or wide:
        raise DataError(
            f"expected a word and {layout.width} numbers, as on most lines; got {len(fields)} fields after {start[:_SHOWN].decode('utf-8', 'replace')!r}"
        )
    try:
        word = b" ".join([start, *extra]).decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(f"expected UTF-8 text; got {shown!r}") from None
    try:
        vector = pa.array(values, pa.binary()).cast(pa.string()).cast(pa.float32()).to_numpy()
    except pa.ArrowInvalid:
        raise DataError(f"expected {layout.width} numbers after {word!r}; got {shown!r}") from None
    return word, vector
