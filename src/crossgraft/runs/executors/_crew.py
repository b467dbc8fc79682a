"""The workers of a run, wherever they are: hired, listened to, replaced, dismissed."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from crossgraft.core import Job
from crossgraft.errors import CrossgraftError, DataError, JobFailed, SpecError, StoreError
from crossgraft.runs.executors import Ended
from crossgraft.runs.executors._wire import event_of
from crossgraft.runs.settings import Settings
from crossgraft.runs.storage.store import Store
from crossgraft.spec import parse_study
from crossgraft.study import Event, Failed, Finished, Remark, Started, Study

KILLS = 3  # workers that a job may kill before it is given up
_LOOK = 0.2  # seconds between two looks at whether to stop
_ERRORS: dict[str, type[CrossgraftError]] = {kind.__name__: kind for kind in (SpecError, DataError, StoreError)}


class Worker(Protocol):
    """A worker at a distance, which draws jobs from the store by itself."""

    def lines(self) -> Iterator[str]:
        """What it tells, until it ends."""
        ...

    def death(self) -> str:
        """How it died, after its last line; "" where it ended in order."""
        ...

    def finish(self) -> None:
        """Have it end after the target at hand."""
        ...

    def end(self) -> None:
        """Have it end now, and let go of what it took."""
        ...


Start = Callable[[str, int], Worker]  # from an errand as JSON, and the number of its place


def pulled(
    start: Start,
    count: int,
    study: Study,
    store: Store,
    jobs: Sequence[Job],
    settings: Settings,
    stopping: threading.Event,
) -> Generator[Event, None, Ended]:
    """The events of the workers; a crashed one is replaced, and a job that kills three is given up."""
    origin = study.origin
    if not origin.text or parse_study(origin.text, folder=origin.folder, overrides=origin.overrides) != study:
        raise SpecError("workers read a study from its spec; this one was changed in Python: run it inline")
    if settings.retry:
        for job in jobs:
            store.failures.forget(job)
    errand = {
        "spec": origin.text,
        "folder": str(origin.folder.resolve()),
        "overrides": list(origin.overrides),
        "out": str(store.out.resolve()),
    }
    crew = _Crew(start, errand, settings, store, {job.treatment_id: job for job in jobs})
    try:
        for number in range(min(count, len(jobs))):
            crew.hire(number)
        yield from crew.events(stopping)
    finally:
        crew.dismiss()
    return crew.ended()


@dataclass
class _Place:
    """A worker, the job it is at, and its last words."""

    number: int
    worker: Worker
    job: Job | None = None
    words: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Crew:
    start: Start
    errand: Mapping[str, Any]
    settings: Settings
    store: Store
    jobs: Mapping[str, Job]
    started: float = field(default_factory=time.monotonic)
    working: list[_Place] = field(default_factory=list)
    summaries: list[Mapping[str, Any]] = field(default_factory=list)
    lines: queue.Queue[tuple[_Place, str | None]] = field(default_factory=queue.Queue)
    kills: Counter[str] = field(default_factory=Counter)
    idle_deaths: int = 0  # of workers that died before their first job, in a row

    def hire(self, number: int) -> None:
        errand = json.dumps({**self.errand, "settings": asdict(self._left())})
        place = _Place(number, self.start(errand, number))
        self.working.append(place)
        threading.Thread(target=self._listen, args=(place,), daemon=True).start()

    def _left(self) -> Settings:
        """The settings of a worker: what is left of the run's time, and its models one after the other."""
        spent = time.monotonic() - self.started
        budget, limit = (
            None if seconds is None else seconds - spent for seconds in (self.settings.budget, self.settings.limit)
        )
        return replace(
            self.settings, executor="inline", retry=False, by_model=True, workers=0, budget=budget, limit=limit
        )

    def _listen(self, place: _Place) -> None:
        for line in place.worker.lines():
            self.lines.put((place, line))
        self.lines.put((place, None))

    def events(self, stopping: threading.Event) -> Iterator[Event]:
        passed_on = False
        while self.working:
            if stopping.is_set() and not passed_on:
                passed_on = True
                for place in self.working:
                    place.worker.finish()
            try:
                place, line = self.lines.get(timeout=_LOOK)
            except queue.Empty:
                continue
            yield from self._heard(place, line) if line is not None else self._ended(place, stopping)

    def _heard(self, place: _Place, line: str) -> Iterator[Event]:
        entry = json.loads(line)
        if "end" in entry:
            place.words = entry
            return
        event = event_of(entry, self.jobs, self.store) if entry["job"] in self.jobs else None
        if event is None:
            return  # of a job that was done when this run began, and whose record was damaged since
        if isinstance(event, Started):
            place.job, self.idle_deaths = event.job, 0
        elif isinstance(event, Finished | Failed):
            place.job = None
        yield event

    def _ended(self, place: _Place, stopping: threading.Event) -> Iterator[Event]:
        death = place.worker.death()
        self.working.remove(place)
        place.worker.end()
        if place.words.get("end") == "error":
            raise _ERRORS.get(place.words["kind"], CrossgraftError)(place.words["message"])
        if place.words:
            self.summaries.append(place.words)
        if not death or stopping.is_set():
            return
        if place.job is not None:
            yield from self._killed(place.job, death)
        else:
            self.idle_deaths += 1
            if self.idle_deaths == KILLS:
                raise CrossgraftError(f"{KILLS} workers in a row died before their first job; the last {death}")
        self.hire(place.number)

    def _killed(self, job: Job, death: str) -> Iterator[Event]:
        self.kills[job.treatment_id] += 1
        if self.kills[job.treatment_id] > KILLS:
            return  # another worker had taken it up before it was given up
        if self.kills[job.treatment_id] < KILLS:
            yield Remark(job, f"a worker {death}; another takes its place")
            return
        reason = f"given up after it killed {KILLS} workers; the last time a worker {death}"
        failed = Failed(job, JobFailed(reason, deterministic=True))
        self.store.failures.add(failed)
        yield failed

    def dismiss(self) -> None:
        """End what still runs, all at the same time."""
        endings = [threading.Thread(target=place.worker.end) for place in self.working]
        for ending in endings:
            ending.start()
        for ending in endings:
            ending.join()
        self.working.clear()

    def ended(self) -> Ended:
        """Jobs held elsewhere are those that no worker of ours could get, as the luckiest of them saw it."""
        elsewhere = min((words["elsewhere"] for words in self.summaries), default=0)
        return Ended(
            elsewhere, *(any(words[how] for words in self.summaries) for how in ("out_of_budget", "out_of_time"))
        )
