"""How jobs are carried out: an executor takes a study and jobs, and yields events as they happen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from crossgraft.core import Job
from crossgraft.registry import Registry
from crossgraft.study import Workplace, Event, Study


class Executor(Protocol):
    """Runs the jobs it is given, in their order as far as it can; a failed job stops no other."""

    def run(self, study: Study, jobs: Iterable[Job], workplace: Workplace) -> Iterator[Event]: ...


EXECUTORS: Registry[type[Executor]] = Registry("executor", "crossgraft.executors", "crossgraft.runs.executors")
