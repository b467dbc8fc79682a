"""What jobs take: from the timings of like jobs in the store, and of those this process has just done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

from crossgraft.core import Job
from crossgraft.runs.storage.store import Store
from crossgraft.study import Event, Failed, Finished, Recorded, Started

_SAMPLE = 20  # records of a kind whose timings are looked at
_RESERVE = 1.2  # a job may take this many times its price

Work = tuple[str, str]  # what takes alike: a model, and what is done to it, or the method of a mapping
Timings = dict[tuple[Work, str], list[float]]  # of a kind of work and a step of it, in seconds


def work_of(job: Job) -> Work:
    treatment = job.treatment
    return treatment.model, treatment.name if treatment.kind == "mapping" else treatment.kind


def timings_in(jobs: Sequence[Job], store: Store) -> Timings:
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


def are_timed(job: Job, timings: Timings) -> bool:
    """Whether work like this job has been timed."""
    return (work_of(job), "evaluate") in timings


def seconds_of(job: Job, timings: Timings) -> float:
    """At the median of work of its kind: a step before all targets, and one a target."""
    work = work_of(job)
    return len(job.cells) * median(timings[work, "evaluate"]) + sum(
        median(timings.get((work, step), [0.0])) for step in _before(job)
    )


def _before(job: Job) -> tuple[str, ...]:
    return {"trained": ("train",), "mapping": ("fit",)}.get(job.treatment.kind, ())


class Shift:
    """A worker's time: whether the next job fits into what is left of it.

    The first job is always begun, since a job that is longer than the limit would be begun by nobody otherwise; it
    goes on where it was stopped. A kind of work that was never timed is begun while there is time at all.
    """

    def __init__(
        self, limit: float | None, timings: Timings | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._end = None if limit is None else clock() + limit
        self._timings = timings or {}
        self._begun: dict[str, float] = {}
        self._timed: dict[str, float] = {}
        self._around = 0.0  # seconds of a job that are in none of its timings, such as loading its model
        self._first = True

    def fits(self, job: Job) -> bool:
        if self._first or self._end is None:
            return True
        price = seconds_of(job, self._timings) if are_timed(job, self._timings) else 0.0
        return self._clock() + _RESERVE * price + self._around < self._end

    def see(self, event: Event) -> None:
        job = event.job
        if isinstance(event, Started):
            self._first = False
            self._begun[job.treatment_id], self._timed[job.treatment_id] = self._clock(), 0.0
        elif isinstance(event, Recorded):
            self._timed[job.treatment_id] += self._keep(event)
        elif isinstance(event, Finished | Failed) and job.treatment_id in self._begun:
            took = self._clock() - self._begun.pop(job.treatment_id)
            self._around = max(self._around, took - self._timed.pop(job.treatment_id))

    def _keep(self, event: Recorded) -> float:
        """Keep the timings of a record; the seconds that it adds to those of its job."""
        work, job = work_of(event.job), event.job.treatment_id
        for step, seconds in event.record.timings.items():
            self._timings.setdefault((work, step), []).append(seconds)
        before = 0.0 if self._timed[job] else sum(event.record.timings.get(step, 0.0) for step in _before(event.job))
        return before + event.record.timings.get("evaluate", 0.0)
