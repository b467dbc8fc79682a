"""What scheduling costs: ``python benchmarks/scheduling.py [inline] [processes] [ray] [--jobs 10000] [--slow 40]``.

First many jobs that take no time: jobs a second, from the first event to the end of the last job, and the processor time
of a job, over all processes of the run. Then jobs of two seconds on two workers: what a job takes beyond its two seconds,
from one end to the next. What is paid once a run, at its start and end, has a line of its own.

The jobs are those of the study that the tests use, which answers at random; all else is as in a real run: claims, records,
events. Records are synced to the disk that ``TMPDIR`` is on: name a folder in memory (``/dev/shm``) to leave the disk out.
Workers of Ray have the priority of the others here: by default Ray lets everything else on the machine go first.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLUGIN = Path(__file__).parent.parent / "tests" / "data" / "plugin"
SECONDS = 2.0  # of a slow job
WORKERS = 2


@dataclass(frozen=True)
class Times:
    """When jobs began and ended, in seconds since the run was asked for, and the processor time between."""

    started: list[float]
    finished: list[float]
    processor: float  # seconds of all processes, from the first event to the end of the last job
    total: float  # until the run gave control back

    def a_second(self) -> float:
        return len(self.finished) / (self.finished[-1] - self.started[0])

    def of_a_job(self, workers: int) -> float:
        """Seconds from the end of a worker's job to the end of its next.

        Where all workers work all the time, the first ends are one of each worker, as are the last. A worker's first
        job is left out, since it also imports.
        """
        spent = sum(self.finished[-workers:]) - sum(self.finished[:workers])
        return spent / (len(self.finished) - workers)

    def once(self, workers: int) -> str:
        first, last = self.started[0], max(self.finished[:workers])
        ending = self.total - self.finished[-1]
        return f"{first:.1f} s until a worker begins, {last:.1f} s until all have done a job, {ending:.1f} s to end"


def timed(executor: str, folder: Path, *, jobs: int, seconds: float) -> Times:
    from crossgraft.runs.campaign import Campaign
    from crossgraft.runs.settings import Settings
    from crossgraft.runs.storage.store import Store
    from crossgraft.spec import parse_study
    from crossgraft.study import Finished, Started

    text = f'study = "toy"\nname = "toy"\ncount = {jobs - 1}\ntargets = 1\nseconds = {seconds}\n'
    settings = Settings(executor=executor, device="cpu", threads=1, workers=workers_of(executor))
    begun = time.perf_counter()
    campaign = Campaign(parse_study(text, folder=folder), Store(folder), settings, stopping=threading.Event())
    started: list[float] = []
    finished: list[float] = []
    before = spent = 0.0
    for event in campaign:
        before = before or processor_seconds()
        now = time.perf_counter() - begun
        if isinstance(event, Started):
            started.append(now)
        elif isinstance(event, Finished):
            finished.append(now)
            spent = processor_seconds() if len(finished) == jobs else spent
    total = time.perf_counter() - begun
    if (done := len(Store(folder).done())) != jobs or len(finished) != jobs:
        raise SystemExit(f"{executor}: {done} records and {len(finished)} finished jobs of {jobs}")
    return Times(started, finished, spent - before, total)


def workers_of(executor: str) -> int:
    return 1 if executor == "inline" else WORKERS


def processor_seconds() -> float:
    """Of this process, of those it started, and so on; on Linux, else of this one only."""
    try:
        return sum(map(_processor_seconds, _family(os.getpid()))) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return time.process_time()


def _family(pid: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        yield parent
        waiting += children.get(parent, [])


def _processor_seconds(pid: int) -> int:
    return sum(map(int, _stat(pid)[11:15]))  # its own and those of its ended children, as user and as system


def _stat(pid: int) -> list[str]:
    """The fields of a process from its state on; the name before them may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def measure(executor: str, jobs: int, slow: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        times = timed(executor, Path(folder) / "fast", jobs=jobs, seconds=0.0)
        rate, cost = f"{times.a_second():.0f} a second", f"{1e3 * times.processor / jobs:.1f} ms of processor time each"
        print(f"{executor:<10} {jobs} jobs of 0 s: {rate}, {cost}", flush=True)
        if not slow:
            return
        times = timed(executor, Path(folder) / "slow", jobs=slow, seconds=SECONDS)
    workers = workers_of(executor)
    beyond = times.of_a_job(workers) - SECONDS
    print(
        f"{executor:<10} {slow} jobs of {SECONDS:.0f} s: {1e3 * beyond:.0f} ms beyond it, {100 * beyond / SECONDS:.1f} %"
    )
    print(f"{executor:<10} once a run: {times.once(workers)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("executors", nargs="*", default=["inline", "processes", "ray"])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--slow", type=int, default=40)
    asked = parser.parse_args()
    sys.path.insert(0, str(PLUGIN))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PLUGIN), os.environ.get("PYTHONPATH", "")])  # for the workers
    os.environ.setdefault("RAY_worker_niceness", "0")
    for executor in asked.executors:
        print(f"load of this machine: {os.getloadavg()[0]:.1f}, cores: {os.cpu_count()}", flush=True)
        measure(executor, asked.jobs, asked.slow)


if __name__ == "__main__":
    main()
