"""From a study and a store to events: fingerprint, check, plan, execute, keep.

Everything is decided anew from what the store holds, so interrupting and repeating is always safe,
and so is a second campaign on the same store at the same time.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from crossgraft.core import Job, Labels, Pairing
from crossgraft.errors import CrossgraftError, JobFailed
from crossgraft.runs.executors import EXECUTORS, Executor
from crossgraft.runs.fingerprints import FingerprintCache, fingerprint
from crossgraft.runs.layout import Manifest
from crossgraft.runs.plan import Plan, plan, select
from crossgraft.runs.store import Store
from crossgraft.study import Workplace, Event, Failed, Fetches, Finished, Input, Inspectable, Labelled, Recorded, Study


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what: none of this changes a result's id."""

    executor: str = "inline"
    device: str = "auto"
    threads: int = 0  # 0: all cores
    only: tuple[str, ...] = ()
    retry: bool = False
    budget: float | None = None  # seconds


@dataclass
class Summary:
    """What a run did, and what it left."""

    recorded: int = 0
    failed: list[Failed] = field(default_factory=list)
    elsewhere: int = 0  # jobs another process holds
    out_of_budget: bool = False
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
    failures = () if settings.retry else store.failures().values()
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

    @cached_property
    def workplace(self) -> Workplace:
        return Workplace(self.store.artefacts, self.settings.device, self.settings.threads or os.cpu_count() or 1)

    @cached_property
    def pairing(self) -> Pairing:
        return self.study.pairing(self.workplace)

    @cached_property
    def manifest(self) -> Manifest:
        """The study with its jobs; looking at it downloads what is not here, and reads and checks every input."""
        if isinstance(self.study, Fetches):
            self.study.fetch()
        return describe_study(self.study, self.store)

    @cached_property
    def todo(self) -> Plan:
        """What is missing as the campaign begins."""
        return plan_study(self.manifest, self.store, self.settings, self.pairing)

    def __iter__(self) -> Iterator[Event]:
        deadline = None if self.settings.budget is None else time.monotonic() + self.settings.budget
        self.store.save_study(self.manifest)
        self.store.tidy()
        self.summary.failed += [self._known_failure(job) for job in self.todo.failed]
        executor = self.executor or EXECUTORS.get(self.settings.executor)()
        held = _Held(self.store, self.pairing)
        jobs = self.todo.jobs  # where there are none, nothing is opened
        events = executor.run(self.study, held.claim(jobs), self.workplace) if jobs else iter(())
        try:
            for event in events:
                self._take(event, held)
                yield event
                if deadline is not None and isinstance(event, Recorded) and time.monotonic() > deadline:
                    self.summary.out_of_budget = True
                    break
        finally:
            close = getattr(events, "close", None)  # a generator, unless somebody's executor is another iterator
            if close is not None:
                close()
            held.release_all()
            self.summary.elsewhere = held.elsewhere
            everything = replace(self.settings, retry=True)
            self.summary.left = plan_study(self.manifest, self.store, everything, self.pairing).missing

    def _take(self, event: Event, held: _Held) -> None:
        if isinstance(event, Recorded):
            self.store.take(event.record, event.texts)
            self.summary.recorded += 1
        elif isinstance(event, Failed):
            if event.error.doubtful:
                for cell in event.job.cells:
                    self.store.set_aside(cell.record_id, self.pairing.id)
            self.store.take_failure(event)
            self.summary.failed.append(event)
            held.release(event.job)
        elif isinstance(event, Finished):
            self.store.forget_failure(event.job)
            held.release(event.job)

    def _known_failure(self, job: Job) -> Failed:
        failure = self.store.failures()[job.treatment_id]
        return Failed(job, JobFailed(failure["message"], deterministic=True))


class _Held:
    """The claims this process holds, from the moment a job is handed out until it ended."""

    def __init__(self, store: Store, pairing: Pairing) -> None:
        self._store = store
        self._pairing = pairing
        self._claims: dict[str, ExitStack] = {}
        self.elsewhere = 0

    def claim(self, jobs: Sequence[Job]) -> Iterator[Job]:
        """The jobs nobody else holds, without what has been recorded since the plan was made.

        Those that others hold are tried once more at the end: their process may be gone.
        """
        held = []
        for job in jobs:
            if self._take(job):
                yield from self._still_missing(job)
            else:
                held.append(job)
        for job in held:
            if self._take(job):
                yield from self._still_missing(job)
            else:
                self.elsewhere += 1

    def _take(self, job: Job) -> bool:
        stack = ExitStack()
        if not stack.enter_context(self._store.claim(job)):
            stack.close()
            return False
        self._claims[job.treatment_id] = stack
        return True

    def _still_missing(self, job: Job) -> Iterator[Job]:
        pairing = self._pairing.id if job.treatment.is_control else None
        cells = tuple(cell for cell in job.cells if not self._store.has(cell.record_id, pairing))
        if cells:
            yield replace(job, cells=cells)
        else:
            self.release(job)

    def release(self, job: Job) -> None:
        stack = self._claims.pop(job.treatment_id, None)
        if stack is not None:
            stack.close()

    def release_all(self) -> None:
        while self._claims:
            self._claims.popitem()[1].close()


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
        yield from Campaign(small, Store(folder), replace(settings, budget=None, only=()))
