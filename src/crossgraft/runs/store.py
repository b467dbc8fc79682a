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
all. It holds a checksum of itself (``seals``): a record whose bytes changed counts as missing, and is
computed again. Records carry their labels as columns, so DuckDB, polars and pandas read
``records/*/*.parquet`` without us.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import ENAMETOOLONG
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from crossgraft.core import Job, Record, Texts
from crossgraft.errors import StoreError, did_you_mean
from crossgraft.runs.claims import Claims, Hold, claims_in, holding
from crossgraft.runs.layout import (
    FORMAT,
    Manifest,
    Shared,
    manifest_from_json,
    manifest_to_json,
    read_record,
    read_texts,
    record_table,
    texts_table,
)
from crossgraft.runs.packs import Pack
from crossgraft.safety import files, seals
from crossgraft.safety.seals import Broken
from crossgraft.study import Failed

_T = TypeVar("_T")
_FOLDER = re.compile(r"crossgraft-(\d+)")
_TEMPORARY = re.compile(r"\..*\.partial|\.fingerprints\.json\.\d+")
_STATE = re.compile(r"\.(\w+)\.state")
_NAME = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{8})\.parquet")
_FOREIGN = "not named like a record"
STUDY_ADVICE = "run its spec again: the study is written anew, and no result is lost"
PACK_ADVICE = "the records that rest on them are computed again by the next run"
TEXTS_ADVICE = "no number rests on it; it is written again with the next record on its items"

Stamp = tuple[int, int, int, int]  # size, mtime and ctime in ns, inode: an ordinary write changes one of them


@dataclass(frozen=True)
class Damage:
    """A file in the store that we did not write, or a damaged one, and what happens to it."""

    file: Path
    reason: str
    advice: str = "skipped"

    def __str__(self) -> str:
        return f"{files.printable(self.file)}: {self.reason}; {self.advice}"


@dataclass(frozen=True)
class _Contents:
    """What a pack holds, as far as it is whole: its records by name, with the times at which they were written."""

    written: Mapping[str, float]
    damage: str


class Store:
    """A folder of results, addressed by content and shared by all studies that write to it."""

    def __init__(self, out: str | Path, *, format: int = FORMAT) -> None:
        self.out = Path(out)
        self.root = self.out / f"crossgraft-{format}"
        self._roots = [*_older(self.out, format), self.root]
        self._examined: dict[Path, tuple[Stamp, str]] = {}
        self._packed: dict[Path, tuple[Stamp, _Contents]] = {}
        self._read_manifests: dict[Path, tuple[Stamp, Manifest | Broken | None]] = {}

    @property
    def artefacts(self) -> Path:
        return self.root / "adapters"

    @property
    def fingerprints(self) -> Path:
        return self.root / "fingerprints.json"

    def log_file(self, job: Job) -> Path:
        return self.root / "logs" / f"{job.treatment_id}.log"

    # records

    def take(self, record: Record, texts: Texts | None = None) -> None:
        """Keep a record (and what its items look like); taking it twice changes nothing."""
        if texts is not None:
            file = self._texts_file(texts.id)
            if self._damage(file, partial(read_texts, texts.id)):
                self._write_parquet(texts_table(texts), file)
        folder = self.root / "records" / record.id[:2]
        self._write_parquet(record_table(record), folder / f"{record.id}.{record.pairing.id}.parquet")

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
        found: dict[str, set[str]] = {}
        damages = []
        for file in self._record_files():
            match = _NAME.fullmatch(file.name)
            reason = self._record_damage(file) if match else _FOREIGN
            if match and not reason:
                found.setdefault(match[1], set()).add(match[2])
            elif reason:
                damages.append(Damage(file, reason))
        for pack, contents, _ in self._packs():
            for name in contents.written:
                record_id, _, pairing_id = name.partition(".")
                found.setdefault(record_id, set()).add(pairing_id)
            if contents.damage:
                damages.append(Damage(pack, contents.damage, PACK_ADVICE))
        return found, _still_there(damages)

    def trace(self) -> tuple[tuple[str, int], ...]:
        """What changes whenever a record, a failure or a study is written: when its folder last did. Opens no file."""
        folders = [root / name for root in self._roots for name in ("records", "failures", "studies")]
        folders += [folder for root in self._roots for folder in _entries(root / "records")]
        return tuple((str(folder), folder.stat().st_mtime_ns) for folder in folders if folder.is_dir())

    def has(self, record_id: str, pairing_id: str | None = None) -> bool:
        """Whether the record is there, in any pairing or in this one."""
        pattern = f"records/{record_id[:2]}/{record_id}.{pairing_id or '*'}.parquet"
        if any(not self._record_damage(file) for root in self._roots for file in root.glob(pattern)):
            return True
        begin = f"{record_id}.{pairing_id or ''}"
        return any(name.startswith(begin) for _, contents, _ in self._packs() for name in contents.written)

    def read(self, ids: Iterable[str] | None = None) -> tuple[list[Record], list[Damage]]:
        """The records of these ids (or all), in order of their names, and the files that cannot be read as records."""
        wanted = None if ids is None else set(ids)
        records: list[Record] = []
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
                records.append(_load(file, partial(_read_record, file, shared)))
            except Broken as error:
                damages.append(Damage(file, str(error)))
        packed, broken = self._read_packed(wanted, {_name(record) for record in records}, shared)
        if packed:
            records = sorted([*records, *packed], key=_name)
        return records, _still_there([*damages, *broken])

    def _read_packed(
        self, wanted: set[str] | None, single: set[str], shared: Shared
    ) -> tuple[list[Record], list[Damage]]:
        """The records in packs that no file of their own holds."""
        records, damages = [], []
        for file, contents, pack in self._packs():
            names = [name for name in contents.written if wanted is None or name.partition(".")[0] in wanted]
            if contents.damage:
                damages.append(Damage(file, contents.damage, PACK_ADVICE))
            if names and pack is None:
                pack = Pack.of(file.read_bytes())
            for name in names:
                if pack is None or name in single:
                    continue
                try:
                    records.append(pack.record(name, shared))
                except Broken as error:
                    damages.append(Damage(file, str(error)))
                single.add(name)
        return records, damages

    def _packs(self) -> Iterator[tuple[Path, _Contents, Pack | None]]:
        """The packs, what they hold, and where it had to be looked at just now, the packs opened.

        They are listed after the single files, which go only once a pack is there.
        """
        for file in sorted(_entries(self.root / "packs")):
            stamp = _stamp(file)
            if stamp is None:
                continue
            known, pack = self._packed.get(file), None
            if known is None or known[0] != stamp:
                pack, contents = _opened(file)
                known = (stamp, contents)
                self._packed[file] = known
            yield file, known[1], pack

    def record(self, record_id: str, pairing_id: str) -> Record | None:
        """One record in one pairing; None where it is not, or is damaged."""
        name = f"{record_id}.{pairing_id}"
        for root in reversed(self._roots):
            file = root / "records" / record_id[:2] / f"{name}.parquet"
            try:
                return _load(file, partial(_read_record, file, {}))
            except Broken:
                continue
        packed, _ = self._read_packed({record_id}, set(), {})
        return next((record for record in packed if _name(record) == name), None)

    def record_file(self, record: Record) -> Path:
        """Where a record lies: in a file of its own, in the newest folder that has it, or in a pack."""
        places = [root / "records" / record.id[:2] / f"{_name(record)}.parquet" for root in self._roots]
        packs = (file for file, contents, _ in self._packs() if _name(record) in contents.written)
        return next((place for place in reversed(places) if place.exists()), None) or next(packs, places[-1])

    def written(self, record: Record) -> float:
        """When a record was written."""
        file, name = self.record_file(record), _name(record)
        packed = self._packed.get(file)
        return packed[1].written[name] if packed else file.stat().st_mtime

    def set_aside(self, record_id: str, pairing_id: str) -> None:
        """Take a record that is in doubt out of the results; ``verify`` names it, and the next run makes it anew."""
        name = f"{record_id}.{pairing_id}.parquet"
        file = self.root / "records" / record_id[:2] / name
        if file.exists():
            place = self.root / "damaged" / name
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

    def texts(self, texts_id: str) -> Texts | None:
        """What the items of an item set look like; None when nobody kept it."""
        for root in self._roots:
            file = root / "texts" / f"{texts_id}.parquet"
            if file.exists():
                try:
                    return _load(file, partial(read_texts, texts_id))
                except Broken as error:
                    raise StoreError(str(Damage(file, str(error), TEXTS_ADVICE))) from error
        return None

    def text_files(self) -> Iterator[Path]:
        for root in self._roots:
            yield from sorted(root.glob("texts/[!.]*"))

    def _record_files(self) -> Iterator[Path]:
        for root in self._roots:
            for folder in sorted(_entries(root / "records")):
                yield from sorted(_entries(folder))

    def _record_damage(self, file: Path) -> str:
        return self._damage(file, partial(_read_record, file, {}))

    def _damage(self, file: Path, decode: Callable[[bytes], object]) -> str:
        """Why a file cannot be used; empty when it can. What was looked at is remembered until it changes.

        Where the checksum holds, nothing is decoded.
        """
        try:
            stamp = _stamp_of(file.stat())
        except OSError as error:
            return error.strerror or str(error)
        known = self._examined.get(file)
        if known is None or known[0] != stamp:
            known = (stamp, damage_of(file, decode))
            self._examined[file] = known
        return known[1]

    def _texts_file(self, texts_id: str) -> Path:
        return self.root / "texts" / f"{texts_id}.parquet"

    # studies

    def save_study(self, manifest: Manifest) -> None:
        self._write(self._study_file(manifest.name), seals.to_json(manifest_to_json(manifest)))

    def study(self, name: str) -> Manifest:
        broken = None
        for root in reversed(self._roots):
            for file in (_study_file(root, name), _study_file_before(root, name)):
                try:
                    manifest = self._manifest(file)
                except Broken as error:
                    broken = Damage(file, str(error), STUDY_ADVICE)
                    continue
                if manifest is not None and manifest.name == name:
                    return manifest
        if broken is not None:
            raise StoreError(f"the study {name!r} cannot be read: {broken}")
        known = self.studies()
        raise StoreError(f"no study {name!r} in {self.root}{did_you_mean(name, known)}")

    def studies(self) -> tuple[str, ...]:
        """The names of the studies whose manifests can be read."""
        return tuple(sorted({manifest.name for manifest in self._manifests()[0]}))

    def damaged_studies(self) -> list[Damage]:
        return self._manifests()[1]

    def _manifests(self) -> tuple[list[Manifest], list[Damage]]:
        found, damages = [], []
        for file in (file for root in self._roots for file in sorted(root.glob("studies/[!.]*.json"))):
            try:
                manifest = self._manifest(file)
            except Broken as error:
                damages.append(Damage(file, str(error), STUDY_ADVICE))
            else:
                found += [manifest] if manifest is not None else []
        return found, damages

    def _manifest(self, file: Path) -> Manifest | None:
        """A manifest, read once for as long as its file does not change: those of large studies take seconds."""
        stamp = _stamp(file)
        known = self._read_manifests.get(file)
        if stamp is None or known is None or known[0] != stamp:
            try:
                made: Manifest | Broken | None = _read_json(file, manifest_from_json)
            except Broken as error:
                made = error
            if stamp is not None:
                self._read_manifests[file] = (stamp, made)
        else:
            made = known[1]
        if isinstance(made, Broken):
            raise made
        return made

    def _study_file(self, name: str) -> Path:
        return _study_file(self.root, name)

    # failures

    def take_failure(self, failed: Failed) -> None:
        """Keep why a job has no result; a traceback we did not foresee goes to the job's log."""
        job = failed.job
        if failed.traceback:
            log = self.log_file(job)
            with self._writing(log):
                log.parent.mkdir(parents=True, exist_ok=True)
                with log.open("a", encoding="utf-8", errors="backslashreplace") as stream:
                    stream.write(f"{datetime.now(UTC).isoformat()} {job}\n{failed.traceback}\n")
        told = {
            "job": str(job),
            "records": [cell.record_id for cell in job.cells],
            "message": str(failed.error),
            "deterministic": failed.error.deterministic,
            "log": str(self.log_file(job)) if failed.traceback else "",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._write(self._failure_file(job.treatment_id), seals.to_json(told))

    def forget_failure(self, job: Job) -> None:
        with self._writing(self._failure_file(job.treatment_id)) as file:
            file.unlink(missing_ok=True)

    def failures(self) -> dict[str, dict[str, Any]]:
        """Failed jobs by treatment id: job, the records it was to make, message, deterministic, log, at.

        A failure that cannot be read is none: the next run tries its job again.
        """
        return self._failures()[0]

    def failure(self, treatment_id: str) -> dict[str, Any] | None:
        """The failure of one job; None where there is none that can be read."""
        try:
            return _read_json(self._failure_file(treatment_id), _failure)
        except Broken:
            return None

    def damaged_failures(self) -> list[Damage]:
        return self._failures()[1]

    def _failures(self) -> tuple[dict[str, dict[str, Any]], list[Damage]]:
        found: dict[str, dict[str, Any]] = {}
        damages = []
        for file in sorted(self.root.glob("failures/[!.]*.json")):
            try:
                failure = _read_json(file, _failure)
            except Broken as error:
                damages.append(Damage(file, str(error), "not counted: the next run tries its job again; delete it"))
            else:
                found |= {file.stem: failure} if failure is not None else {}
        return found, damages

    def _failure_file(self, treatment_id: str) -> Path:
        return self.root / "failures" / f"{treatment_id}.json"

    # packs

    def single_files(self) -> Iterator[tuple[str, Path]]:
        """The records that lie in files of their own, in the newest folder, by name."""
        for file in self._record_files():
            if _NAME.fullmatch(file.name) and file.is_relative_to(self.root):
                yield file.stem, file

    def load(self, file: Path) -> Record:
        """The record in a file of its own; ``Broken`` when it is damaged."""
        return _load(file, partial(_read_record, file, {}))

    def times(self) -> dict[str, float]:
        """When each whole record was written, by its id, in any pairing."""
        self._survey()
        times = {file.name.partition(".")[0]: stamp[1] / 1e9 for file, (stamp, _) in self._examined.items()}
        for _, contents, _ in self._packs():
            times |= {name.partition(".")[0]: written for name, written in contents.written.items()}
        return times

    def is_packed(self, name: str) -> bool:
        return any(name in contents.written for _, contents, _ in self._packs())

    def add_pack(self, stem: str, content: bytes) -> Path:
        file = self.root / "packs" / f"{stem}.parquet"
        self._write(file, content)
        return file

    # writing

    def _write_parquet(self, table: pa.Table, file: Path) -> None:
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", use_dictionary=False, write_statistics=False)  # small files
        self._write(file, seals.seal_parquet(sink.getvalue().to_pybytes(), file.stem))

    def _write(self, file: Path, content: bytes) -> None:
        with self._writing(file):
            files.write_whole(file, content)

    @contextmanager
    def _writing(self, file: Path) -> Iterator[Path]:
        """What the system refuses ends the run with a sentence: every other job would meet the same."""
        try:
            yield file
        except OSError as error:
            raise StoreError(f"cannot write into the store: {files.why(_at(error, file))}") from error

    def tidy(self) -> None:
        """Remove what killed runs left half written, once nobody can be writing it any more.

        Temporary files go after a day. The state of a training goes after a day when no study in the store
        names its run; without all studies being readable, none goes.
        """
        for entry in self.temporary():
            if files.is_old(entry):
                files.remove(entry)
        runs = self.runs()
        for state in _entries(self.artefacts, hidden=True):
            match = _STATE.fullmatch(state.name)
            if match and runs is not None and match[1] not in runs and files.is_old(state):
                files.remove(state)

    def temporary(self) -> Iterator[Path]:
        """Files and folders under temporary names: somebody is writing them, or was killed doing so."""
        folders = [self.root, *(self.root / name for name in ("packs", "texts", "studies", "failures", "adapters"))]
        spaces = self.artefacts / "spaces"  # all that is hidden there is temporary
        for folder in (*folders, *_entries(self.root / "records"), spaces):
            for entry in _entries(folder, hidden=True):
                if folder == spaces or _TEMPORARY.fullmatch(entry.name):
                    yield entry
        yield from (entry for entry in _entries(self.root / "claims") if entry.suffix == ".lease")  # until it is old

    def runs(self) -> set[str] | None:
        """The training runs that the studies name; None where a study cannot be read."""
        manifests, broken = self._manifests()
        return None if broken else {job.run_id for manifest in manifests for job in manifest.jobs}

    # claims

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
        with self._writing(self.root / "claims" / job.treatment_id):
            return self.claims.hold(job.treatment_id)

    @contextmanager
    def claim(self, job: Job) -> Iterator[bool]:
        """Whether this process may work on the job, for as long as the block lasts."""
        with holding(self.claims, job.treatment_id) as held:
            yield held


def _name(record: Record) -> str:
    return f"{record.id}.{record.pairing.id}"


def _still_there(damages: list[Damage]) -> list[Damage]:
    """Without files that have gone since they were listed: a pack holds what was in them."""
    return [damage for damage in damages if os.path.lexists(damage.file)]


def _stamp_of(status: os.stat_result) -> Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _stamp(file: Path) -> Stamp | None:
    try:
        return _stamp_of(file.stat())
    except OSError:
        return None


def _opened(file: Path) -> tuple[Pack | None, _Contents]:
    try:
        pack = Pack.of(file.read_bytes())
    except OSError as error:
        return None, _Contents({}, error.strerror or str(error))
    return pack, _Contents({name: pack.records[name].written for name in pack.names()}, pack.damage)


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


def _study_file(root: Path, name: str) -> Path:
    return root / "studies" / f"{files.safe_name(name)}.json"


def _study_file_before(root: Path, name: str) -> Path:
    """Where a manifest was kept when two names could have the same file."""
    safe = re.sub(r"[^\w.+=,-]", "_", name)
    return root / "studies" / f"{safe}.json"


def _entries(folder: Path, *, hidden: bool = False) -> list[Path]:
    """What lies in a folder; nothing where it is no folder or cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries if entry.name.startswith(".") == hidden]
    except OSError:
        return []


def damage_of(file: Path, decode: Callable[[bytes], object]) -> str:
    """Why a Parquet file cannot be used; empty when it can. It is decoded only where no checksum vouches for it."""
    try:
        content, sealed = _content(file)
        if not sealed:
            _decoded(content, decode)
    except Broken as error:
        return str(error)
    return ""


def _load(file: Path, decode: Callable[[bytes], _T]) -> _T:
    return _decoded(_content(file)[0], decode)


def _content(file: Path) -> tuple[bytes, bool]:
    """The bytes of a Parquet file of ours, and whether a checksum says that they are those that were written."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Broken(error.strerror or str(error)) from error
    return content, seals.check_parquet(content, file.stem)


def _decoded(content: bytes, decode: Callable[[bytes], _T]) -> _T:
    try:
        return decode(content)
    except Broken:
        raise
    except Exception as error:  # whatever a torn or foreign file makes Parquet raise
        raise Broken(f"cannot be read ({type(error).__name__}: {_first_line(error)})") from error


def _read_record(file: Path, shared: Shared, content: bytes) -> Record:
    record = read_record(content, shared)
    if f"{record.id}.{record.pairing.id}" != file.stem:
        raise Broken("its content belongs to another name")
    return record


def _read_json(file: Path, made: Callable[[Mapping[str, Any]], _T]) -> _T | None:
    """What a JSON file of ours holds; None where there is no such file."""
    try:
        return made(seals.from_json(file.read_bytes()))
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError) or error.errno == ENAMETOOLONG:
            return None
        raise Broken(error.strerror or str(error)) from error


def _failure(value: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {"job": str, "records": list, "message": str, "deterministic": bool}
    wrong = [name for name, kind in kinds.items() if not isinstance(value.get(name), kind)]
    if wrong:
        raise Broken(f"no failure of a job: {', '.join(wrong)} missing or of a wrong type")
    return dict(value)


def _at(error: OSError, file: Path) -> OSError:
    """The error with the path it is about: one that comes of writing names none, or a temporary one."""
    if error.filename is None or str(error.filename).endswith(".partial"):
        error.filename = str(file)
    return error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
