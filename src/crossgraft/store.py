"""The store: one Parquet file a record, named by its id; safe to kill, safe for many writers.

    OUT/crossgraft-1/                     the number is the format's version
        records/ab/<record>.<pairing>.parquet
        texts/<texts>.parquet             what the items look like, once an item set
        adapters/<treatment>/             trained adapters, plain PEFT folders
        studies/<name>.json               a study: its spec and the ids of its records
        failures/<treatment>.json         why a job has no result
        logs/<treatment>.log              tracebacks of what we did not foresee
        followed/                         what callbacks write (wandb, mlflow.db)
        claims/                           locks of running jobs; vanish with their process

A file is written under a temporary name, synced and renamed, so it is there as a whole or not at
all. Records carry their labels as columns, so DuckDB, polars and pandas read
``records/*/*.parquet`` without us.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from crossgraft.core import Job, Record, Texts
from crossgraft.errors import StoreError, did_you_mean
from crossgraft.layout import (
    FORMAT,
    Manifest,
    manifest_from_json,
    manifest_to_json,
    read_record,
    record_table,
    texts_table,
)
from crossgraft.study import Failed

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows: no locks, so two runs at once do some work twice
    _CAN_LOCK = False
else:
    _CAN_LOCK = True

_MAGIC = b"PAR1"
_FOLDER = re.compile(r"crossgraft-(\d+)")
_NAME = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{8})\.parquet")


@dataclass(frozen=True)
class Damage:
    """A file in the store that is no record of ours, or a broken one."""

    file: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}; skipped"


class Store:
    """A folder of results, addressed by content and shared by all studies that write to it."""

    def __init__(self, out: str | Path, *, format: int = FORMAT) -> None:
        self.out = Path(out)
        self.root = self.out / f"crossgraft-{format}"
        self._roots = [*_older(self.out, format), self.root]

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
        if texts is not None and not self._texts_file(texts.id).exists():
            _write_parquet(texts_table(texts), self._texts_file(texts.id))
        folder = self.root / "records" / record.id[:2]
        _write_parquet(record_table(record), folder / f"{record.id}.{record.pairing.id}.parquet")

    def done(self) -> dict[str, set[str]]:
        """Ids of the whole records, each with the pairings it exists in. Reads names, not contents."""
        found: dict[str, set[str]] = {}
        for file in self._record_files():
            match = _NAME.fullmatch(file.name)
            if match and _is_whole(file):
                found.setdefault(match[1], set()).add(match[2])
        return found

    def has(self, record_id: str, pairing_id: str | None = None) -> bool:
        """Whether the record is there, in any pairing or in this one."""
        pattern = f"records/{record_id[:2]}/{record_id}.{pairing_id or '*'}.parquet"
        return any(_is_whole(file) for root in self._roots for file in root.glob(pattern))

    def read(self, ids: Iterable[str] | None = None) -> tuple[list[Record], list[Damage]]:
        """The records of these ids (or all), in order of file name, and the files that are none."""
        wanted = None if ids is None else set(ids)
        records, damages = [], []
        for file in self._record_files():
            match = _NAME.fullmatch(file.name)
            if match and wanted is not None and match[1] not in wanted:
                continue
            if not match:
                damages.append(Damage(file, "not named like a record"))
                continue
            try:
                record = read_record(file)
            except Exception as error:  # whatever a torn or foreign file makes Parquet raise
                damages.append(Damage(file, f"not a whole record ({type(error).__name__}: {_first_line(error)})"))
                continue
            if record.id != match[1] or record.pairing.id != match[2]:
                damages.append(Damage(file, "its content belongs to another name"))
                continue
            records.append(record)
        return records, damages

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
                columns = pq.read_table(file).to_pydict()
                return Texts(texts_id, tuple(columns.pop("item")), columns)
        return None

    def _record_files(self) -> Iterator[Path]:
        for root in self._roots:
            yield from sorted(root.glob("records/*/[!.]*"))

    def _texts_file(self, texts_id: str) -> Path:
        return self.root / "texts" / f"{texts_id}.parquet"

    # studies

    def save_study(self, manifest: Manifest) -> None:
        _write_json(self._study_file(manifest.name), manifest_to_json(manifest))

    def study(self, name: str) -> Manifest:
        for root in reversed(self._roots):
            file = _study_file(root, name)
            if file.exists():
                return manifest_from_json(json.loads(file.read_text("utf-8")))
        known = self.studies()
        raise StoreError(f"no study {name!r} in {self.root}{did_you_mean(name, known)}")

    def studies(self) -> tuple[str, ...]:
        files = [file for root in self._roots for file in root.glob("studies/*.json")]
        return tuple(sorted({json.loads(file.read_text("utf-8"))["name"] for file in files}))

    def _study_file(self, name: str) -> Path:
        return _study_file(self.root, name)

    # failures

    def take_failure(self, failed: Failed) -> None:
        """Keep why a job has no result; a traceback we did not foresee goes to the job's log."""
        job = failed.job
        if failed.traceback:
            log = self.log_file(job)
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a", encoding="utf-8") as stream:
                stream.write(f"{datetime.now(UTC).isoformat()} {job}\n{failed.traceback}\n")
        _write_json(
            self._failure_file(job.treatment_id),
            {
                "job": str(job),
                "records": [cell.record_id for cell in job.cells],
                "message": str(failed.error),
                "deterministic": failed.error.deterministic,
                "log": str(self.log_file(job)) if failed.traceback else "",
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
            },
        )

    def forget_failure(self, job: Job) -> None:
        self._failure_file(job.treatment_id).unlink(missing_ok=True)

    def failures(self) -> dict[str, dict[str, Any]]:
        """Failed jobs by treatment id: job, the records it was to make, message, deterministic, log, at."""
        return {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(self.root.glob("failures/*.json"))}

    def _failure_file(self, treatment_id: str) -> Path:
        return self.root / "failures" / f"{treatment_id}.json"

    # claims

    @contextmanager
    def claim(self, job: Job) -> Iterator[bool]:
        """Whether this process may work on the job; the lock goes when the process goes."""
        if not _CAN_LOCK:
            yield True
            return
        folder = self.root / "claims"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / job.treatment_id).open("w") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except OSError:
                yield False
                return
            yield True


def _older(out: Path, format: int) -> list[Path]:
    """Folders of older formats, oldest first; a newer one is refused."""
    older = []
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
    safe = re.sub(r"[^\w.+=,-]", "_", name)
    return root / "studies" / f"{safe}.json"


def _is_whole(file: Path) -> bool:
    """Parquet begins and ends with its magic bytes; a torn file lacks the end."""
    try:
        with file.open("rb") as stream:
            head = stream.read(4)
            stream.seek(-4, os.SEEK_END)
            return head == stream.read(4) == _MAGIC
    except OSError:
        return False


@contextmanager
def _whole_or_not_at_all(file: Path) -> Iterator[Path]:
    """A temporary path beside the file that is synced and takes its place at the end."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".partial", dir=file.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        partial.replace(file)
        _sync_folder(file.parent)
    finally:
        partial.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_parquet(table: pa.Table, file: Path) -> None:
    with _whole_or_not_at_all(file) as partial:
        pq.write_table(table, partial, compression="zstd")


def _write_json(file: Path, value: Mapping[str, Any]) -> None:
    with _whole_or_not_at_all(file) as partial:
        partial.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
