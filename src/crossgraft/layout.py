"""What lies on disk: records, texts and manifests as Parquet and JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crossgraft.core import Answers, Cell, Job, Labels, Pairing, Point, Record, Score, SourceVariant, Texts, Treatment

FORMAT = 1
_META = b"crossgraft"


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
    return table.replace_schema_metadata({_META: json.dumps(_record_meta(record)).encode()})


def _record_meta(record: Record) -> dict[str, Any]:
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


def _from_arrow(column: pa.ChunkedArray, shape: Sequence[int]) -> np.ndarray[Any, Any]:
    if not shape:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    lists = column.combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.chunk(0)
    offsets = lists.offsets.to_numpy()
    padded = np.full((len(lists), shape[0]), np.nan)
    padded[np.arange(shape[0]) < np.diff(offsets)[:, None]] = lists.flatten().to_numpy(zero_copy_only=False)
    return padded


def read_record(file: Path) -> Record:
    table = pq.read_table(file, partitioning=None)
    meta = json.loads((table.schema.metadata or {})[_META])
    columns = {name: _from_arrow(table[name], shape) for name, shape in meta["columns"].items()}
    return Record(
        id=meta["id"],
        treatment_id=meta["treatment_id"],
        treatment=_treatment_from_json(meta["treatment"]),
        target=Point.parse(meta["target"]),
        item_set=meta["item_set"],
        texts_id=meta["texts_id"],
        answers=Answers(meta["kind"], tuple(table["item"].to_pylist()), columns),
        pairing=Pairing(**meta["pairing"]),
        scores=tuple(Score(**{**score, "value": _number(score["value"])}) for score in meta["scores"]),
        parse_failures=meta["parse_failures"],
        timings=meta["timings"],
        provenance=meta["provenance"],
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def texts_table(texts: Texts) -> pa.Table:
    return pa.table({"item": list(texts.items), **{name: list(values) for name, values in texts.columns.items()}})


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
    told = {"source_variant": _source_variant_of_name(value), **value}
    return Treatment(**{**told, "source": source, "recipe": tuple(value["recipe"].items())})


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
    jobs = tuple(
        Job(
            _treatment_from_json(job["treatment"]),
            job["treatment_id"],
            tuple(Cell(**{**cell, "target": Point.parse(cell["target"])}) for cell in job["cells"]),
            job.get("run_id", ""),
        )
        for job in value["jobs"]
    )
    return Manifest(
        value["name"],
        value["spec"],
        tuple(value["overrides"]),
        jobs,
        tuple(value["notes"]),
        value.get("spec_folder", ""),
        Labels(**value.get("labels", {})),
    )
