"""What a store could do without: half-written files, and adapters and states of training that no study names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossgraft.runs.storage.reading import entries
from crossgraft.runs.storage.store import Store
from crossgraft.safety import files

_TEMPORARY = re.compile(r"\..*\.partial|\.fingerprints\.json\.\d+")
_STATE = re.compile(r"\.(\w+)\.state")


@dataclass(frozen=True)
class Garbage:
    path: Path
    reason: str
    bytes: int


def collect(store: Store) -> Iterator[Garbage]:
    """What can go. Whatever was written within a day may be in use, and stays; records always stay."""
    for entry in temporary(store):
        if files.is_old(entry):
            yield _garbage(entry, "half written by a process that was killed")
    for entry in _listed(store.root / "damaged"):
        yield _garbage(entry, "damaged, and set aside")
    runs = store.manifests.training_runs()
    if runs is None:
        return  # a study that cannot be read may need any of them
    for entry in _listed(store.artefacts):
        run = entry.name.removeprefix(".").partition(".")[0]
        is_ours = entry.name != "spaces" and not entry.name.endswith(".partial")
        if is_ours and run not in runs and files.is_old(entry):
            what = "the state of a training" if entry.name.startswith(".") else "an adapter"
            yield _garbage(entry, f"{what} that no study in the store names")


def tidy(store: Store) -> None:
    """Remove what killed runs left half written, once nobody can be writing it any more.

    Temporary files go after a day. The state of a training goes after a day when no study in the store
    names its run; without all studies being readable, none goes.
    """
    for entry in temporary(store):
        if files.is_old(entry):
            files.remove(entry)
    runs = store.manifests.training_runs()
    for state in entries(store.artefacts, hidden=True):
        match = _STATE.fullmatch(state.name)
        if match and runs is not None and match[1] not in runs and files.is_old(state):
            files.remove(state)


def temporary(store: Store) -> Iterator[Path]:
    """Files and folders under temporary names: somebody is writing them, or was killed doing so."""
    root = store.root
    folders = [root, *(root / name for name in ("packs", "texts", "studies", "failures", "adapters"))]
    spaces = store.artefacts / "spaces"  # all that is hidden there is temporary
    for folder in (*folders, *entries(root / "records"), spaces):
        for entry in entries(folder, hidden=True):
            if folder == spaces or _TEMPORARY.fullmatch(entry.name):
                yield entry
    yield from (entry for entry in entries(root / "claims") if entry.suffix == ".lease")  # until it is old


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
