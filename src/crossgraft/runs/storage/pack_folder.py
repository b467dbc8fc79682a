"""The packs of a store: what each holds, looked at once for as long as it does not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from crossgraft.core import Record
from crossgraft.runs.storage.layout import Shared
from crossgraft.runs.storage.packs import Pack
from crossgraft.runs.storage.reading import Damage, Stamp, entries, stamp_of
from crossgraft.runs.storage.writing import write
from crossgraft.safety.seals import Broken

_ADVICE = "the records that rest on them are computed again by the next run"


@dataclass(frozen=True)
class Contents:
    """What a pack holds, as far as it is whole: its records by name, with the times at which they were written."""

    written: Mapping[str, float]
    damage: str


class PackFolder:
    """Records are named here as their files are: record id, full stop, pairing id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, tuple[Stamp, Contents]] = {}

    def add(self, stem: str, content: bytes) -> Path:
        file = self._folder / f"{stem}.parquet"
        write(file, content)
        return file

    def names(self) -> Iterator[str]:
        for _, contents, _ in self._each():
            yield from contents.written

    def written(self) -> dict[str, float]:
        """When each record was written, by its name."""
        return {name: time for _, contents, _ in self._each() for name, time in contents.written.items()}

    def file_of(self, name: str) -> Path | None:
        return next((file for file, contents, _ in self._each() if name in contents.written), None)

    def files(self, wanted: Callable[[str], bool]) -> Iterator[Path]:
        """The packs that hold a record whose name is wanted, and those that are damaged."""
        for file, contents, _ in self._each():
            if contents.damage or any(map(wanted, contents.written)):
                yield file

    def damages(self) -> list[Damage]:
        return [Damage(file, contents.damage, _ADVICE) for file, contents, _ in self._each() if contents.damage]

    def read(self, wanted: Callable[[str], bool], shared: Shared) -> tuple[dict[str, Record], list[Damage]]:
        """The records whose name is wanted, and what is damaged; each is read from the first pack that holds it."""
        records: dict[str, Record] = {}
        damages: list[Damage] = []
        broken: set[str] = set()
        for file, contents, pack in self._each():
            if contents.damage:
                damages.append(Damage(file, contents.damage, _ADVICE))
            names = [name for name in contents.written if wanted(name) and name not in records and name not in broken]
            if not names:
                continue
            opened = pack or Pack.of(file.read_bytes())
            for name in names:
                try:
                    records[name] = opened.record(name, shared)
                except Broken as error:
                    damages.append(Damage(file, str(error)))
                    broken.add(name)
        return records, damages

    def _each(self) -> Iterator[tuple[Path, Contents, Pack | None]]:
        """The packs, what they hold, and those that had to be looked at just now, opened."""
        for file in sorted(entries(self._folder)):
            stamp = stamp_of(file)
            if stamp is None:
                continue
            known, pack = self._known.get(file), None
            if known is None or known[0] != stamp:
                pack, contents = _opened(file)
                known = (stamp, contents)
                self._known[file] = known
            yield file, known[1], pack


def _opened(file: Path) -> tuple[Pack | None, Contents]:
    try:
        pack = Pack.of(file.read_bytes())
    except OSError as error:
        return None, Contents({}, error.strerror or str(error))
    return pack, Contents({name: pack.records[name].written for name in pack.names()}, pack.damage)
