"""What a worker and the process that watches it send each other: an errand as JSON, and events as JSON lines.

Jobs and records go by their ids: the watching process knows the jobs, and finds the records in the store.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from crossgraft.core import Job
from crossgraft.errors import CrossgraftError, JobFailed
from crossgraft.runs.campaign import Campaign, title
from crossgraft.runs.settings import Settings
from crossgraft.runs.storage.store import Store
from crossgraft.spec import parse_study
from crossgraft.study import Event, Failed, Finished, Progress, Recorded, Remark, Started

_OFTEN = 0.2  # seconds between two lines on the progress of a job


def campaign_of(errand: str, stopping: threading.Event) -> Campaign:
    """The part of a worker in a run whose inputs have just been read and checked."""
    words = json.loads(errand)
    study = parse_study(words["spec"], folder=Path(words["folder"]), overrides=words["overrides"])
    store = Store(words["out"])
    settings = Settings(**{**words["settings"], "only": tuple(words["settings"]["only"])})
    return Campaign(study, store, settings, stopping=stopping, described=store.study(title(study)))


def lines_of(made: Callable[[], Campaign]) -> Iterator[str]:
    """What a campaign does, and at its end how it ended."""
    try:
        campaign, told = made(), 0.0
        for event in campaign:
            if not isinstance(event, Progress) or time.monotonic() - told > _OFTEN:
                yield line_of(event)
                told = time.monotonic()
    except CrossgraftError as error:
        yield json.dumps({"end": "error", "kind": type(error).__name__, "message": str(error)})
        return
    ended = {name: getattr(campaign.summary, name) for name in ("elsewhere", "out_of_budget", "out_of_time")}
    yield json.dumps({"end": "summary", **ended})


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
