"""Files that a user names: what is there, and their content, plain, gzipped or alone in a zip, within limits.

A path may lead to a device, a pipe or nowhere; a small archive may unpack to more than there is memory; a file may be
one endless line. All of that ends in one ``DataError``.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, cast
from zipfile import BadZipFile, ZipFile

from crossgraft.errors import DataError, shown

_MOST_PACKED = 200  # times smaller than its content: no text of vectors or words is
_SMALL = 1 << 20  # bytes that any archive may unpack to
_LONGEST_LINE = 16 << 20
_LARGEST_TEXT = 1 << 30  # of texts that are read whole
_PIECE = 1 << 20
_DEEPEST = 64  # levels of JSON
_TOO_DEEP = f"expected JSON of at most {_DEEPEST} levels; it is nested deeper"

_DAMAGE = (  # what unpackers raise
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    MemoryError,
    LookupError,
    OverflowError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    BadZipFile,
)


def look(path: str | Path) -> Literal["file", "folder", ""]:
    """What a path leads to, "" for nothing; what can be neither file nor folder is refused."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:  # a name that is too long, a loop of links, a NUL
        raise DataError(f"{shown(str(path))} is no path that can be read: {_said(error)}; correct it") from None
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    raise DataError(f"{path}: expected a file; it is a device, a pipe or a socket: write its content to a file first")


def is_file(path: str | Path) -> bool:
    return look(path) == "file"


def is_folder(path: str | Path) -> bool:
    return look(path) == "folder"


@contextmanager
def open_plain(file: Path) -> Iterator[BinaryIO]:
    """The bytes of a regular file as they are."""
    kind = look(file)
    if kind == "folder":
        raise DataError(f"{file}: expected a file; it is a folder")
    if not kind:
        raise DataError(f"no such file: {file}")
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        raise DataError(f"{file}: the file cannot be read: {_said(error)}") from None


@contextmanager
def open_bytes(file: Path) -> Iterator[BinaryIO]:
    """The content of a file, unpacked on the way; damage found while reading is a ``DataError``."""
    kind = packing(file)
    with open_plain(file) as plain:
        if kind == "gzip":
            with gzip.open(plain) as stream:
                yield _limited(file, plain, cast(IO[bytes], stream))
        elif kind == "zip":
            with _member(file, plain) as stream:
                yield _limited(file, plain, stream)
        else:
            yield plain


def packing(file: Path) -> str:
    """ "gzip", "zip" or "" for neither, by the first bytes."""
    with open_plain(file) as stream:
        magic = stream.read(4)
    if magic[:2] == b"\x1f\x8b":
        return "gzip"
    return "zip" if magic == b"PK\x03\x04" else ""


def most_unpacked(file: Path) -> int:
    """How many bytes an archive of this size may unpack to."""
    return max(_MOST_PACKED * file.stat().st_size, _SMALL)


class _Unpacked(io.RawIOBase):
    """What an unpacker gives, as long as it is not too much for what it has read of the packed file."""

    def __init__(self, file: Path, packed: BinaryIO, stream: IO[bytes]) -> None:
        self._file = file
        self._packed = packed
        self._stream = stream
        self._came = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            came = self._stream.read(len(buffer))
        except _DAMAGE as error:
            raise _damaged(self._file, error) from None
        self._came += len(came)
        if self._came > max(_MOST_PACKED * self._packed.tell(), _SMALL):
            raise DataError(f"{self._file}: it unpacks to more than {_MOST_PACKED} times its size; unpack it first")
        buffer[: len(came)] = came
        return len(came)


def _limited(file: Path, packed: BinaryIO, stream: IO[bytes]) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Unpacked(file, packed, stream), 1 << 18))


@contextmanager
def _member(file: Path, plain: BinaryIO) -> Iterator[IO[bytes]]:
    """The only file of an archive, opened."""
    try:
        archive = ZipFile(plain)
        stream = archive.open(_only_member(file, archive))
    except _DAMAGE as error:
        raise _damaged(file, error) from None
    with archive, stream:
        yield stream


def _only_member(file: Path, archive: ZipFile) -> str:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        names = ", ".join(member.filename for member in members[:5])
        raise DataError(
            f"{file}: expected one file in the archive; it has {len(members)}: {names}; unpack the right one"
        )
    member = members[0]
    if member.flag_bits & 1:
        raise DataError(f"{file}: its member {member.filename} is encrypted; unpack it first")
    if member.file_size > _MOST_PACKED * max(member.compress_size, 1):
        raise DataError(
            f"{file}: its member {member.filename} would unpack to {member.file_size / 2**30:.1f} GiB, more than "
            f"{_MOST_PACKED} times its size; that is no file of words"
        )
    return member.filename


def _damaged(file: Path, error: BaseException) -> DataError:
    return DataError(f"{file}: the file is damaged, cut short or cannot be read ({error}); get it again")


def lines_of(file: Path, stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends; none may be longer than 16 MiB."""
    for number in count(1):
        line = stream.readline(_LONGEST_LINE + 1)
        if not line:
            return
        if len(line) > _LONGEST_LINE:
            raise DataError(f"{file}, line {number}: expected lines of at most {_LONGEST_LINE >> 20} MiB; it is longer")
        yield line


def text_lines(file: Path) -> Iterator[tuple[int, str]]:
    """Numbers and texts of the lines of a file, without their ends; plain, gzipped or alone in a zip."""
    with open_bytes(file) as stream:
        for number, raw in enumerate(lines_of(file, stream), 1):
            try:
                yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{file}, line {number}: expected UTF-8 text; {error.reason} at byte {error.start}"
                ) from None


def read_bytes(file: Path, most: int = _LARGEST_TEXT) -> bytes:
    """A whole file of at most ``most`` bytes; piece by piece, as ``read`` would make room for all of them at once."""
    pieces: list[bytes] = []
    left = most
    with open_plain(file) as stream:
        while piece := stream.read(_PIECE):
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise DataError(f"{file}: expected at most {most >> 20} MiB; it is larger")
    return b"".join(pieces)


def read_text(file: Path, *, most: int = _LARGEST_TEXT, encoding: str = "utf-8-sig") -> str:
    """A whole file of at most ``most`` bytes, with ``\\n`` at the ends of lines."""
    raw = read_bytes(file, most)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: expected UTF-8 text; byte {error.start} is not") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_json(text: str) -> Any:
    """The value of a JSON text; a ``ValueError`` says what is wrong, also with numbers, depth and surrogates."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except ValueError:
        raise ValueError("not valid JSON: a number has more than 4,300 digits") from None
    if text.count("[") + text.count("{") > _DEEPEST and _deeper(value):
        raise ValueError(_TOO_DEEP)
    if "\\u" in text and not _is_unicode(value):
        raise ValueError("expected Unicode text; an escape such as \\ud800 is half of a surrogate pair")
    return value


def _deeper(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _said(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)
