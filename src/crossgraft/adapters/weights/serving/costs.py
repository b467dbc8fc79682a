"""What it costs to have an adapter: seconds of training, or megabytes of weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np

from crossgraft.adapters.weights.serving.adapters import Adapters
from crossgraft.core import Job, Treatment
from crossgraft.errors import DataError

Unit = Literal["seconds", "megabytes"]


def costs(adapters: Adapters, rows: Iterable[Treatment], unit: Unit) -> Mapping[Treatment, float]:
    """Of each treatment; one that is made of several costs what they cost together."""
    if unit == "megabytes":
        return {row: _megabytes(adapters, adapters.first_of(row)) for row in rows}
    seconds = _seconds(adapters)
    return {row: _mean_seconds(adapters, row, seconds) for row in rows}


def _megabytes(adapters: Adapters, job: Job) -> float:
    """Of the weights on disk."""
    return (
        sum(file.stat().st_size for folder, _ in adapters.folders(job) for file in folder.glob("*.safetensors")) / 1e6
    )


def _seconds(adapters: Adapters) -> Mapping[str, float]:
    """By the id of the treatment, as the records of the training runs tell it."""
    jobs = [job for job in adapters.manifest.jobs if job.treatment.kind == "trained"]
    records, _ = adapters.store.read(cell.record_id for job in jobs for cell in job.cells[:1])
    return {record.treatment_id: record.timings["train"] for record in records if "train" in record.timings}


def _mean_seconds(adapters: Adapters, row: Treatment, seconds: Mapping[str, float]) -> float:
    """Over the seeds that were measured. Nobody paid here for the training of given adapters."""
    found = []
    for job in adapters.jobs_of(row):
        members = [member for member, _ in adapters.members(job) if member.treatment.kind == "trained"]
        if all(member.treatment_id in seconds for member in members):
            found.append(sum(seconds[member.treatment_id] for member in members))
    if not found:
        raise DataError(
            f"no record says how long {row} was trained, so seconds cannot be its cost; use megabytes, or no cost"
        )
    return float(np.mean(found))
