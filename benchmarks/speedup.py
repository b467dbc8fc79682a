"""Two workers on two cores against one of one thread: ``python benchmarks/speedup.py [--repeats 3] [--seeds 8]``.

A real study, on the model almanac:llama-small: four sources, eight seeds, four targets. Both ways take turns, each in an empty store, and the
ratio of every pair of runs is printed with the load of the machine at its begin, without these runs. A machine that is at
work with something else gives too low a ratio. It ends with an error if the records of the two ways differ.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = """study = "adapters"
name = "speedup"
seeds = SEEDS

[models]
llama-small = { path = "almanac:llama-small", family = "llama", billions = 0.0016 }

[tasks]
currency = { kind = "almanac", about = "currency" }
sums = { kind = "almanac", about = "sums" }

[grid]
sources = ["currency/de", "currency/ru", "sums/fr", "sums/de"]
targets = ["currency/de", "currency/ru", "sums/fr", "sums/de"]
train_items = 150
test_items = 150

[recipe]
rank = 16
alpha = 32
learning_rate = 2e-3
epochs = 4
batch = 16
"""
WAYS = {"one worker": ("inline",), "two workers": ("processes", "--workers", "2")}


def seconds(spec: Path, out: Path, way: tuple[str, ...]) -> float:
    """Of the whole command, with its imports and the loading of the model."""
    command = [sys.executable, "-m", "crossgraft", "run", spec, "--out", out, "--threads", "1", "--device", "cpu"]
    begun = time.perf_counter()
    subprocess.run([*command, "--executor", *way], check=True, capture_output=True)
    return time.perf_counter() - begun


def answers(out: Path) -> dict[str, object]:
    from crossgraft.runs.storage.store import Store

    return {f"{record.id}.{record.pairing.id}": record.answers for record in Store(out).read()[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=8, help="more of them, and the start of the workers counts less")
    asked = parser.parse_args()
    ratios = []
    for number in range(asked.repeats):
        with tempfile.TemporaryDirectory() as place:
            spec, load, took = Path(place) / "study.toml", os.getloadavg()[0], {}
            spec.write_text(STUDY.replace("SEEDS", str([*range(1, asked.seeds + 1)])))
            for name, way in WAYS.items() if number % 2 else reversed(WAYS.items()):
                took[name] = seconds(spec, Path(place) / name, way)
            if answers(Path(place) / "one worker") != answers(Path(place) / "two workers"):
                raise SystemExit("the records of one worker and of two differ")
        ratios.append(took["one worker"] / took["two workers"])
        each = ", ".join(f"{name} {took[name]:.1f} s" for name in WAYS)
        print(f"load {load:.1f} on {os.cpu_count()} cores: {each}, ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
