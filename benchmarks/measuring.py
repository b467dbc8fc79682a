"""How the benchmarks measure: turns of what is compared, ratios within a round, memory, the line on the machine."""

from __future__ import annotations

import gc
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU time of this process, and by the clock."""

    cpu: float
    wall: float


def timed(run: Callable[[], Any]) -> tuple[Any, Cost]:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, Cost(time.process_time() - cpu, time.perf_counter() - wall)


@dataclass
class Turns:
    """What took its turn, with what it cost in each round and what it gave at last."""

    runs: dict[str, Callable[[], Any]]
    costs: dict[str, list[Cost]] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    measure: Callable[[Callable[[], Any]], tuple[Any, Cost]] = timed

    def take(self, rounds: int) -> Turns:
        """The order turns round each time, so that neighbours in a round stay neighbours, and nobody is always first."""
        for number in range(rounds):
            for name in [*self.runs][:: 1 if number % 2 == 0 else -1]:
                self.results[name], cost = self.measure(self.runs[name])
                self.costs.setdefault(name, []).append(cost)
        return self

    def cpu(self, name: str) -> float:
        return median(cost.cpu for cost in self.costs[name])

    def wall(self, name: str) -> float:
        return median(cost.wall for cost in self.costs[name])

    def ratios(self, of: str, to: str) -> list[float]:
        """How many times less CPU time it took than another, round by round."""
        return [theirs.cpu / mine.cpu for mine, theirs in zip(self.costs[of], self.costs[to], strict=True)]

    def wall_ratios(self, of: str, to: str) -> list[float]:
        return [theirs.wall / mine.wall for mine, theirs in zip(self.costs[of], self.costs[to], strict=True)]


def spread(values: Sequence[float]) -> str:
    return f"**{median(values):.2f}** ({min(values):.2f}-{max(values):.2f})"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads), flush=True)
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def forget_peak() -> float:
    """MiB in use now; Linux can begin the peak anew, so that what importing and loading took for a moment is not in it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return peak_mib()
    return _status_mib("VmRSS")


def peak_mib() -> float:
    if Path("/proc/self/status").is_file():
        return _status_mib("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _status_mib(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 2**10


def machine(*others: str) -> str:
    """The processor, its load, and versions, with those of the libraries compared."""
    import peft  # here, so that what measures arrays alone has no torch in its memory
    import torch
    import transformers

    versions = (
        f"torch {torch.__version__}",
        f"transformers {transformers.__version__}",
        f"peft {peft.__version__}",
        *others,
    )
    return (
        f"{processor()}, {torch.get_num_threads()} thread(s), float32; "
        f"Python {platform.python_version()}, {', '.join(versions)}"
    )


def processor() -> str:
    """Its name, cores and load."""
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").is_file():
        named = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        name = named[0].partition(":")[2].strip() if named else name
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return f"{name}, {os.cpu_count()} cores, load {load} at the start"
