"""One job after the other, in this process."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crossgraft.core import Job
from crossgraft.errors import CrossgraftError, JobFailed, StoreError
from crossgraft.runs.executors import EXECUTORS
from crossgraft.safety import files
from crossgraft.study import Event, Failed, Finished, Started, Study, Worker, Workplace


@EXECUTORS.register
@dataclass(frozen=True)
class Inline:
    """The default: the worker, and with it the base model, stays open from job to job."""

    def run(self, study: Study, jobs: Iterable[Job], workplace: Workplace) -> Iterator[Event]:
        with study.open(workplace) as worker:
            for job in jobs:
                yield Started(job)
                yield from attempt(worker, job)


def attempt(worker: Worker, job: Job) -> Iterator[Event]:
    """Run one job; whatever it raises becomes an event.

    An error we foresaw would come again, so it counts as deterministic. Anything else may have
    been the machine's fault (memory, network), and is tried again by the next run. A store that cannot be
    written ends the run: every other job would meet the same, some of them after hours of work.
    """
    try:
        yield from worker.run(job)
    except JobFailed as error:
        yield Failed(job, error)
    except StoreError:
        raise
    except CrossgraftError as error:
        yield Failed(job, JobFailed(str(error), deterministic=True))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
        if files.is_no_room(error):
            raise StoreError(f"{job}: {reason}; make room and run the same command again") from error
        yield Failed(job, JobFailed(reason), traceback.format_exc())
    else:
        yield Finished(job)
