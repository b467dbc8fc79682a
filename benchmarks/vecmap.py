"""How long one self-learning step of VecMap takes, against a plain blocked float32 product of the same vocabularies.

    python benchmarks/vecmap.py [--words 20000] [--width 300] [--keep 0.1 0.4 1] [--rounds 3] [--threads 1] [--quick]

A step is what is repeated: map the source, find the density of every word of both languages, choose every word's best
among the candidates kept, fit the rotation. All are timed in turns, in one process; printed are medians in seconds and
ratios to the product of the same round, with their range. The spaces are those of benchmarks/retrieval.py. The product
is made 256 rows at a time, once. The authors' code makes four products of this size a step.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from statistics import median

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--words", type=int, default=20_000, help="of each vocabulary")
parser.add_argument("--width", type=int, default=300)
parser.add_argument("--keep", type=float, nargs="+", default=[0.1, 0.4, 1.0], help="shares of candidates kept")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--noise", type=float, default=1.5, help="of the spaces")
parser.add_argument("--quick", action="store_true", help="5,000 words, 2 rounds")
told = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(told.threads)  # before NumPy is loaded

import numpy as np  # noqa: E402

from crossgraft.embeddings.mapping._induction import Schedule, self_learnt  # noqa: E402
from crossgraft.embeddings.space import Vectors, unit  # noqa: E402

BLOCK = 256


def spaces(words: int, width: int, noise: float) -> tuple[Vectors, Vectors]:
    """Translations share a row; a common direction, stronger in frequent words, makes hubs."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(words, width)).astype(np.float32)
    pull = (3 / np.log(np.arange(words) + np.e))[:, None].astype(np.float32) * rng.normal(size=width).astype(np.float32)
    sides = (shared + pull + noise * rng.normal(size=(words, width)).astype(np.float32) for _ in range(2))
    source, target = (unit(side) for side in sides)
    return source, target


def plain(x: Vectors, y: Vectors) -> None:
    out = np.empty((BLOCK, len(y)), dtype=np.float32)
    for start in range(0, len(x), BLOCK):
        part = x[start : start + BLOCK]
        np.matmul(part, y.T, out=out[: len(part)])


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    if told.quick:
        told.words, told.rounds = 5_000, 2
    print(f"NumPy {np.__version__}, Python {sys.version.split()[0]}, {told.threads} threads, {os.cpu_count()} cores")
    print(f"{told.words:,} words a side, {told.width} dimensions")
    x, y = spaces(told.words, told.width, told.noise)
    rotation = np.eye(told.width)
    works: dict[str, Callable[[], object]] = {f"plain product, {BLOCK} rows a block": lambda: plain(x, y)}
    for keep in told.keep:
        rng = np.random.default_rng(1)
        works[f"a step that keeps {keep:g}"] = lambda keep=keep, rng=rng: self_learnt(  # type: ignore[misc]
            x, y, rotation, Schedule(keep=keep, rounds=1), rng
        )
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(told.rounds + 1):  # the first warms up
        for name, work in works.items():
            times[name].append(seconds(work))
    products, *_ = (found[1:] for found in times.values())
    for name, (_, *found) in times.items():
        ratios = [one / product for one, product in zip(found, products, strict=True)]
        print(
            f"{name:34} {median(found):8.2f} s   x {median(ratios):5.2f}  ({min(ratios):.2f} to {max(ratios):.2f}, "
            f"n = {len(found)})"
        )


if __name__ == "__main__":
    main()
