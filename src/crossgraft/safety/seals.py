"""Checksums inside our files, so that a file whose bytes changed is noticed and never read as if they had not.

Every seal is a SHA-256 over the whole file. Files written before there were seals have none, and no single
damage turns a sealed file into one that looks as if it never had one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

TRACE = b"crossgraft-seal:"
CHECKSUMS = ".checksums.json"
_SEAL = len(TRACE) + 32
_MAGIC = b"PAR1"
_TAIL = 8  # length of the footer, magic bytes
_HEAD = b'{"checksum": "'
_CHANGED = "its checksum does not match its content"
_CHUNK = 1 << 20


class Broken(ValueError):
    """A file that is damaged, cut, or not one of ours; the message says how."""


def seal_parquet(content: bytes, name: str) -> bytes:
    """The file with a checksum of itself and its name between the last page and the footer.

    No reader looks there: all offsets in the footer are of pages before it. The metadata must hold ``TRACE`` too.
    """
    at = _footer(content)
    return content[:at] + TRACE + _digest(name, content) + content[at:]


def check_parquet(content: bytes, name: str) -> bool:
    """Whether the file has a seal (older ones have none); ``Broken`` when it does not hold."""
    if len(content) < len(_MAGIC) + _TAIL or content[:4] != _MAGIC or content[-4:] != _MAGIC:
        raise Broken("not a whole Parquet file")
    if TRACE not in content:
        return False
    end = _footer(content)
    start = end - _SEAL
    if start < len(_MAGIC) or content[start : start + len(TRACE)] != TRACE:
        raise Broken(_CHANGED)
    if content[start + len(TRACE) : end] != _digest(name, content[:start] + content[end:]):
        raise Broken(_CHANGED)
    return True


def _footer(content: bytes) -> int:
    return len(content) - _TAIL - int.from_bytes(content[-_TAIL:-4], "little")


def _digest(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + content).digest()


def to_json(value: Mapping[str, Any]) -> bytes:
    """JSON whose first line holds the checksum of the lines below."""
    body = json.dumps(value, ensure_ascii=False, indent=1)[2:].encode("utf-8", "surrogatepass")
    return _HEAD + hashlib.sha256(body).hexdigest().encode() + b'",\n' + body


def from_json(content: bytes) -> dict[str, Any]:
    """What ``to_json`` was given, without the checksum; or plain JSON as it was written before there were any."""
    if content.startswith(_HEAD):
        line, _, body = content.partition(b"\n")
        if line != _HEAD + hashlib.sha256(body).hexdigest().encode() + b'",':
            raise Broken(_CHANGED)
    elif not content.startswith(b"{\n"):
        raise Broken("empty" if not content.strip() else "not a file of ours")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Broken(f"not JSON ({str(error).partition('(')[0].strip()})") from error
    value.pop("checksum", None)
    return dict(value)


def seal_folder(folder: Path) -> None:
    """Note the checksums of the files in a folder; not of its README, which people may edit."""
    digests = {file.relative_to(folder).as_posix(): file_digest(file) for file in _sealed(folder)}
    (folder / CHECKSUMS).write_bytes(to_json({"files": digests}))


def check_folder(folder: Path) -> bool:
    """Whether the folder has checksums (older ones have none); ``Broken`` when a file is missing or changed."""
    try:
        digests = from_json((folder / CHECKSUMS).read_bytes())["files"]
    except FileNotFoundError:
        return False
    for name, digest in digests.items():
        if not (folder / name).is_file():
            raise Broken(f"{name} is missing")
        if file_digest(folder / name) != digest:
            raise Broken(f"{name} has changed since it was written")
    return True


def _sealed(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name not in ("README.md", CHECKSUMS):
            yield file


def file_digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def append_seal(file: Path) -> None:
    """A checksum behind a file whose reader looks for no end, such as a zip archive."""
    with file.open("r+b") as stream:
        digest = _streamed(stream, file.stat().st_size)
        stream.write(TRACE + digest)


def check_appended(file: Path) -> bool:
    """Whether a checksum stands behind the file; ``Broken`` when it does not match."""
    with file.open("rb") as stream:
        size = file.stat().st_size - _SEAL
        if size < 0:
            return False
        stream.seek(size)
        seal = stream.read(_SEAL)
        if not seal.startswith(TRACE):
            return False
        stream.seek(0)
        if _streamed(stream, size) != seal[len(TRACE) :]:
            raise Broken(_CHANGED)
        return True


def _streamed(stream: BinaryIO, size: int) -> bytes:
    digest = hashlib.sha256()
    while size > 0 and (chunk := stream.read(min(_CHUNK, size))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.digest()
