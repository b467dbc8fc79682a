"""What a run would do and cost, and how far the studies of a store are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from crossgraft.campaign import Settings, missing, prepare
from crossgraft.core import Job
from crossgraft.plan import Plan, per_model, plan
from crossgraft.progress import Work, duration, work_of
from crossgraft.store import Store
from crossgraft.study import Study, Trains

_SAMPLE = 20  # records of a kind whose timings are looked at

Timings = dict[tuple[Work, str], list[float]]  # of a kind of work and a step of it, in seconds


@dataclass(frozen=True)
class Outlook:
    """What is to be done, what it will weigh and, from earlier jobs, how long it may take."""

    study: str
    plan: Plan
    notes: tuple[str, ...]
    adapter_bytes: int | None  # of the adapters to be trained; None when a model is not here
    seconds: float | None  # of the work that is like some that has been timed; None where there is none
    untimed: tuple[str, ...] = ()  # kinds of work of which nothing has been timed

    def plain(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "results": self.plan.total,
            "missing": self.plan.missing,
            "jobs": [{"job": str(job), "targets": [str(cell.target) for cell in job.cells]} for job in self.plan.jobs],
            "failed": [str(job) for job in self.plan.failed],
            "adapter_bytes": self.adapter_bytes,
            "seconds": self.seconds,
            "untimed": list(self.untimed),
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
            yield f"  time: {self._time()}"
        for note in self.notes:
            yield f"  note: {note}"

    def _time(self) -> str:
        if self.seconds is None:
            return "unknown until a first job has been timed"
        without = f", without {', '.join(self.untimed)}, of which nothing has been timed" if self.untimed else ""
        return f"about {duration(self.seconds)}{without}"


def outlook(study: Study, store: Store, settings: Settings) -> Outlook:
    """Look ahead; reads inputs and the store, writes only the cache of fingerprints."""
    manifest = prepare(study, store)
    todo = missing(manifest, store, settings)
    weight = study.adapter_bytes(todo.to_train) if isinstance(study, Trains) else 0
    timings = _timings(manifest.jobs, store)
    untimed = dict.fromkeys(": ".join(work) for work in map(work_of, todo.jobs) if (work, "evaluate") not in timings)
    return Outlook(study.name, todo, manifest.notes, weight, _seconds(todo.jobs, timings), tuple(untimed))


def _timings(jobs: tuple[Job, ...], store: Store) -> Timings:
    """What the study's jobs took so far."""
    done = store.done()
    ids: dict[Work, list[str]] = {}
    for job in jobs:
        ids.setdefault(work_of(job), []).extend(cell.record_id for cell in job.cells if cell.record_id in done)
    timings: Timings = {}
    for work, some in ids.items():
        for record in store.read(some[:_SAMPLE])[0]:
            for step, seconds in record.timings.items():
                timings.setdefault((work, step), []).append(seconds)
    return timings


def _seconds(jobs: Iterable[Job], timings: Timings) -> float | None:
    """The jobs of which the like has been timed, at the median of that: a step before all targets, and one a target."""
    known = [job for job in jobs if (work_of(job), "evaluate") in timings]
    if not known:
        return None
    return sum(
        len(job.cells) * median(timings[work_of(job), "evaluate"])
        + sum(median(timings.get((work_of(job), step), [0.0])) for step in _before(job))
        for job in known
    )


def _before(job: Job) -> tuple[str, ...]:
    return {"trained": ("train",), "mapping": ("fit",)}.get(job.treatment.kind, ())


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
