"""What a run would do and cost, and how far the studies of a store are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from crossgraft.campaign import Settings, missing, prepare
from crossgraft.core import Job
from crossgraft.plan import Plan, per_model, plan
from crossgraft.progress import duration
from crossgraft.store import Store
from crossgraft.study import Study, Trains

_SAMPLE = 200  # records whose timings are looked at


@dataclass(frozen=True)
class Outlook:
    """What is to be done, what it will weigh and, from earlier jobs, how long it may take."""

    study: str
    plan: Plan
    notes: tuple[str, ...]
    adapter_bytes: int | None  # of the adapters to be trained; None when a model is not here
    seconds: float | None  # None until something of the model has been measured

    def plain(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "results": self.plan.total,
            "missing": self.plan.missing,
            "jobs": [{"job": str(job), "targets": [str(cell.target) for cell in job.cells]} for job in self.plan.jobs],
            "failed": [str(job) for job in self.plan.failed],
            "adapter_bytes": self.adapter_bytes,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }

    def lines(self) -> Iterator[str]:
        todo = self.plan
        yield f"{self.study}: {todo.missing} of {todo.total} results to compute, in {len(todo.jobs)} jobs"
        for model, count in per_model(todo.jobs).items():
            yield f"  {model}: {count} results"
        if todo.to_train:
            weight = "unknown size" if self.adapter_bytes is None else f"about {_size(self.adapter_bytes)}"
            yield f"  {len(todo.to_train)} adapters to train, {weight} on disk"
        if todo.failed:
            yield f"  {len(todo.failed)} jobs failed for good; --retry runs them again"
        if todo.missing:
            known = (
                "unknown until a first job has been timed"
                if self.seconds is None
                else f"about {duration(self.seconds)}"
            )
            yield f"  time: {known}"
        for note in self.notes:
            yield f"  note: {note}"


def outlook(study: Study, store: Store, settings: Settings) -> Outlook:
    """Look ahead; reads inputs and the store, writes only the cache of fingerprints."""
    manifest = prepare(study, store)
    todo = missing(manifest, store, settings)
    weight = study.adapter_bytes(todo.to_train) if isinstance(study, Trains) else 0
    return Outlook(study.name, todo, manifest.notes, weight, _seconds(manifest.jobs, todo, store))


def _seconds(jobs: tuple[Job, ...], todo: Plan, store: Store) -> float | None:
    """Missing work priced at the median of what the study's jobs took so far, model by model."""
    done = store.done()
    model_of = {cell.record_id: job.treatment.model for job in jobs for cell in job.cells}
    records, _ = store.read([id for id in model_of if id in done][:_SAMPLE])
    timings: dict[tuple[str, str], list[float]] = {}
    for record in records:
        for step, seconds in record.timings.items():
            timings.setdefault((model_of[record.id], step), []).append(seconds)
    total = 0.0
    for job in todo.jobs:
        model = job.treatment.model
        if (model, "evaluate") not in timings:
            return None
        total += len(job.cells) * median(timings[model, "evaluate"])
        total += median(timings.get((model, "train"), [0.0])) if job.treatment.kind == "trained" else 0.0
    return total


def _size(count: int) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count = round(count / 1000)
    return f"{count:,} GB"


@dataclass(frozen=True)
class StoreStatus:
    """How far each study is, what failed, what is damaged."""

    root: Path
    studies: tuple[tuple[str, int, int], ...]  # name, results there, results in all
    failures: tuple[str, ...]
    damages: tuple[str, ...]
    records: int

    def plain(self) -> dict[str, Any]:
        return {
            "root": str(self.root),
            "records": self.records,
            "studies": [{"name": name, "done": done, "results": total} for name, done, total in self.studies],
            "failures": list(self.failures),
            "damaged": list(self.damages),
        }

    def lines(self) -> Iterator[str]:
        yield f"{self.root}: {self.records} records"
        for name, done, total in self.studies:
            yield f"  {name}: {done} of {total} results"
        yield from (f"  failed: {failure}" for failure in self.failures)
        yield from (f"  damaged: {damage}" for damage in self.damages)


def store_status(store: Store) -> StoreStatus:
    done = store.done()
    studies = []
    for name in store.studies():
        todo = plan(store.study(name).jobs, done)
        studies.append((name, todo.total - todo.missing, todo.total))
    records, damages = store.read()
    failures = (f"{one['job']}: {one['message']}" for one in store.failures().values())
    return StoreStatus(store.root, tuple(studies), tuple(failures), tuple(map(str, damages)), len(records))
