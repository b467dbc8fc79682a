"""New files and folders that are there whole or not at all, begun before the work so that an impossible place is found first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from crossgraft.errors import DataError

_LONGEST = 50  # characters of a name that the name of its partial keeps


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to write to, which becomes ``folder`` at the end; on an error nothing of it is left.

    A folder that holds anything is refused. One that is there and empty stays, for it may be a mount point.
    """
    with writing(folder):
        _refuse_what_is_there(folder)
        inside = folder.is_dir()
        partial = folder / ".partial" if inside else _partial(folder)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with writing(folder):
            partial.mkdir(parents=True)
            _look(folder)  # once more: the system looks at a name only where there is a folder to hold it
        yield partial
        with writing(folder):
            if not inside:
                partial.rename(folder)
                return
            for file in sorted(partial.iterdir(), key=lambda file: file.stat().st_mtime_ns):  # the last one last
                file.rename(folder / file.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def new_file(file: Path) -> Iterator[TextIO]:
    """A text file to write to, which takes the place of ``file`` at the end; a device or a pipe is written to as it is."""
    with writing(file):
        _look(file)
        if file.is_dir():
            raise DataError(f"expected a file to write to; {file} is a folder")
        partial = _partial(file.resolve()) if file.is_file() or not file.exists() else None
        stream = (partial or file).open("w", encoding="utf-8")
    try:
        yield stream
        with writing(file):
            stream.close()
            if partial:
                partial.replace(file.resolve())  # a link stays one
    finally:
        if partial:
            partial.unlink(missing_ok=True)


def _refuse_what_is_there(folder: Path) -> None:
    """Raise where a new folder cannot be, or has something in it."""
    _look(folder)
    if folder.is_dir():
        if any(folder.iterdir()):
            raise DataError(f"the folder {folder} is not empty; name another one, or delete it first")
    elif folder.exists() or folder.is_symlink():
        raise DataError(f"expected a folder to write to; {folder} is a file, or a link to nothing")


def _look(place: Path) -> None:
    """Let the system say now what it has against a name: one too long, or below a file."""
    with suppress(FileNotFoundError):
        os.lstat(place)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """What the system says of a place that cannot be written to, as one sentence."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read has had enough
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        said = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot write to {str(place)!r}: {said}; choose another place, or make room there") from None


def _partial(place: Path) -> Path:
    return place.with_name(f".{place.name[:_LONGEST]}.partial")
