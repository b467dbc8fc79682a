"""Packs: many records in one Parquet file, a row each, with the columns that records share kept once.

A row is a record (its metadata, and the checksums of its columns) or a column of answers. Every row begins with a
checksum of itself, so a flipped bit costs the records that rest on that row; rows are found by their first bytes when
the frame of the file is damaged. Labels and scores of the records are columns for other tools.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crossgraft.core import Record
from crossgraft.errors import CrossgraftError
from crossgraft.runs.storage.layout import SEALED, Shared, record_meta, record_of
from crossgraft.safety import seals
from crossgraft.safety.seals import Broken

_MAGIC = b"crossgraft-row:"
_DIGEST = 32
_LABELS = ("model", "treatment", "source", "target", "metric")


def pack_name(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]


def packed(records: Mapping[str, tuple[Record, float]], stem: str) -> bytes:
    """The bytes of a pack of these records, by their names, each with the time at which it was written."""
    columns: dict[str, bytes] = {}
    rows: list[dict[str, Any]] = []
    for name, (record, written) in records.items():
        entry: dict[str, Any] = {"name": name, "written": written}
        entry["item"] = _keep(columns, _encoded(np.array(record.answers.items, dtype=object)))
        entry["columns"] = {
            column: _keep(columns, _encoded(np.asarray(values))) for column, values in record.answers.columns.items()
        }
        body = json.dumps(entry).encode() + b"\n" + json.dumps(record_meta(record)).encode()
        rows.append({"name": name, "content": _sealed(body), **_labels(record)})
    rows = [{"name": digest, "content": _sealed(body)} for digest, body in columns.items()] + rows
    labels = [(label, pa.string()) for label in _LABELS]
    numbers = [("seed", pa.int64()), ("score", pa.float64()), ("n", pa.int64())]
    schema = pa.schema([("name", pa.string()), *labels, *numbers, ("content", pa.binary())])
    table = pa.Table.from_pylist(rows, schema).replace_schema_metadata(SEALED)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="none", use_dictionary=False, write_statistics=False)
    return seals.seal_parquet(sink.getvalue().to_pybytes(), stem)


def _labels(record: Record) -> dict[str, Any]:
    treatment, score = record.treatment, next(iter(record.scores), None)
    return {
        "model": treatment.model,
        "treatment": treatment.name,
        "source": str(treatment.source) if treatment.source else None,
        "seed": treatment.seed,
        "target": str(record.target),
        "metric": score.metric if score else None,
        "score": score.value if score else None,
        "n": len(record.answers),
    }


def _keep(columns: dict[str, bytes], body: bytes) -> str:
    digest = hashlib.sha256(body).hexdigest()
    columns[digest] = body
    return digest


def _encoded(column: np.ndarray[Any, Any]) -> bytes:
    """A line that says type and shape, then the values; text as JSON."""
    if column.dtype.kind in "OU":
        return json.dumps({"text": True}).encode() + b"\n" + json.dumps(column.tolist()).encode()
    head = {"dtype": column.dtype.str, "shape": list(column.shape)}
    return json.dumps(head).encode() + b"\n" + np.ascontiguousarray(column).tobytes()


def _decoded(body: bytes) -> np.ndarray[Any, Any]:
    head, _, values = body.partition(b"\n")
    said = json.loads(head)
    if said.get("text"):
        texts = json.loads(values)
        column = np.empty(len(texts), dtype=object)
        column[:] = texts
        return column
    return np.frombuffer(values, dtype=said["dtype"]).reshape(said["shape"])  # records may share it: it is read-only


def _sealed(body: bytes) -> bytes:
    return _MAGIC + hashlib.sha256(body).digest() + body


@dataclass(frozen=True)
class Entry:
    """A record as a pack holds it: when it was written, the checksums of its columns, and its metadata as JSON."""

    written: float
    item: str
    columns: Mapping[str, str]
    meta: bytes


@dataclass(frozen=True)
class Pack:
    """The whole rows of a pack: records by name, bodies of columns by checksum; ``damage`` says what is not whole."""

    records: Mapping[str, Entry]
    columns: Mapping[str, bytes]
    damage: str = ""

    @classmethod
    def of(cls, content: bytes) -> Pack:
        """What is whole in these bytes; a pack that is damaged gives what is left of it."""
        records: dict[str, Entry] = {}
        columns: dict[str, bytes] = {}
        rows, damaged = _rows(content)
        for row in rows:
            body = row[len(_MAGIC) + _DIGEST :]
            digest = hashlib.sha256(body)
            if row[len(_MAGIC) : len(_MAGIC) + _DIGEST] != digest.digest():
                damaged += 1
            elif body.startswith(b'{"name": '):
                head, _, meta = body.partition(b"\n")
                entry = json.loads(head)
                records[entry["name"]] = Entry(entry["written"], entry["item"], entry["columns"], meta)
            else:
                columns[digest.hexdigest()] = body
        return cls(records, columns, f"{damaged} of its rows are damaged" if damaged else "")

    def names(self) -> Iterator[str]:
        """The records of which every column is whole."""
        for name, entry in self.records.items():
            if entry.item in self.columns and all(digest in self.columns for digest in entry.columns.values()):
                yield name

    def record(self, name: str, shared: Shared) -> Record:
        """``Broken`` when a column of it is not there."""
        try:
            entry = self.records[name]
            items = self._items(entry.item, shared)
            columns = {column: self._column(digest, shared) for column, digest in entry.columns.items()}
            return record_of(json.loads(entry.meta), items, columns, shared)
        except (KeyError, ValueError, TypeError, AttributeError, CrossgraftError) as error:
            raise Broken(f"the record {name} in it cannot be read ({type(error).__name__}: {error})") from error

    def _column(self, digest: str, shared: Shared) -> np.ndarray[Any, Any]:
        if digest not in shared:
            shared[digest] = _decoded(self.columns[digest])
        column: np.ndarray[Any, Any] = shared[digest]
        return column

    def _items(self, digest: str, shared: Shared) -> tuple[str, ...]:
        key = ("items", digest)
        if key not in shared:
            shared[key] = tuple(self._column(digest, shared))
        items: tuple[str, ...] = shared[key]
        return items


def _rows(content: bytes) -> tuple[list[bytes], int]:
    """The rows, and how many that the frame names are not where it says."""
    try:
        column = pq.ParquetFile(pa.BufferReader(content)).read(["content"], use_threads=False).column("content")
        rows = [row for chunk in column.chunks for row in chunk.to_pylist()]
    except Exception:  # whatever a torn file makes Parquet raise
        return _scanned(content), 1
    whole = [row for row in rows if isinstance(row, bytes) and row.startswith(_MAGIC)]
    if len(whole) < len(rows):
        return _scanned(content), len(rows) - len(whole)
    return rows, 0


def _scanned(content: bytes) -> list[bytes]:
    """Rows by their first bytes: before each stands its length, as Parquet writes binary values."""
    rows, at = [], content.find(_MAGIC)
    while at >= 0:
        length = int.from_bytes(content[max(0, at - 4) : at], "little")
        rows.append(content[at : at + length])
        at = content.find(_MAGIC, at + 1)
    return rows
