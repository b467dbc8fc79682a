"""Several processes on this machine, one a GPU or one for so many threads; each draws jobs from the store."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from crossgraft.core import Job
from crossgraft.errors import CrossgraftError, DataError, JobFailed, SpecError, StoreError
from crossgraft.runs.executors import EXECUTORS, Ended
from crossgraft.runs.executors._wire import event_of
from crossgraft.runs.settings import Settings
from crossgraft.runs.store import Store
from crossgraft.spec import parse_study
from crossgraft.study import Event, Failed, Finished, Remark, Started, Study

KILLS = 3  # workers that a job may kill before it is given up
_LOOK = 0.2  # seconds between two looks at whether to stop
_PATIENCE = 10.0  # seconds for workers to end before they are killed
_ERRORS: dict[str, type[CrossgraftError]] = {kind.__name__: kind for kind in (SpecError, DataError, StoreError)}


@EXECUTORS.register
@dataclass(frozen=True)
class Processes:
    """Workers that share nothing but the store: a crashed one is replaced, and a job that kills three is given up."""

    def pull(
        self, study: Study, store: Store, jobs: Sequence[Job], settings: Settings, stopping: threading.Event
    ) -> Generator[Event, None, Ended]:
        origin = study.origin
        if not origin.text or parse_study(origin.text, folder=origin.folder, overrides=origin.overrides) != study:
            raise SpecError(
                "worker processes read a study from its spec; this one was changed in Python: run it inline"
            )
        if settings.retry:
            for job in jobs:
                store.forget_failure(job)
        errand = {
            "spec": origin.text,
            "folder": str(origin.folder.resolve()),
            "overrides": list(origin.overrides),
            "out": str(store.out.resolve()),
        }
        crew = _Crew(errand, settings, store, {job.treatment_id: job for job in jobs})
        try:
            crew.hire(min(worker_count(settings), len(jobs)))
            yield from crew.events(stopping)
        finally:
            crew.dismiss()
        return Ended(crew.elsewhere(), crew.any_ended("out_of_budget"), crew.any_ended("out_of_time"))


def worker_count(settings: Settings) -> int:
    """As many as asked for; else one a GPU; else as many as the cores have room for at so many threads each."""
    cores = os.cpu_count() or 1
    return settings.workers or len(devices(settings)) or max(1, cores // (settings.threads or cores))


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


@dataclass
class _Worker:
    """A process, the job it is at, and what it wrote to stderr."""

    number: int
    process: subprocess.Popen[str]
    stderr: Any
    job: Job | None = None
    ended: Mapping[str, Any] | None = None

    def tell(self, line: str) -> None:
        if self.process.stdin is not None:
            try:
                self.process.stdin.write(line + "\n")
                self.process.stdin.flush()
            except OSError:
                return  # it has just died, and its end of the pipe with it

    def last_words(self) -> str:
        self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, self.stderr.tell() - 4000))
        lines = self.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


@dataclass
class _Crew:
    """The workers of a run: hired, listened to, replaced, dismissed."""

    errand: Mapping[str, Any]
    settings: Settings
    store: Store
    jobs: Mapping[str, Job]
    started: float = field(default_factory=time.monotonic)
    workers: list[_Worker] = field(default_factory=list)
    lines: queue.Queue[tuple[_Worker, str | None]] = field(default_factory=queue.Queue)
    kills: Counter[str] = field(default_factory=Counter)
    idle_deaths: int = 0  # of workers that died before their first job, in a row

    def hire(self, count: int) -> None:
        gpus = devices(self.settings)
        for number in range(count):
            self._hire(number, gpus[number % len(gpus)] if gpus else "")

    def _hire(self, number: int, gpu: str) -> None:
        environment = {**os.environ, **({"CUDA_VISIBLE_DEVICES": gpu} if gpu else {})}
        stderr = tempfile.TemporaryFile()  # noqa: SIM115 (as long as its worker is looked after)
        process = subprocess.Popen(
            [sys.executable, "-m", "crossgraft.runs.executors._child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            env=environment,
            start_new_session=True,  # Ctrl-C is for the process that watches
        )
        worker = _Worker(number, process, stderr)
        worker.tell(json.dumps({**self.errand, "settings": asdict(self._left())}))
        self.workers.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()

    def _left(self) -> Settings:
        """The settings of a worker: what is left of the run's time, and its models one after the other."""
        spent = time.monotonic() - self.started
        budget, limit = (
            None if seconds is None else seconds - spent for seconds in (self.settings.budget, self.settings.limit)
        )
        return replace(
            self.settings, executor="inline", retry=False, by_model=True, workers=0, budget=budget, limit=limit
        )

    def _listen(self, worker: _Worker) -> None:
        if worker.process.stdout is not None:
            for line in worker.process.stdout:
                self.lines.put((worker, line))
        self.lines.put((worker, None))

    def events(self, stopping: threading.Event) -> Iterator[Event]:
        passed_on = False
        while any(worker.process.returncode is None for worker in self.workers):
            if stopping.is_set() and not passed_on:
                passed_on = True
                for worker in self.workers:
                    worker.tell("stop")
            try:
                worker, line = self.lines.get(timeout=_LOOK)
            except queue.Empty:
                continue
            yield from self._heard(worker, line) if line is not None else self._ended(worker, stopping)

    def _heard(self, worker: _Worker, line: str) -> Iterator[Event]:
        entry = json.loads(line)
        if "end" in entry:
            worker.ended = entry
            return
        event = event_of(entry, self.jobs, self.store) if entry["job"] in self.jobs else None
        if event is None:
            return  # of a job that was done when this run began, and whose record was damaged since
        if isinstance(event, Started):
            worker.job, self.idle_deaths = event.job, 0
        elif isinstance(event, Finished | Failed):
            worker.job = None
        yield event

    def _ended(self, worker: _Worker, stopping: threading.Event) -> Iterator[Event]:
        code = worker.process.wait()
        if worker.ended is not None and worker.ended["end"] == "error":
            raise _ERRORS.get(worker.ended["kind"], CrossgraftError)(worker.ended["message"])
        if code == 0 or stopping.is_set():
            return
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if worker.job is None:
            self.idle_deaths += 1
            if self.idle_deaths == KILLS:
                raise CrossgraftError(
                    f"{KILLS} workers in a row ended before their first job, the last {how}: {worker.last_words()}"
                )
        else:
            yield from self._killed(worker.job, how, worker.last_words() if code > 0 else "")
        gpus = devices(self.settings)
        self._hire(worker.number, gpus[worker.number % len(gpus)] if gpus else "")

    def _killed(self, job: Job, how: str, words: str) -> Iterator[Event]:
        self.kills[job.treatment_id] += 1
        said = f"a worker {how}{f' ({words})' if words else ''}"
        if self.kills[job.treatment_id] < KILLS:
            yield Remark(job, f"{said}; another takes its place")
            return
        failed = Failed(
            job, JobFailed(f"given up after it killed {KILLS} workers; the last time {said}", deterministic=True)
        )
        self.store.take_failure(failed)
        yield failed

    def dismiss(self) -> None:
        """End what still runs: in order if that takes seconds, else at once."""
        alive = [worker for worker in self.workers if worker.process.poll() is None]
        for worker in alive:
            worker.process.terminate()
        deadline = time.monotonic() + _PATIENCE
        for worker in alive:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        for worker in self.workers:
            for stream in (worker.process.stdin, worker.stderr):
                if stream is not None:
                    stream.close()

    def elsewhere(self) -> int:
        """Jobs that no worker of ours could get: as the last one that looked saw it."""
        seen = [worker.ended["elsewhere"] for worker in self.workers if worker.ended and "elsewhere" in worker.ended]
        return min(seen, default=0)

    def any_ended(self, how: str) -> bool:
        return any(bool(worker.ended and worker.ended.get(how)) for worker in self.workers)
