"""What lies on disk: records, texts and manifests as Parquet and JSON, and back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crossgraft.core import Answers, Cell, Job, Labels, Pairing, Point, Record, Score, SourceVariant, Texts, Treatment
from crossgraft.errors import CrossgraftError
from crossgraft.safety.seals import TRACE, Broken

_T = TypeVar("_T")
FORMAT = 1
_META = b"crossgraft"
SEALED = {b"sealed": TRACE}  # the second trace of the checksum
_ITEM = "item"
_WIDE = 10_000  # columns of a padded matrix that no list fills
_MOST = 10**8  # values in a record
_ID = re.compile(r"\w[\w.-]*")  # ids become names of files

Shared = MutableMapping[Any, Any]  # by content: what many records have in common is kept once


@dataclass(frozen=True)
class Manifest:
    """A study as the store knows it: its spec and its jobs, complete, whatever is done of them."""

    name: str
    spec: str
    overrides: tuple[str, ...]
    jobs: tuple[Job, ...]
    notes: tuple[str, ...] = ()
    spec_folder: str = ""
    labels: Labels = Labels()


def record_table(record: Record) -> pa.Table:
    treatment, target = record.treatment, record.target
    labels: dict[str, str | int | None] = {
        "record": record.id,
        "model": treatment.model,
        "treatment": treatment.name,
        "source": str(treatment.source) if treatment.source else None,
        "seed": treatment.seed,
        "recipe": ", ".join(f"{key}={value}" for key, value in treatment.recipe),
        "target": str(target),
        "task": target.task,
        "language": target.lang,
        "item_set": record.item_set,
    }
    n = len(record.answers)
    columns: dict[str, pa.Array] = {"item": pa.array(record.answers.items, pa.string())}
    for name, column in record.answers.columns.items():
        columns[name] = _to_arrow(np.asarray(column))
    for name, value in labels.items():
        kind = pa.int64() if name == "seed" else pa.string()
        columns[f"_{name}" if name in columns else name] = pa.array([value] * n, kind)
    table = pa.table(columns)
    return table.replace_schema_metadata({_META: json.dumps(record_meta(record)).encode(), **SEALED})


def record_meta(record: Record) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "id": record.id,
        "treatment_id": record.treatment_id,
        "treatment": _treatment_to_json(record.treatment),
        "target": str(record.target),
        "item_set": record.item_set,
        "texts_id": record.texts_id,
        "kind": record.answers.kind,
        "columns": {name: list(np.shape(column)[1:]) for name, column in record.answers.columns.items()},
        "pairing": asdict(record.pairing),
        "scores": [{**asdict(score), "value": _finite(score.value)} for score in record.scores],
        "parse_failures": record.parse_failures,
        "timings": dict(record.timings),
        "provenance": dict(record.provenance),
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _to_arrow(column: np.ndarray[Any, Any]) -> pa.Array:
    """A vector as it is; a padded matrix as lists without the padding."""
    if column.ndim == 1:
        return pa.array(column)
    missing = np.isnan(column)
    lengths = column.shape[1] - np.argmin(missing[:, ::-1], axis=1)
    lengths = np.where(missing.all(axis=1), 0, lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    keep = np.arange(column.shape[1]) < lengths[:, None]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(column[keep]))


def _from_arrow(shape: Sequence[int], column: pa.Array) -> np.ndarray[Any, Any]:
    if not shape:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    offsets = column.offsets.to_numpy()
    lengths = np.diff(offsets)
    if shape[0] > max(_WIDE, lengths.max(initial=0)):
        raise Broken(f"claims lists of {shape[0]} values, and the longest has {lengths.max(initial=0)}")
    values = column.flatten().to_numpy(zero_copy_only=False)
    if len(values) == len(column) * shape[0] and lengths.max(initial=0) == shape[0]:
        return np.array(values, dtype=np.float64).reshape(len(column), shape[0])
    padded = np.full((len(column), shape[0]), np.nan)
    padded[np.arange(shape[0]) < lengths[:, None]] = values
    return padded


def read_record(content: bytes, shared: Shared | None = None) -> Record:
    """A record from the bytes of its file; only its answers are decoded, not the labels for other tools.

    ``shared`` is filled with item ids and columns, and records that have the same ones get the same objects.
    """
    file = pq.ParquetFile(pa.BufferReader(content))
    meta = json.loads(file.metadata.metadata[_META])
    shared = {} if shared is None else shared
    shapes: dict[str, tuple[int, ...] | None] = {name: tuple(shape) for name, shape in meta["columns"].items()}
    chunks = _chunks(file.metadata, content, {_ITEM, *shapes})
    keys = {name: (name, shape, chunks.get(name)) for name, shape in ({_ITEM: None} | shapes).items()}
    unknown = [name for name, key in keys.items() if key not in shared]
    table = file.read(unknown, use_threads=False)
    read = {name: _decoded(table[name], shapes.get(name)) for name in unknown}
    columns = {name: read[name] if name in read else shared[key] for name, key in keys.items()}
    shared.update((keys[name], column) for name, column in read.items() if name in chunks)
    return record_of(meta, columns.pop(_ITEM), columns, shared)


def record_of(meta: Mapping[str, Any], items: tuple[str, ...], columns: Mapping[str, Any], shared: Shared) -> Record:
    """A record from what ``record_meta`` says of it and its answers."""
    return Record(
        id=meta["id"],
        treatment_id=meta["treatment_id"],
        treatment=_once(_treatment_from_json, meta["treatment"], shared),
        target=_once(Point.parse, meta["target"], shared),
        item_set=meta["item_set"],
        texts_id=meta["texts_id"],
        answers=Answers(meta["kind"], items, columns),
        pairing=_once(lambda plain: Pairing(**plain), meta["pairing"], shared),
        scores=tuple(_score(**score) for score in meta["scores"]),
        parse_failures=meta["parse_failures"],
        timings=meta["timings"],
        provenance=meta["provenance"],
    )


def _chunks(metadata: pq.FileMetaData, content: bytes, wanted: set[str]) -> dict[str, bytes]:
    """A hash of the compressed bytes of each column: where they are equal, so is what they hold.

    A damaged or foreign file may claim more values than memory holds; a repeated value takes no room on disk.
    """
    found: dict[str, bytes] = {}
    values = 0
    for group in range(metadata.num_row_groups):
        of_group = metadata.row_group(group)
        for number in range(of_group.num_columns):
            column = of_group.column(number)
            name = column.path_in_schema.partition(".")[0]
            if len(found) == len(wanted) and name not in wanted:
                break  # the labels come last, and are not read
            values += column.num_values
            start = column.dictionary_page_offset or column.data_page_offset
            chunk = content[start : start + column.total_compressed_size]
            found[name] = hashlib.blake2b(chunk, digest_size=16).digest()
    if values > _MOST:
        raise Broken(f"claims {values} values")
    return found if metadata.num_row_groups == 1 else {}


def _decoded(column: pa.ChunkedArray, shape: tuple[int, ...] | None) -> Any:
    whole = (
        column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], column.type)])
    )
    if shape is None:
        return tuple(whole.to_pylist())
    array = _from_arrow(shape, whole)
    array.flags.writeable = False  # records may share it
    return array


def _once(made: Callable[[Any], _T], plain: Any, shared: Shared) -> _T:
    """What is made of the same plain values is the same object."""
    key = plain if isinstance(plain, str) else repr(plain)
    if key not in shared:
        shared[key] = made(plain)
    value: _T = shared[key]
    return value


def _score(metric: str, value: float | None, n: int, unit: str, higher_is_better: bool) -> Score:
    return Score(metric, float("nan") if value is None else value, n, unit, higher_is_better)


def texts_table(texts: Texts) -> pa.Table:
    table = pa.table({"item": list(texts.items), **{name: list(values) for name, values in texts.columns.items()}})
    return table.replace_schema_metadata(SEALED)


def read_texts(texts_id: str, content: bytes) -> Texts:
    columns = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False).to_pydict()
    return Texts(texts_id, tuple(columns.pop("item")), columns)


def _treatment_to_json(treatment: Treatment) -> dict[str, Any]:
    return {
        "model": treatment.model,
        "name": treatment.name,
        "kind": treatment.kind,
        "source": str(treatment.source) if treatment.source else None,
        "recipe": dict(treatment.recipe),
        "seed": treatment.seed,
        "variant": treatment.variant,
        "source_variant": treatment.source_variant,
    }


def _treatment_from_json(value: Mapping[str, Any]) -> Treatment:
    source = Point.parse(value["source"]) if value["source"] else None
    fields = {"source_variant": _source_variant_of_name(value), **value}
    return Treatment(**{**fields, "source": source, "recipe": tuple(value["recipe"].items())})


def _source_variant_of_name(value: Mapping[str, Any]) -> SourceVariant:
    """Of a treatment stored before the field existed: a study ends its name with the variant; the almanac's sham is a task.

    >>> [_source_variant_of_name({"kind": "trained", "name": name}) for name in ("qa/en (sham)", "evesham/en")]
    ['sham', '']
    """
    if value["kind"] != "trained":
        return ""
    if value["name"].endswith(" (format-only)"):
        return "format-only"
    task = value["name"].rpartition("/")[0]
    return "sham" if value["name"].endswith(" (sham)") or task.rpartition("/")[2] == "sham" else ""


def manifest_to_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "name": manifest.name,
        "spec": manifest.spec,
        "spec_folder": manifest.spec_folder,
        "overrides": list(manifest.overrides),
        "notes": list(manifest.notes),
        "labels": asdict(manifest.labels),
        "jobs": [
            {
                "treatment": _treatment_to_json(job.treatment),
                "treatment_id": job.treatment_id,
                "run_id": job.run_id,
                "cells": [{**asdict(cell), "target": str(cell.target)} for cell in job.cells],
            }
            for job in manifest.jobs
        ],
    }


def manifest_from_json(value: Mapping[str, Any]) -> Manifest:
    """``Broken`` when something in it has another type than ``manifest_to_json`` gives it."""
    try:
        points: Shared = {}
        jobs = tuple(
            Job(
                _treatment_from_json(job["treatment"]),
                _id(job["treatment_id"]),
                tuple(_cell_from_json(cell, points) for cell in job["cells"]),
                _id(job["run_id"]) if job.get("run_id") else "",
            )
            for job in value["jobs"]
        )
        return Manifest(
            _text(value["name"]),
            _text(value["spec"]),
            tuple(map(_text, value["overrides"])),
            jobs,
            tuple(map(_text, value["notes"])),
            _text(value.get("spec_folder", "")),
            Labels(**{name: dict(known) for name, known in value.get("labels", {}).items()}),
        )
    except KeyError as error:
        raise Broken(f"no manifest of a study: {error} is missing") from error
    except (TypeError, AttributeError, ValueError, CrossgraftError) as error:
        raise Broken(f"no manifest of a study: {error}") from error


def _cell_from_json(value: Mapping[str, Any], points: Shared) -> Cell:
    cell = Cell(**{**value, "target": _once(Point.parse, value["target"], points)})
    _id(cell.record_id)
    _id(cell.texts_id)
    _text(cell.item_set)
    _text(cell.metric)
    return cell


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {value!r:.60}")
    return value


def _id(value: Any) -> str:
    """An id becomes part of a path, so it must not lead anywhere else."""
    if not _text(value).isalnum() and not _ID.fullmatch(value):
        raise Broken(f"expected an id, got {value!r:.60}")
    return str(value)
