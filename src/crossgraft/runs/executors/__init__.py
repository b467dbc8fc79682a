"""How jobs are carried out: an executor takes a study and jobs, and yields events as they happen."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from crossgraft.core import Job
from crossgraft.registry import Registry
from crossgraft.runs.settings import Settings
from crossgraft.runs.storage.store import Store
from crossgraft.study import Event, Study, Workplace


class Executor(Protocol):
    """Runs the jobs it is given, in their order as far as it can; a failed job stops no other."""

    def run(self, study: Study, jobs: Iterable[Job], workplace: Workplace) -> Iterator[Event]: ...


@dataclass(frozen=True)
class Ended:
    """Why processes that draw their own jobs came to an end."""

    elsewhere: int = 0  # jobs that processes of others hold
    out_of_budget: bool = False
    out_of_time: bool = False


@runtime_checkable
class Pulling(Protocol):
    """An executor of processes that claim jobs of the store, and keep what comes of them, by themselves.

    ``jobs`` are those that are missing now. Once ``stopping`` is set, every process ends after the target at hand.
    """

    def pull(
        self, study: Study, store: Store, jobs: Sequence[Job], settings: Settings, stopping: threading.Event
    ) -> Generator[Event, None, Ended]: ...


EXECUTORS: Registry[type[Executor] | type[Pulling]] = Registry(
    "executor", "crossgraft.executors", "crossgraft.runs.executors"
)
