"""Compaction: records in files of their own become packs of a thousand, and nothing is lost on the way.

A pack is written whole and read back before the files it replaces go. Until then, and after a kill at any
point, both are there, and readers take the file. Processes that compute may go on meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossgraft.core import Record
from crossgraft.errors import StoreError
from crossgraft.runs.claims import holding
from crossgraft.runs.storage.layout import record_meta
from crossgraft.runs.storage.packs import Pack, pack_name, packed
from crossgraft.runs.storage.store import Store
from crossgraft.safety.seals import Broken

SIZE = 1000  # records a pack


@dataclass(frozen=True)
class Packed:
    """A pack that was made: its file, and how many records went into it."""

    file: Path
    records: int


def compact(store: Store, *, size: int = SIZE) -> Iterator[Packed]:
    """Pack the records in files of their own, ``size`` at a time; fewer than that, the latest, stay as they are."""
    with holding(store.claims, "compaction") as alone:
        if not alone:
            raise StoreError(f"another process compacts {store.root}; wait until it has ended")
        packed_names = set(store.packs.names())
        for file in list(store.single_files()):
            if file.stem in packed_names:  # a kill left both
                file.unlink()
        files = _by_items(store)
        for start in range(0, len(files) - size + 1, size):
            yield _pack(store, files[start : start + size])


def _by_items(store: Store) -> list[Path]:
    """The single files, those of the same items together, since they share columns."""
    texts = {
        cell.record_id: cell.texts_id
        for name in store.studies()
        for job in store.study(name).jobs
        for cell in job.cells
    }
    return sorted(store.single_files(), key=lambda file: (texts.get(file.name.partition(".")[0], ""), file))


def _pack(store: Store, files: Sequence[Path]) -> Packed:
    records: dict[str, tuple[Record, float]] = {}
    read: list[tuple[Path, tuple[int, int]]] = []
    for file in files:
        status = file.stat()
        try:
            records[file.stem] = (store.load(file), status.st_mtime)
        except Broken:
            continue  # it stays where it is, and is computed again
        read.append((file, (status.st_mtime_ns, status.st_ino)))
    stem = pack_name(sorted(records))
    made = store.packs.add(stem, packed(records, stem))
    _check(made, records)
    for file, before in read:
        status = file.stat()
        if (status.st_mtime_ns, status.st_ino) == before:
            file.unlink()
    return Packed(made, len(records))


def _check(file: Path, records: dict[str, tuple[Record, float]]) -> None:
    """Read the pack back; the files it is to replace stay where a record is not as it was."""
    pack = Pack.of(file.read_bytes())
    for name, (record, _) in records.items():
        if pack.damage or not _same(pack.record(name, {}), record):
            file.unlink()
            raise StoreError(f"the pack {file} did not hold the record {name} as it was; nothing was removed")


def _same(first: Record, second: Record) -> bool:
    """To the last bit; as text, a NaN among the facts equals itself."""
    facts = (json.dumps(record_meta(record)) for record in (first, second))
    return first.answers == second.answers and len(set(facts)) == 1
