"""What a store could do without: half-written files, and adapters and states of training that no study names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossgraft.runs.store import Store
from crossgraft.safety import files


@dataclass(frozen=True)
class Garbage:
    path: Path
    reason: str
    bytes: int


def collect(store: Store) -> Iterator[Garbage]:
    """What can go. Whatever was written within a day may be in use, and stays; records always stay."""
    for entry in store.temporary():
        if files.is_old(entry):
            yield _garbage(entry, "half written by a process that was killed")
    for entry in _listed(store.root / "damaged"):
        yield _garbage(entry, "damaged, and set aside")
    runs = store.runs()
    if runs is None:
        return  # a study that cannot be read may need any of them
    for entry in _listed(store.artefacts):
        run = entry.name.removeprefix(".").partition(".")[0]
        is_ours = entry.name != "spaces" and not entry.name.endswith(".partial")
        if is_ours and run not in runs and files.is_old(entry):
            what = "the state of a training" if entry.name.startswith(".") else "an adapter"
            yield _garbage(entry, f"{what} that no study in the store names")


def remove(found: Iterable[Garbage]) -> None:
    for garbage in found:
        files.remove(garbage.path)


def _garbage(path: Path, reason: str) -> Garbage:
    return Garbage(path, reason, sum(one.lstat().st_size for one in (path, *path.rglob("*")) if not one.is_dir()))


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder / name for name in os.listdir(folder))
    except OSError:
        return []
