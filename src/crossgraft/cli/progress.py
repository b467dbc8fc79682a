"""How a run is shown: bars on a terminal, plain lines elsewhere, JSON lines for a machine."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Protocol

from crossgraft.core import Job
from crossgraft.runs.prices import Work, work_of
from crossgraft.safety.escaping import visible
from crossgraft.study import Event, Failed, Finished, Progress, Recorded, Remark, Started


class Watcher(Protocol):
    """Sees every event of a run."""

    def see(self, event: Event) -> None: ...

    def close(self) -> None: ...


def watcher(jobs: Sequence[Job], *, as_json: bool = False, workers: int = 1) -> Watcher:
    """The watcher that suits where the output goes, of the jobs that so many workers are to do."""
    if as_json:
        return JsonLines()
    if sys.stdout.isatty():
        return Bars(jobs, workers)
    return Lines(jobs, workers)


def watch(events: Iterable[Event], seen_by: Watcher) -> None:
    try:
        for event in events:
            seen_by.see(event)
    finally:
        seen_by.close()


class JsonLines:
    """One JSON object a line; progress inside a target is left out."""

    def see(self, event: Event) -> None:
        if not isinstance(event, Progress):
            _print(json.dumps(_plain(event), ensure_ascii=False))

    def close(self) -> None:
        pass


def _plain(event: Event) -> dict[str, Any]:
    entry: dict[str, Any] = {"event": type(event).__name__.lower(), "job": str(event.job)}
    if isinstance(event, Recorded):
        record = event.record
        entry |= {"target": str(record.target), "record": record.id}
        entry["scores"] = {score.metric: score.value for score in record.scores if score.value == score.value}
    if isinstance(event, Remark):
        entry |= {"text": event.text}
    if isinstance(event, Failed):
        entry |= {"message": str(event.error), "deterministic": event.error.deterministic}
    return entry


class Pace:
    """How long the rest of a run may take: a job takes what its like took, and a new kind of work what the others took.

    The control is no guide to other work, since the first control of an embedding study waits for shapes of spaces and
    that of an adapter study has no training in it. What comes before the first job, such as reading, is in no estimate.
    """

    def __init__(self, jobs: Sequence[Job], clock: Callable[[], float] = time.monotonic, *, workers: int = 1) -> None:
        self._workers = workers
        self.total = sum(len(job.cells) for job in jobs)
        self.done = 0
        self._clock = clock
        self._left = Counter({job.treatment_id: len(job.cells) for job in jobs})  # records, by job
        self._waiting: Counter[Work] = Counter()  # the same by kind of work, since a run may have 10,000 jobs
        for job in jobs:
            self._waiting[work_of(job)] += len(job.cells)
        self._started: dict[str, float] = {}
        self._took: dict[Work, Tally] = {}  # by kind of work

    def see(self, event: Event) -> None:
        if isinstance(event, Started):
            self._started[event.job.treatment_id] = self._clock()
        elif isinstance(event, Recorded):
            self.done += 1
            now = self._clock()
            took = now - self._started.get(event.job.treatment_id, now)
            self._took.setdefault(work_of(event.job), Tally()).add(took)
            self._started[event.job.treatment_id] = now
            self._settle(event.job, 1)
        elif isinstance(event, Failed):
            self._settle(event.job, self._left[event.job.treatment_id])

    def _settle(self, job: Job, records: int) -> None:
        self._left[job.treatment_id] -= records
        self._waiting[work_of(job)] -= records

    def left(self) -> float | None:
        """Seconds; None while nothing like what is left has been timed."""
        others = [took.mean for (_, kind), took in self._took.items() if kind != "control"]
        seconds = 0.0
        for work, count in self._waiting.items():
            if count <= 0:
                continue
            if work not in self._took and not others:
                return None
            seconds += count * (self._took[work].mean if work in self._took else mean(others))
        return seconds / self._workers


@dataclass
class Tally:
    """How long records took, in seconds."""

    seconds: float = 0.0
    records: int = 0

    def add(self, seconds: float) -> None:
        self.seconds += seconds
        self.records += 1

    @property
    def mean(self) -> float:
        return self.seconds / self.records


def _said(left: float | None) -> str:
    return "" if left is None else f"{duration(left)} left"


class Lines:
    """A line a record, with how long the rest may take."""

    def __init__(self, jobs: Sequence[Job], workers: int = 1) -> None:
        self._pace = Pace(jobs, workers=workers)

    def see(self, event: Event) -> None:
        self._pace.see(event)
        if isinstance(event, Recorded):
            place = ", ".join(filter(None, (f"{self._pace.done}/{self._pace.total}", _said(self._pace.left()))))
            _print(f"[{place}] {event.job} on {event.record.target}: {_score(event)}")
        elif isinstance(event, Remark):
            _print(f"note: {event.job}: {event.text}")
        elif isinstance(event, Failed):
            _print(f"failed: {event.job}: {event.error}")

    def close(self) -> None:
        pass


def _score(event: Recorded) -> str:
    metric = next(cell.metric for cell in event.job.cells if cell.record_id == event.record.id)
    return next((str(score) for score in event.record.scores if score.metric == metric), "recorded")


class Bars:
    """A bar over the grid with the time it will take, and one for the job at work."""

    def __init__(self, jobs: Sequence[Job], workers: int = 1) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._pace = Pace(jobs, workers=workers)
        self._grid = self._bars.add_task("all targets", total=self._pace.total, left="")
        self._job = self._bars.add_task("", total=None, visible=False, left="")
        self._bars.start()

    def see(self, event: Event) -> None:
        self._pace.see(event)
        if isinstance(event, Started):
            self._show(event.job, "starting", 0, None)
        elif isinstance(event, Progress):
            self._show(event.job, event.doing, event.done, event.total)
        elif isinstance(event, Recorded):
            self._bars.update(self._grid, advance=1, left=_said(self._pace.left()))
        elif isinstance(event, Remark):
            self._bars.console.print(_escaped(f"note: {event.job}: {event.text}"))
        elif isinstance(event, Failed):
            self._bars.console.print(f"[bold]failed[/bold]: {_escaped(f'{event.job}: {event.error}')}")
        elif isinstance(event, Finished):
            self._bars.update(self._job, visible=False)

    def _show(self, job: Job, doing: str, done: int, total: int | None) -> None:
        self._bars.update(
            self._job, description=_escaped(f"{job} · {doing}"), completed=done, total=total, visible=True
        )

    def close(self) -> None:
        self._bars.stop()


def _print(text: str) -> None:
    print(visible(text), flush=True)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(visible(text))


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(42), duration(3700)
    ('42 s', '1 h 02 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
