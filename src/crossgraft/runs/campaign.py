"""From a study and a store to events: fingerprint, check, plan, execute, keep.

Everything is decided anew from what the store holds, so interrupting and repeating is always safe,
and so is a second campaign on the same store at the same time.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from crossgraft.core import Job, Labels, Pairing
from crossgraft.errors import CrossgraftError, JobFailed
from crossgraft.runs.executors import EXECUTORS, Ended, Executor, Pulling
from crossgraft.runs.fingerprints import FingerprintCache, fingerprint
from crossgraft.runs.plan import Plan, plan, select
from crossgraft.runs.prices import Shift, timings_in
from crossgraft.runs.queue import Queue
from crossgraft.runs.settings import Settings as Settings
from crossgraft.runs.storage.garbage import tidy
from crossgraft.runs.storage.layout import Manifest
from crossgraft.runs.storage.store import Store
from crossgraft.study import Event, Failed, Fetches, Finished, Input, Inspectable, Labelled, Recorded, Study, Workplace


@dataclass
class Summary:
    """What a run did, and what it left."""

    recorded: int = 0
    failed: list[Failed] = field(default_factory=list)
    elsewhere: int = 0  # jobs another process holds
    out_of_budget: bool = False
    out_of_time: bool = False  # the next job would not have ended within the limit
    stopped: bool = False  # by ``Campaign.stopping``
    left: int = 0  # records still missing


def describe_study(study: Study, store: Store, *, check: bool = True) -> Manifest:
    """Fingerprint the inputs, check them, and note the study and its jobs in the store."""
    jobs = study.jobs(fingerprint(_unique(study.inputs()), FingerprintCache(store.fingerprints)))
    notes = tuple(study.check()) if check and isinstance(study, Inspectable) else ()
    origin = study.origin
    labels = study.labels() if isinstance(study, Labelled) else Labels()
    return Manifest(title(study), origin.text, origin.overrides, jobs, notes, str(origin.folder), labels)


def title(study: Study) -> str:
    """The study's name, with what was overridden: another item set is another study in the store."""
    return "+".join([study.name, *(override.replace(" ", "") for override in study.origin.overrides)])


def _unique(inputs: Sequence[Input]) -> list[Input]:
    return list(dict.fromkeys(inputs))


def plan_study(manifest: Manifest, store: Store, settings: Settings, pairing: Pairing | None = None) -> Plan:
    """What a run with these settings would do now."""
    failures = () if settings.retry else store.failures.read()[0].values()
    hopeless = {record for failure in failures if failure["deterministic"] for record in failure["records"]}
    jobs = select(manifest.jobs, settings.only)
    return plan(jobs, store.done(), pairing=pairing.id if pairing else None, failed=hopeless)


