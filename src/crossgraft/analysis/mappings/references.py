"""What a downstream score can be held against: results that need no mapping, noted by the controls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from crossgraft.core import Job, Point, Record


@dataclass(frozen=True)
class Reference:
    """A score of a target, in its metric or as ``name`` says; the mean over seeds."""

    target: Point
    name: str
    value: float


def references(jobs: Iterable[Job], records: Iterable[Record]) -> tuple[Reference, ...]:
    """Those of every control: retrieval without a mapping, and how well the source's own model does on the source."""
    metrics = {cell.record_id: cell.metric for job in jobs if job.treatment.is_control for cell in job.cells}
    found: dict[tuple[Point, str], list[float]] = {}
    for record in records:
        if record.id in metrics:
            for name, value in _noted(record, metrics[record.id]):
                found.setdefault((record.target, name), []).append(value)
    return tuple(Reference(target, name, float(np.mean(values))) for (target, name), values in found.items())


def _noted(record: Record, metric: str) -> Iterator[tuple[str, float]]:
    told: Mapping[str, Mapping[str, float]] = record.provenance.get("references", {})
    yield from ((f"{name}: {metric}", values[metric]) for name, values in told.items() if metric in values)
    models: Mapping[str, Mapping[str, float]] = record.provenance.get("source", {})
    if models:
        yield (
            "the model on dev texts of the source: accuracy",
            float(np.mean([one["dev_accuracy"] for one in models.values()])),
        )
