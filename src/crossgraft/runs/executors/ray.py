"""Workers on a Ray cluster, one a GPU; each draws jobs from a store that all nodes share. Needs the extra ``ray``."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossgraft.core import Job
from crossgraft.errors import DataError, MissingExtra
from crossgraft.runs.executors import EXECUTORS, Ended
from crossgraft.runs.executors._crew import Worker, pulled
from crossgraft.runs.executors._wire import campaign_of, lines_of
from crossgraft.runs.settings import Settings
from crossgraft.runs.storage.store import Store
from crossgraft.study import Event, Study


@EXECUTORS.register
@dataclass(frozen=True)
class Ray:
    """On the cluster that ``RAY_ADDRESS`` names, or that Ray starts on this machine; a worker of a lost node is replaced."""

    def pull(
        self, study: Study, store: Store, jobs: Sequence[Job], settings: Settings, stopping: threading.Event
    ) -> Generator[Event, None, Ended]:
        try:
            import ray
        except ImportError as error:
            raise MissingExtra("the executor 'ray'", "ray") from error
        ours = not ray.is_initialized()
        if ours:
            ray.init(log_to_driver=False, logging_level="error", include_dashboard=False)
        try:
            resources = ray.cluster_resources()
            gpus = 0 if settings.device == "cpu" else int(resources.get("GPU", 0))
            room = _room(ray.nodes(), settings.gpus_each)
            if gpus and not room:
                raise DataError(
                    f"expected a node of the Ray cluster with at least {settings.gpus_each} GPUs (--gpus-per-worker); "
                    f"there are {gpus} on {len(ray.nodes())} nodes"
                )
            threads = settings.threads or 1
            count = settings.workers or (room if gpus else 0) or max(1, int(resources.get("CPU", 1)) // threads)
            task = ray.remote(_drain).options(
                num_returns="streaming", max_retries=0, num_cpus=threads, num_gpus=settings.gpus_each if gpus else 0
            )

            def start(errand: str, _number: int) -> Worker:
                return _Task(ray, task.remote(errand))

            return (yield from pulled(start, count, study, store, jobs, settings, stopping))
        finally:
            if ours:
                ray.shutdown()


def _room(nodes: Sequence[Mapping[str, Any]], size: int) -> int:
    """Workers that the GPUs have room for, each on one node."""
    return sum(int(node["Resources"].get("GPU", 0)) // size for node in nodes if node["Alive"])


def _drain(errand: str) -> Iterator[str]:
    """What a worker does on its node."""
    yield from lines_of(lambda: campaign_of(errand, threading.Event()))


class _Task:
    """A task of Ray that yields lines. It takes no orders: it goes on, or is ended."""

    def __init__(self, ray: Any, stream: Any) -> None:
        self._ray, self._stream = ray, stream
        self._death = ""
        self._has_ended = False

    def lines(self) -> Iterator[str]:
        try:
            for line in self._stream:
                yield self._ray.get(line)
        except Exception as error:  # whatever Ray makes of a worker or node that is gone
            self._death = f"ended with {type(error).__name__}: {str(error).strip().splitlines()[0]}"
        self._has_ended = True

    def death(self) -> str:
        return self._death

    def finish(self) -> None:
        self.end()

    def end(self) -> None:
        if not self._has_ended:
            self._ray.cancel(self._stream, force=False)
