"""Files and folders that are there whole or not at all, names that any file system takes, and what a refusal means."""

from __future__ import annotations

import errno
import hashlib
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_LONGEST = 100  # bytes of a name; a temporary name beside it and an ending must fit into 255
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # on Windows
_DAY = 86_400.0  # seconds

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_ADVICE = {
    **dict.fromkeys(NO_ROOM, "make room and run the same command again; what was computed is kept"),
    **dict.fromkeys(NOT_ALLOWED, "choose another folder, or change who may write there"),
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "a symbolic link leads back to itself; remove it",
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "a file lies where a folder should be; move it away"),
    errno.EISDIR: "a folder lies where a file should be; move it away",
    errno.ENOENT: "look whether the path is spelled right",
}


def why(error: OSError) -> str:
    """What the system refused, where, and what to do, in one sentence.

    >>> why(OSError(errno.ENOSPC, "No space left on device", "runs/x"))
    'runs/x: No space left on device; make room and run the same command again; what was computed is kept'
    """
    where = f"{printable(error.filename)}: " if error.filename is not None else ""
    advice = _ADVICE.get(error.errno or 0, "")
    return f"{where}{error.strerror or error}{f'; {advice}' if advice else ''}"


def is_no_room(error: Exception) -> bool:
    """Whether a disk was full; libraries in other languages say so in words only."""
    return getattr(error, "errno", None) in NO_ROOM or os.strerror(errno.ENOSPC) in str(error)


def printable(path: object) -> str:
    """A path as text that any terminal and any file takes, also when its name is not UTF-8."""
    return str(os.fsdecode(path) if isinstance(path, bytes) else path).encode("utf-8", "backslashreplace").decode()


def safe_name(text: str) -> str:
    r"""A file name for a text, never the same for two texts, on file systems that ignore case too.

    >>> safe_name("planted+limit=3"), safe_name("A/b")
    ('planted+limit=3', 'a_b~3646f792d488')
    """
    plain = re.fullmatch(r"[a-z0-9_+=,-][a-z0-9_.+=,-]*", text) and not text.endswith(".")
    if plain and len(text) <= _LONGEST and not _RESERVED.fullmatch(text):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    readable = re.sub(r"[^a-z0-9_.+=,-]", "_", text.lower())[: _LONGEST - 20].lstrip(".")
    return f"{readable}~{digest}"


@dataclass
class Unsynced:
    """Folders with new names that a power cut could still take back; those of a second are synced together.

    To sync a folder takes as long as to sync a small file. Where many files are written a second, most of it is saved.
    """

    delay: float = 1.0  # seconds
    clock: Callable[[], float] = time.monotonic
    folders: set[Path] = field(default_factory=set)
    _last: float = -math.inf

    def add(self, folder: Path) -> None:
        self.folders.add(folder)
        self.sync_if_due()

    def sync_if_due(self) -> None:
        if self.folders and self.clock() - self._last >= self.delay:
            self.sync()

    def sync(self) -> None:
        while self.folders:
            folder = self.folders.pop()
            with suppress(FileNotFoundError):
                _sync(folder)
        self._last = self.clock()


@contextmanager
def whole_file(file: Path, unsynced: Unsynced | None = None) -> Iterator[Path]:
    """A temporary path beside the file that is synced and takes its place at the end.

    The file's new name is on the disk too, or, with ``unsynced``, will be when that is synced.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".partial", dir=file.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        _open_to_others(partial, 0o666)
        _sync(partial)
        partial.replace(file)
        if unsynced is None:
            _sync(file.parent)
        else:
            unsynced.add(file.parent)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_whole(file: Path, content: bytes, unsynced: Unsynced | None = None) -> None:
    with whole_file(file, unsynced) as partial:
        partial.write_bytes(content)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of ``folder`` at the end; if another process was first, its folder stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".", suffix=".partial", dir=folder.parent))
    try:
        yield partial
        for file in partial.rglob("*"):
            if file.is_file():
                _sync(file)
        _open_to_others(partial, 0o777)
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
        _sync(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _open_to_others(path: Path, mode: int) -> None:
    """Temporary files are their owner's only; results are as readable as any file the user makes."""
    path.chmod(mode & ~_umask())


@cache
def _umask() -> int:
    """It can only be read by setting it, which other threads would notice: so once."""
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _sync(path: Path) -> None:
    if os.name == "nt":  # what is open for reading cannot be synced there, and folders cannot be opened
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_old(path: Path, seconds: float = _DAY) -> bool:
    """Whether neither the path nor anything in it was written for so long."""
    try:
        newest = max(file.lstat().st_mtime for file in (path, *path.rglob("*")))
    except OSError:
        return False
    return time.time() - newest > seconds


def remove(path: Path) -> None:
    """A file or a folder, if it can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
