"""Events as JSON lines, between a worker process and the one that watches it.

Jobs and records go by their ids: the watching process knows the jobs, and finds the records in the store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crossgraft.core import Job
from crossgraft.errors import JobFailed
from crossgraft.runs.store import Store
from crossgraft.study import Event, Failed, Finished, Progress, Recorded, Remark, Started


def line_of(event: Event) -> str:
    entry: dict[str, Any] = {"event": type(event).__name__, "job": event.job.treatment_id}
    match event:
        case Progress():
            entry |= {"doing": event.doing, "done": event.done, "total": event.total}
        case Remark():
            entry |= {"text": event.text}
        case Recorded():
            entry |= {"record": event.record.id, "pairing": event.record.pairing.id}
        case Failed():
            entry |= {"message": str(event.error), "deterministic": event.error.deterministic}
    return json.dumps(entry)


def event_of(entry: Mapping[str, Any], jobs: Mapping[str, Job], store: Store) -> Event | None:
    """The event that a line tells of; None for a record that somebody has taken out of the store meanwhile."""
    job = jobs[entry["job"]]
    match entry["event"]:
        case "Started":
            return Started(job)
        case "Progress":
            return Progress(job, entry["doing"], entry["done"], entry["total"])
        case "Remark":
            return Remark(job, entry["text"])
        case "Recorded":
            record = store.record(entry["record"], entry["pairing"])
            return None if record is None else Recorded(job, record)
        case "Finished":
            return Finished(job)
        case "Failed":
            return Failed(job, JobFailed(entry["message"], deterministic=entry["deterministic"]))
    raise ValueError(f"no event is called {entry['event']!r}")