@dataclass
class Campaign:
    """A run under way: iterate over it for the events; ``summary`` fills as they pass."""

    study: Study
    store: Store
    settings: Settings = Settings()
    executor: Executor | None = None
    summary: Summary = field(default_factory=Summary)
    stopping: threading.Event = field(default_factory=threading.Event)  # once set, the target at hand is the last
    described: Manifest | None = None  # where another process has just read and checked the inputs
    _plan: Plan | None = field(default=None, repr=False)

    @cached_property
    def workplace(self) -> Workplace:
        return Workplace(self.store.artefacts, self.settings.device, self.settings.threads or os.cpu_count() or 1)

    @cached_property
    def pairing(self) -> Pairing:
        return self.study.pairing(self.workplace)

    def describe(self) -> Manifest:
        """The study with its jobs. The first time, inputs are downloaded, read and checked."""
        if self.described is None:
            if isinstance(self.study, Fetches):
                self.study.fetch()
            self.described = describe_study(self.study, self.store)
        return self.described

    def plan(self) -> Plan:
        """What was missing when this was asked first."""
        if self._plan is None:
            self._plan = plan_study(self.describe(), self.store, self.settings, self.pairing)
        return self._plan

    def __iter__(self) -> Iterator[Event]:
        todo = self.plan()
        self.store.manifests.save(self.describe())
        tidy(self.store)
        self.summary.failed += [self._known_failure(job) for job in todo.failed]
        executor = self.executor or EXECUTORS.get(self.settings.executor)()
        try:
            if todo.jobs:  # where there are none, nothing is opened
                if isinstance(executor, Pulling):
                    yield from self._pull(executor, todo.jobs)
                else:
                    yield from self._carry_out(executor, todo.jobs)
        finally:
            self.summary.stopped = self.stopping.is_set()
            everything = replace(self.settings, retry=True)
            self.summary.left = plan_study(self.describe(), self.store, everything, self.pairing).missing

    def _carry_out(self, executor: Executor, jobs: Sequence[Job]) -> Iterator[Event]:
        """Hand the jobs to the executor one by one, and keep what comes of them."""
        limit = self.settings.limit
        shift = Shift(limit, None if limit is None else timings_in(self.describe().jobs, self.store))
        queue = Queue(self.store, self.pairing, shift=shift, stopped=self.stopping.is_set)
        deadline = None if self.settings.budget is None else time.monotonic() + self.settings.budget
        events = executor.run(self.study, queue.claim(jobs, by_model=self.settings.by_model), self.workplace)
        try:
            for event in events:
                shift.see(event)
                self._take(event, queue)
                self.store.sync(now=False)
                yield event
                if isinstance(event, Recorded) and self.stopping.is_set():
                    break
                if deadline is not None and isinstance(event, Recorded) and time.monotonic() > deadline:
                    self.summary.out_of_budget = True
                    break
        finally:
            close = getattr(events, "close", None)  # a generator, unless somebody's executor is another iterator
            if close is not None:
                close()
            queue.release_all()
            self.summary.elsewhere, self.summary.out_of_time = queue.elsewhere, queue.out_of_time
            self.store.sync()

    def _pull(self, executor: Pulling, jobs: Sequence[Job]) -> Iterator[Event]:
        """Watch processes that draw jobs from the store and keep their results by themselves."""
        events = executor.pull(self.study, self.store, jobs, self.settings, self.stopping)
        ended = yield from self._counted(events)
        self.summary.elsewhere, self.summary.out_of_time = ended.elsewhere, ended.out_of_time
        self.summary.out_of_budget = ended.out_of_budget

    def _counted(self, events: Generator[Event, None, Ended]) -> Generator[Event, None, Ended]:
        while True:
            try:
                event = next(events)
            except StopIteration as stop:
                ended: Ended = stop.value
                return ended
            if isinstance(event, Recorded):
                self.summary.recorded += 1
            elif isinstance(event, Failed):
                self.summary.failed.append(event)
            yield event

    def _take(self, event: Event, queue: Queue) -> None:
        if isinstance(event, Recorded):
            self.store.take(event.record, event.texts)
            self.summary.recorded += 1
        elif isinstance(event, Failed):
            if event.error.doubtful:
                for cell in event.job.cells:
                    self.store.set_aside(cell.record_id, self.pairing.id)
            self.store.failures.add(event)
            self.summary.failed.append(event)
            queue.release(event.job)
        elif isinstance(event, Finished):
            self.store.failures.forget(event.job)
            queue.release(event.job)

    def _known_failure(self, job: Job) -> Failed:
        failure = self.store.failures.read()[0][job.treatment_id]
        return Failed(job, JobFailed(failure["message"], deterministic=True))


def run(
    study: Study,
    out: str | Path | Store = "runs",
    *,
    settings: Settings = Settings(),
    watch: Callable[[Event], object] | None = None,
) -> Summary:
    """Run whatever the study still lacks; ``watch`` sees every event."""
    campaign = Campaign(study, out if isinstance(out, Store) else Store(out), settings)
    for event in campaign:
        if watch is not None:
            watch(event)
    return campaign.summary


def smoke(study: Study, settings: Settings = Settings()) -> Iterator[Event]:
    """Every model, one training step and one item a target, through the whole path; nothing is kept."""
    if not isinstance(study, Inspectable):
        raise CrossgraftError(f"the study {study.name!r} has no smoke run")
    small = study.smoke()
    with tempfile.TemporaryDirectory(prefix="crossgraft-smoke-") as folder:
        yield from Campaign(small, Store(folder), replace(settings, executor="inline", budget=None, only=()))
