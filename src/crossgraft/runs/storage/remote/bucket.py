"""A folder behind a URL, such as s3://bucket/prefix, through fsspec: its files by name, and each refusal as one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from crossgraft.errors import MissingExtra, StoreError, shown

_URL = re.compile(r"([a-z][a-z0-9+.-]*)://[^/\s].*|file:///.+")
_ATOMIC = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory"}  # a file is there once all of it has come
_CREDENTIALS = "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_DENIED = "access was denied; look at your credentials, and at who may read and write there"
_NOWHERE = "there is no such bucket or folder; create it, or correct the URL"


@dataclass(frozen=True)
class Bucket:
    """Files below a URL. Names are relative to it, with slashes."""

    url: str
    is_atomic: bool
    system: Any = field(repr=False)  # an fsspec.AbstractFileSystem
    root: str

    @classmethod
    def at(cls, url: str) -> Self:
        """The folder at a URL; nothing is asked of it yet."""
        match = _URL.fullmatch(url)
        if match is None:
            raise StoreError(f"expected a URL such as s3://bucket/prefix; got {shown(url)}")
        scheme = match[1] or "file"
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise MissingExtra(f"{scheme}://", "remote") from error
        with _sentences(url):
            try:
                system, root = url_to_fs(url, skip_instance_cache=True, use_listings_cache=False)
            except ImportError as error:
                if scheme in ("s3", "s3a"):
                    raise MissingExtra(f"{scheme}://", "remote") from error
                raise StoreError(f"{url}: {error}") from error
        return cls(url, scheme in _ATOMIC, system, root.rstrip("/"))

    def sizes(self) -> dict[str, int]:
        """The bytes of every file, by name; no links."""
        with _sentences(self.url):
            listed = self.system.find(self.root, detail=True)
        begin = f"{self.root}/"
        return {
            path.removeprefix(begin): int(facts["size"] or 0)
            for path, facts in listed.items()
            if path.startswith(begin) and facts["type"] == "file" and not facts.get("islink")
        }

    def read(self, name: str) -> bytes:
        with _sentences(self._path(name)):
            return bytes(self.system.cat_file(self._path(name)))

    def download(self, name: str, file: Path) -> None:
        with _sentences(self._path(name)):
            self.system.get_file(self._path(name), str(file))

    def write(self, name: str, content: bytes) -> None:
        with self._written(name) as path:
            self.system.pipe_file(path, content)

    def upload(self, file: Path, name: str) -> None:
        with self._written(name) as path:
            self.system.put_file(str(file), path)

    @contextmanager
    def _written(self, name: str) -> Iterator[str]:
        """Where to write: object stores show a file once it is whole; elsewhere it gets its name then."""
        path = self._path(name)
        with _sentences(path):
            if self.is_atomic:
                yield path
                return
            folder, _, last = path.rpartition("/")
            self.system.makedirs(folder, exist_ok=True)
            yield f"{folder}/.{last}.partial"
            self.system.mv(f"{folder}/.{last}.partial", path)

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"


@contextmanager
def _sentences(where: str) -> Iterator[None]:
    try:
        yield
    except (StoreError, MissingExtra):
        raise
    except Exception as error:  # file systems of fsspec have no common base for what they raise
        raise StoreError(f"{where}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return _DENIED
    if isinstance(error, FileNotFoundError):
        return _NOWHERE
    if "Credentials" in type(error).__name__:
        return _CREDENTIALS
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
