"""For tests: an executor without model and vectors, whose answers come from a function of job and cell.

It is no plug-in on purpose: on the command line it would fill a real store with invented numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from crossgraft.core import Answers, Cell, Job, Pairing, Record
from crossgraft.errors import JobFailed
from crossgraft.identity import item_hash
from crossgraft.metrics import scored_record
from crossgraft.study import Event, Failed, Finished, Recorded, Started, Study, Workplace

Outcome = Callable[[Job, Cell], Answers]


def coin_flips(job: Job, cell: Cell, *, items: int = 20) -> Answers:
    """Two options with random log-likelihoods, the same for the same record id."""
    rng = np.random.default_rng(item_hash(cell.record_id, seed=0))
    lengths = np.ones((items, 2))
    return Answers(
        "choice",
        tuple(f"item-{number}" for number in range(items)),
        {
            "loglik": rng.normal(size=(items, 2)),
            "gold": np.zeros(items, dtype=np.int64),
            "tokens": lengths,
            "characters": lengths,
            "bytes": lengths,
        },
    )


@dataclass(frozen=True)
class Fake:
    """Yields the events a real executor would, with the answers ``outcome`` invents.

    Jobs whose text is in ``failing`` fail before their first record.
    """

    outcome: Outcome = coin_flips
    failing: Collection[str] = ()
    pairing: Pairing = Pairing("fake", "", 1)

    def run(self, study: Study, jobs: Iterable[Job], workplace: Workplace) -> Iterator[Event]:
        for job in jobs:
            yield Started(job)
            if str(job) in self.failing:
                yield Failed(job, JobFailed("told to fail", deterministic=True))
                continue
            for cell in job.cells:
                yield Recorded(job, self.record(job, cell))
            yield Finished(job)

    def record(self, job: Job, cell: Cell) -> Record:
        return scored_record(job, cell, self.outcome(job, cell), self.pairing)
