"""The jobs of a plan as a queue that several processes draw from: each is claimed as it is handed out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from crossgraft.core import Job, Pairing
from crossgraft.identity import content_id
from crossgraft.runs.claims import Hold
from crossgraft.runs.prices import Shift
from crossgraft.runs.storage.store import Store

_LOOK = 2.0  # seconds between two looks at what others hold


class Queue:
    """The claims this process holds, from the moment a job is handed out until it ended."""

    def __init__(
        self,
        store: Store,
        pairing: Pairing,
        *,
        shift: Shift | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._pairing = pairing
        self._shift = shift or Shift(None)
        self._stopped = stopped
        self._held: dict[str, Hold] = {}
        self._failures = {name: failure.get("at") for name, failure in store.failures.read()[0].items()}
        self.elsewhere = 0  # jobs another process holds
        self.out_of_time = False

    def claim(self, jobs: Sequence[Job], *, by_model: bool = False) -> Iterator[Job]:
        """The jobs nobody else holds, without what has been recorded since the plan was made.

        Those that others hold are tried once more at the end: their process may be gone. With ``by_model`` the jobs
        come model by model, so that each is loaded once: first those of models that no other process works on.
        """
        held: list[Job] = []
        for job in self._model_by_model(jobs) if by_model else jobs:
            if self._is_over(job):
                return
            if self._take(job):
                yield from self._still_missing(job)
            else:
                held.append(job)
        self._outwait(held)
        for job in held:
            if self._is_over(job):
                return
            if self._take(job):
                yield from self._still_missing(job)
            else:
                self.elsewhere += 1

    def _model_by_model(self, jobs: Sequence[Job]) -> Iterator[Job]:
        groups: dict[str, list[Job]] = {}
        for job in jobs:
            groups.setdefault(job.treatment.model, []).append(job)
        shared = []
        for model, group in groups.items():
            hold = self._store.claims.hold(f"model-{content_id(model=model)}")
            if hold is None:
                shared.append(group)
                continue
            self._held[model] = hold
            yield from group
            self._let_go(model)
        for group in shared:
            yield from group

    def _is_over(self, job: Job) -> bool:
        if self._stopped():
            return True
        self.out_of_time = not self._shift.fits(job)
        return self.out_of_time

    def _outwait(self, jobs: Sequence[Job]) -> None:
        """Watch the leases of others until it is known which of them are dead; locks need no waiting."""
        claims = self._store.claims
        while not self._stopped():
            wait = max((claims.patience(job.treatment_id) for job in jobs), default=0.0)
            if not wait:
                return
            time.sleep(min(wait, _LOOK))

    def _take(self, job: Job) -> bool:
        hold = self._store.hold(job)
        if hold is None:
            return False
        self._held[job.treatment_id] = hold
        return True

    def _still_missing(self, job: Job) -> Iterator[Job]:
        pairing = self._pairing.id if job.treatment.is_control else None
        cells = tuple(cell for cell in job.cells if not self._store.has(cell.record_id, pairing))
        if cells and not self._failed_meanwhile(job):
            yield replace(job, cells=cells)
        else:
            self.release(job)

    def _failed_meanwhile(self, job: Job) -> bool:
        """Whether another process found, since this one began, that the job fails for good."""
        failure = self._store.failures.of(job.treatment_id)
        return bool(failure and failure["deterministic"] and failure.get("at") != self._failures.get(job.treatment_id))

    def release(self, job: Job) -> None:
        self._let_go(job.treatment_id)

    def release_all(self) -> None:
        for name in list(self._held):
            self._let_go(name)

    def _let_go(self, name: str) -> None:
        hold = self._held.pop(name, None)
        if hold is not None:
            hold.release()
