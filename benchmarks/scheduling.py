"""What scheduling costs: ``python benchmarks/scheduling.py [inline] [processes] [ray] [--jobs 10000] [--slow 40]``.

First many jobs that take no time: jobs a second, from the first event to the last. Then jobs of two seconds, two workers
at once: the share of their time that is not work. The jobs are those of the study that the tests use, which answers at
random; all else is as in a real run: claims, records, events. Every record is synced to the disk that ``TMPDIR`` is on: name
a folder in memory (``/dev/shm``) to leave the disk out. Workers of Ray have the priority of the others here: by default
Ray lets everything else on the machine go first.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

PLUGIN = Path(__file__).parent.parent / "tests" / "data" / "plugin"
SECONDS = 2.0  # of a slow job
WORKERS = 2


def ran(executor: str, folder: Path, *, jobs: int, seconds: float) -> tuple[float, float]:
    """Seconds from the first event to the last, and until the first."""
    from crossgraft.runs.campaign import Campaign
    from crossgraft.runs.settings import Settings
    from crossgraft.runs.storage.store import Store
    from crossgraft.spec import parse_study

    text = f'study = "toy"\nname = "toy"\ncount = {jobs - 1}\ntargets = 1\nseconds = {seconds}\n'
    settings = Settings(executor=executor, device="cpu", threads=1, workers=1 if executor == "inline" else WORKERS)
    campaign = Campaign(parse_study(text, folder=folder), Store(folder), settings, stopping=threading.Event())
    begun, first = time.perf_counter(), 0.0
    for _ in campaign:
        first = first or time.perf_counter()
    ended = time.perf_counter()
    if (done := len(Store(folder).done())) != jobs:
        raise SystemExit(f"{executor}: {done} records of {jobs}")
    return ended - first, first - begun


def measure(executor: str, jobs: int, slow: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        took, start = ran(executor, Path(place) / "fast", jobs=jobs, seconds=0.0)
        print(
            f"{executor:<10} {jobs} jobs of 0 s: {jobs / took:.0f} a second (first event after {start:.1f} s)",
            flush=True,
        )
        if not slow:
            return
        took, _ = ran(executor, Path(place) / "slow", jobs=slow, seconds=SECONDS)
    workers = 1 if executor == "inline" else WORKERS
    work = slow * SECONDS / workers
    print(f"{executor:<10} {slow} jobs of {SECONDS:.0f} s: {100 * (took / work - 1):.1f} % overhead", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("executors", nargs="*", default=["inline", "processes", "ray"])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--slow", type=int, default=40)
    asked = parser.parse_args()
    sys.path.insert(0, str(PLUGIN))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PLUGIN), os.environ.get("PYTHONPATH", "")])  # for the workers
    os.environ.setdefault("RAY_worker_niceness", "0")
    print(f"load of this machine: {os.getloadavg()[0]:.1f}, cores: {os.cpu_count()}")
    for executor in asked.executors:
        measure(executor, asked.jobs, asked.slow)


if __name__ == "__main__":
    main()
