"""Files as streams of bytes, plain, gzipped or as the only member of a zip; told apart by content."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import BadZipFile, ZipFile

from crossgraft.errors import DataError

_MOST_PACKED = 200  # times smaller than its content: no text of vectors or words is

_DAMAGE = (EOFError, OSError, NotImplementedError, zlib.error, lzma.LZMAError, BadZipFile)  # what unpackers raise


@contextmanager
def open_bytes(file: Path) -> Iterator[BinaryIO]:
    """The content of a file, unpacked on the way; damage found while reading is a ``DataError``."""
    kind = packing(file)
    try:
        with file.open("rb") as plain:
            if kind == "gzip":
                with gzip.open(plain) as stream:
                    yield cast(BinaryIO, stream)
            elif kind == "zip":
                with ZipFile(plain) as archive, archive.open(_only_member(file, archive)) as member:
                    yield cast(BinaryIO, member)
            else:
                yield plain
    except _DAMAGE as error:
        raise DataError(f"{file}: the file is damaged, cut short or cannot be read ({error}); get it again") from None


def packing(file: Path) -> str:
    """ "gzip", "zip" or "" for neither, by the first bytes."""
    try:
        with file.open("rb") as stream:
            magic = stream.read(4)
    except FileNotFoundError:
        raise DataError(f"no such file: {file}") from None
    except IsADirectoryError:
        raise DataError(f"{file}: expected a file; it is a folder") from None
    if magic[:2] == b"\x1f\x8b":
        return "gzip"
    return "zip" if magic == b"PK\x03\x04" else ""


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
