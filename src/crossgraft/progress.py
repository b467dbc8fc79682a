"""How a run is shown: bars on a terminal, plain lines elsewhere, JSON lines for a machine."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Any, Protocol

from crossgraft.core import Job
from crossgraft.escaping import visible
from crossgraft.study import Event, Failed, Finished, Progress, Recorded, Remark, Started


class Watcher(Protocol):
    """Sees every event of a run."""

    def see(self, event: Event) -> None: ...

    def close(self) -> None: ...


def watcher(total: int, *, as_json: bool = False) -> Watcher:
    """The watcher that suits where the output goes; ``total`` records are to be made."""
    if as_json:
        return JsonLines()
    if sys.stdout.isatty():
        return Bars(total)
    return Lines(total)


def watch(events: Iterable[Event], seen_by: Watcher) -> None:
    try:
        for event in events:
            seen_by.see(event)
    finally:
        seen_by.close()


class JsonLines:
    """One JSON object a line; progress inside a target is left out."""

    def see(self, event: Event) -> None:
        if not isinstance(event, Progress):
            _print(json.dumps(_plain(event), ensure_ascii=False))

    def close(self) -> None:
        pass


def _plain(event: Event) -> dict[str, Any]:
    told: dict[str, Any] = {"event": type(event).__name__.lower(), "job": str(event.job)}
    if isinstance(event, Recorded):
        record = event.record
        told |= {"target": str(record.target), "record": record.id}
        told["scores"] = {score.metric: score.value for score in record.scores if score.value == score.value}
    if isinstance(event, Remark):
        told |= {"text": event.text}
    if isinstance(event, Failed):
        told |= {"message": str(event.error), "deterministic": event.error.deterministic}
    return told


class Lines:
    """A line a record, with how long the rest may take."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._start = time.monotonic()

    def see(self, event: Event) -> None:
        if isinstance(event, Recorded):
            self._done += 1
            left = (time.monotonic() - self._start) / self._done * max(0, self._total - self._done)
            score = _score(event)
            _print(f"[{self._done}/{self._total}, {duration(left)} left] {event.job} on {event.record.target}: {score}")
        elif isinstance(event, Remark):
            _print(f"note: {event.job}: {event.text}")
        elif isinstance(event, Failed):
            _print(f"failed: {event.job}: {event.error}")

    def close(self) -> None:
        pass


def _score(event: Recorded) -> str:
    metric = next(cell.metric for cell in event.job.cells if cell.record_id == event.record.id)
    return next((str(score) for score in event.record.scores if score.metric == metric), "recorded")


class Bars:
    """A bar over the grid with the time it will take, and one for the job at work."""

    def __init__(self, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        self._grid = self._bars.add_task("all targets", total=total)
        self._job = self._bars.add_task("", total=None, visible=False)
        self._bars.start()

    def see(self, event: Event) -> None:
        if isinstance(event, Started):
            self._show(event.job, "starting", 0, None)
        elif isinstance(event, Progress):
            self._show(event.job, event.doing, event.done, event.total)
        elif isinstance(event, Recorded):
            self._bars.advance(self._grid)
        elif isinstance(event, Remark):
            self._bars.console.print(_escaped(f"note: {event.job}: {event.text}"))
        elif isinstance(event, Failed):
            self._bars.console.print(f"[bold]failed[/bold]: {_escaped(f'{event.job}: {event.error}')}")
        elif isinstance(event, Finished):
            self._bars.update(self._job, visible=False)

    def _show(self, job: Job, doing: str, done: int, total: int | None) -> None:
        self._bars.update(
            self._job, description=_escaped(f"{job} · {doing}"), completed=done, total=total, visible=True
        )

    def close(self) -> None:
        self._bars.stop()


def _print(text: str) -> None:
    print(visible(text), flush=True)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(visible(text))


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(42), duration(3700)
    ('42 s', '1 h 02 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
