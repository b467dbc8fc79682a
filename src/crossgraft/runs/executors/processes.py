"""Several processes on this machine, one per GPU, or one per N threads; each draws jobs from the store."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from crossgraft.core import Job
from crossgraft.errors import DataError
from crossgraft.runs.executors import EXECUTORS, Ended
from crossgraft.runs.executors._crew import Worker, pulled
from crossgraft.runs.settings import Settings
from crossgraft.runs.storage.store import Store
from crossgraft.study import Event, Study

_PATIENCE = 10.0  # seconds for a worker to end before it is killed


@EXECUTORS.register
@dataclass(frozen=True)
class Processes:
    """Workers that share nothing but the store: a crashed one is replaced, and a job that kills three is given up."""

    def pull(
        self, study: Study, store: Store, jobs: Sequence[Job], settings: Settings, stopping: threading.Event
    ) -> Generator[Event, None, Ended]:
        groups = gpu_groups(settings)

        def start(errand: str, number: int) -> Worker:
            return _Process(errand, groups[number % len(groups)] if groups else "")

        return pulled(start, worker_count(settings), study, store, jobs, settings, stopping)


def worker_count(settings: Settings) -> int:
    """As many as asked for; else one per group of GPUs; else as many as the cores allow with that many threads each."""
    cores = os.cpu_count() or 1
    return settings.workers or len(gpu_groups(settings)) or max(1, cores // (settings.threads or cores))


def gpu_groups(settings: Settings) -> tuple[str, ...]:
    """The GPUs that each worker sees, as ``CUDA_VISIBLE_DEVICES`` names them; those that fill no group stay idle."""
    gpus, size = devices(settings), settings.gpus_each
    if gpus and len(gpus) < size:
        raise DataError(
            f"expected at least {size} GPUs, for one worker with --gpus-per-worker {size}; there are {len(gpus)}"
        )
    return tuple(",".join(gpus[first : first + size]) for first in range(0, len(gpus) - size + 1, size))


def devices(settings: Settings) -> tuple[str, ...]:
    """The GPUs that workers may use, as ``CUDA_VISIBLE_DEVICES`` names them; none where the device is another."""
    if settings.device not in ("auto", "cuda"):
        return ()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(name for name in visible.split(",") if name and name != "-1")
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    listed = subprocess.run([command, "-L"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    return tuple(str(number) for number in range(sum(line.startswith("GPU ") for line in listed.splitlines())))


class _Process:
    """A worker process; orders go to its stdin, and its stderr is kept for its last words."""

    def __init__(self, errand: str, gpu: str) -> None:
        self._stderr: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (closed by ``end``)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "crossgraft.runs.executors._child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            encoding="utf-8",
            env={**os.environ, **({"CUDA_VISIBLE_DEVICES": gpu} if gpu else {})},
            start_new_session=True,  # Ctrl-C is for the process that watches
        )
        self._tell(errand)

    def lines(self) -> Iterator[str]:
        if self._process.stdout is not None:
            # a killed worker may leave half a line
            yield from (line for line in self._process.stdout if line.endswith("\n"))

    def death(self) -> str:
        code = self._process.wait()
        if not code:
            return ""
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}: {self._words()}"

    def _words(self) -> str:
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - 4000))
        lines = self._stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "no message"

    def finish(self) -> None:
        self._tell("stop")

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None:
            try:
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
            except OSError:
                return  # it has just died, and its end of the pipe with it

    def end(self) -> None:
        """In order if that takes seconds, else at once."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._stderr.close()
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:  # an order that nobody read
                return
