"""The store: one Parquet file a record (or a thousand in one), named by its id; safe to kill, safe for many writers.

    OUT/crossgraft-1/                     the number is the format's version
        records/ab/<record>.<pairing>.parquet
        packs/<names>.parquet             many records in one file, once 'store compact' has merged them
        texts/<texts>.parquet             what the items look like, once an item set
        adapters/<treatment>/             trained adapters, plain PEFT folders
        adapters/.<run>.state             where a killed training goes on
        studies/<name>.json               a study: its spec and the ids of its records
        failures/<treatment>.json         why a job has no result
        logs/<treatment>.log              tracebacks of what we did not foresee
        followed/                         what callbacks write (wandb, mlflow.db)
        claims/                           locks or leases of running jobs
        damaged/                          adapters that were found damaged, set aside

A file is written under a temporary name, synced and renamed, so it is there as a whole or not at
all. (The names of records are synced once a second: a power cut may cost those of its last second, and they
are computed again.) It holds a checksum of itself (``seals``): a record whose bytes changed counts as missing, and is
computed again. Records carry their labels as columns, so DuckDB, polars and pandas read
``records/*/*.parquet`` without us.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path

from crossgraft.core import Job, Record, Texts
from crossgraft.errors import StoreError
from crossgraft.runs.claims import Claims, Hold, claims_in, holding
from crossgraft.runs.storage.failures import Failures
from crossgraft.runs.storage.layout import FORMAT, Manifest, Shared, read_record, read_texts, record_table, texts_table
from crossgraft.runs.storage.manifests import Manifests
from crossgraft.runs.storage.pack_folder import PackFolder
from crossgraft.runs.storage.reading import Damage, Stamp, damage_of, entries, load, names, stamp_of, still_there
from crossgraft.runs.storage.writing import write_parquet, writing
from crossgraft.safety import files
from crossgraft.safety.seals import Broken

_FOLDER = re.compile(r"crossgraft-(\d+)")
_NAME = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{8})\.parquet")
_FOREIGN = "not named like a record"
TEXTS_ADVICE = "no number rests on it; it is written again with the next record on its items"


class Store:
    """A folder of results, addressed by content and shared by all studies that write to it."""

    def __init__(self, out: str | Path, *, format: int = FORMAT) -> None:
        self.out = Path(out)
        self.root = self.out / f"crossgraft-{format}"
        self._roots = [*_older(self.out, format), self.root]
        self.manifests = Manifests(self._roots)
        self.failures = Failures(self.root)
        self.packs = PackFolder(self.root / "packs")
        self._examined: dict[Path, tuple[Stamp, str]] = {}
        self._unsynced = files.Unsynced()

    @property
    def artefacts(self) -> Path:
        return self.root / "adapters"

    @property
    def fingerprints(self) -> Path:
        return self.root / "fingerprints.json"

    def study(self, name: str) -> Manifest:
        return self.manifests.named(name)

    def studies(self) -> tuple[str, ...]:
        """The names of the studies whose manifests can be read."""
        return self.manifests.names()

    def take(self, record: Record, texts: Texts | None = None) -> None:
        """Keep a record (and what its items look like); taking it twice changes nothing."""
        if texts is not None:
            file = self.root / "texts" / f"{texts.id}.parquet"
            if self._damage(file, partial(read_texts, texts.id)):
                write_parquet(texts_table(texts), file, self._unsynced)
        write_parquet(record_table(record), self._file(self.root, record.id, record.pairing.id), self._unsynced)

    def sync(self, *, now: bool = True) -> None:
        """Make the names of the latest records safe from a power cut; without ``now``, once a second at most."""
        with writing(self.root / "records"):
            if now:
                self._unsynced.sync()
            else:
                self._unsynced.sync_if_due()

    def done(self) -> dict[str, set[str]]:
        """Ids of the whole records, each with the pairings it exists in.

        Every file is read and its checksum compared, once for as long as it does not change; records that are
        older than checksums are decoded.
        """
        return self._survey()[0]

    def damaged_records(self) -> list[Damage]:
        """The files among the records that are not records, or whose bytes have changed."""
        return self._survey()[1]

    def _survey(self) -> tuple[dict[str, set[str]], list[Damage]]:
        done: dict[str, set[str]] = {}
        damages = []
        for file in self._record_files():
            match = _NAME.fullmatch(file.name)
            reason = self._record_damage(file) if match else _FOREIGN
            if match and not reason:
                done.setdefault(match[1], set()).add(match[2])
            elif reason:
                damages.append(Damage(file, reason))
        for name in self.packs.names():  # after the single files, which go only once a pack is there
            record_id, _, pairing_id = name.partition(".")
            done.setdefault(record_id, set()).add(pairing_id)
        return done, still_there([*damages, *self.packs.damages()])

    def trace(self) -> tuple[tuple[str, int], ...]:
        """What changes whenever a record, a failure or a study is written: when its folder last did. Opens no file."""
        folders = [root / name for root in self._roots for name in ("records", "failures", "studies")]
        folders += [folder for root in self._roots for folder in entries(root / "records")]
        return tuple((str(folder), folder.stat().st_mtime_ns) for folder in folders if folder.is_dir())

    def has(self, record_id: str, pairing_id: str | None = None) -> bool:
        """Whether the record is there, in any pairing or in this one."""
        begin = f"{record_id}.{pairing_id or ''}"
        single = (
            folder / name
            for folder in (root / "records" / record_id[:2] for root in self._roots)
            for name in names(folder)
            if name.startswith(begin) and name.endswith(".parquet")
        )
        if any(not self._record_damage(file) for file in single):
            return True
        return any(name.startswith(begin) for name in self.packs.names())

    def read(self, ids: Iterable[str] | None = None) -> tuple[list[Record], list[Damage]]:
        """The records of these ids (or all), in order of their names, and the files that cannot be read as records."""
        wanted = None if ids is None else set(ids)
        records: dict[str, Record] = {}
        damages = []
        shared: Shared = {}
        for file in self._record_files():
            match = _NAME.fullmatch(file.name)
            if match and wanted is not None and match[1] not in wanted:
                continue
            if not match:
                damages.append(Damage(file, _FOREIGN))
                continue
            try:
                records[file.stem] = load(file, partial(_read_record, file, shared))
            except Broken as error:
                damages.append(Damage(file, str(error)))

        def is_wanted(name: str) -> bool:
            return name not in records and (wanted is None or name.partition(".")[0] in wanted)

        packed, broken = self.packs.read(is_wanted, shared)
        if packed:
            records = dict(sorted((records | packed).items()))
        return list(records.values()), still_there([*damages, *broken])

    def record(self, record_id: str, pairing_id: str) -> Record | None:
        """One record in one pairing; None where it is not, or is damaged."""
        for root in reversed(self._roots):
            try:
                return self.load(self._file(root, record_id, pairing_id))
            except Broken:
                continue
        name = f"{record_id}.{pairing_id}"
        return self.packs.read(lambda other: other == name, {})[0].get(name)

    def load(self, file: Path) -> Record:
        """The record in a file of its own; ``Broken`` when it is damaged."""
        return load(file, partial(_read_record, file, {}))

    def record_file(self, record: Record) -> Path:
        """Where a record lies: in a file of its own, in the newest folder that has it, or in a pack."""
        places = [self._file(root, record.id, record.pairing.id) for root in reversed(self._roots)]
        single = next((place for place in places if place.exists()), None)
        return single or self.packs.file_of(places[0].stem) or places[0]

    def written(self, record: Record) -> float:
        """When a record was written."""
        file = self.record_file(record)
        packed = self.packs.written() if file.parent == self.root / "packs" else {}
        return packed.get(f"{record.id}.{record.pairing.id}") or file.stat().st_mtime

    def times(self) -> dict[str, float]:
        """When each whole record was written, by its id, in any pairing."""
        self._survey()
        single = {file.name.partition(".")[0]: stamp[1] / 1e9 for file, (stamp, _) in self._examined.items()}
        return single | {name.partition(".")[0]: time for name, time in self.packs.written().items()}

    def set_aside(self, record_id: str, pairing_id: str) -> None:
        """Take a record that is in doubt out of the results; ``verify`` names it, and the next run makes it anew."""
        file = self._file(self.root, record_id, pairing_id)
        if file.exists():
            place = self.root / "damaged" / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)

    def find(self, prefix: str) -> Record:
        """The one record whose id begins so."""
        ids = sorted(id for id in self.done() if id.startswith(prefix))
        if len(ids) != 1:
            what = "no record" if not ids else f"{len(ids)} records"
            raise StoreError(f"{what} in {self.root} begin with {prefix!r}; 'crossgraft store ls' lists them")
        records, damages = self.read(ids)
        if not records:
            raise StoreError(str(damages[0]))
        return records[0]

    def single_files(self) -> Iterator[Path]:
        """The records that lie in files of their own, in the newest folder."""
        for file in self._record_files():
            if _NAME.fullmatch(file.name) and file.is_relative_to(self.root):
                yield file

    def texts(self, texts_id: str) -> Texts | None:
        """What the items of an item set look like; None when nobody kept it."""
        for root in self._roots:
            file = root / "texts" / f"{texts_id}.parquet"
            if file.exists():
                try:
                    return load(file, partial(read_texts, texts_id))
                except Broken as error:
                    raise StoreError(str(Damage(file, str(error), TEXTS_ADVICE))) from error
        return None

    def text_files(self) -> Iterator[Path]:
        for root in self._roots:
            yield from sorted(root.glob("texts/[!.]*"))

    @cached_property
    def claims(self) -> Claims:
        """How processes on this store keep out of each other's way: file locks, or leases where locks do not hold."""
        return claims_in(self.root / "claims")

    def running(self, jobs: Iterable[Job]) -> int:
        """How many of these jobs a process works on now; looking makes no folder."""
        if not (self.root / "claims").is_dir():
            return 0
        return self.claims.held(job.treatment_id for job in jobs)

    def hold(self, job: Job) -> Hold | None:
        """The job for this process alone, until it is released; None while another process has it."""
        with writing(self.root / "claims" / job.treatment_id):
            return self.claims.hold(job.treatment_id)

    @contextmanager
    def claim(self, job: Job) -> Iterator[bool]:
        """Whether this process may work on the job, for as long as the block lasts."""
        with holding(self.claims, job.treatment_id) as held:
            yield held

    def _file(self, root: Path, record_id: str, pairing_id: str) -> Path:
        return root / "records" / record_id[:2] / f"{record_id}.{pairing_id}.parquet"

    def _record_files(self) -> Iterator[Path]:
        for root in self._roots:
            for folder in sorted(entries(root / "records")):
                yield from map(folder.joinpath, names(folder))

    def _record_damage(self, file: Path) -> str:
        return self._damage(file, partial(_read_record, file, {}))

    def _damage(self, file: Path, decode: Callable[[bytes], object]) -> str:
        """Why a file cannot be used; empty when it can. What was looked at is remembered until it changes.

        Where the checksum holds, nothing is decoded.
        """
        stamp = stamp_of(file)
        if stamp is None:
            return damage_of(file, decode)
        known = self._examined.get(file)
        if known is None or known[0] != stamp:
            known = (stamp, damage_of(file, decode))
            self._examined[file] = known
        return known[1]


def _older(out: Path, format: int) -> list[Path]:
    """Folders of older formats, oldest first; a newer one is refused."""
    older = []
    if out.exists() and not out.is_dir():
        raise StoreError(f"expected a folder for results; {files.printable(out)} is a file: choose another with --out")
    for folder in out.iterdir() if out.is_dir() else ():
        match = _FOLDER.fullmatch(folder.name)
        if not match or not folder.is_dir():
            continue
        version = int(match[1])
        if version > format:
            raise StoreError(
                f"{folder} was written by a newer crossgraft (store format {version}; this one knows up to "
                f"{format}): upgrade crossgraft, or choose another folder with --out"
            )
        if version < format:
            older.append((version, folder))
    return [folder for _, folder in sorted(older)]


def _read_record(file: Path, shared: Shared, content: bytes) -> Record:
    record = read_record(content, shared)
    if f"{record.id}.{record.pairing.id}" != file.stem:
        raise Broken("its content belongs to another name")
    return record
