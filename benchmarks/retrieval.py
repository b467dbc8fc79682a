"""How long retrieval takes, against plain float32 products of the same matrices, and whether it keeps its marks.

    python benchmarks/retrieval.py [--words 200000] [--queries 2000] [--rounds 3] [--threads 1] [--quick]

All are timed in turns, in one process; printed are medians in seconds of processor time, so that neighbours on the
machine count little, and ratios to the product of the same round, with their range. The product is timed in blocks of
rows, as wide as the vocabulary, and in square tiles that stay in the cache; the quickest of all is the reference.

CSLS needs the product of all targets with all sources, and that of the queries with the targets; both are its reference.
It is timed whole on a part of the vocabularies, and on all words for a slice of the targets, scaled to all of them.

The spaces are random: a shared part and noise, with frequent words nearer to the mean, as in real ones, so that there
are hubs. Lazy CSLS depends on how hard they are: it is timed for each noise, with the share of right answers.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--words", type=int, default=200_000, help="of each vocabulary")
parser.add_argument("--width", type=int, default=300)
parser.add_argument("--queries", type=int, default=2_000)
parser.add_argument("--slice", type=int, default=4_096, help="targets of which the density of CSLS is measured")
parser.add_argument("--part", type=int, default=30_000, help="words of each vocabulary on which CSLS is timed whole")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--noise", type=float, nargs="+", default=[1.5, 2.0, 3.0], help="more makes lazy CSLS harder")
parser.add_argument("--no-lazy", action="store_true", help="leave out lazy CSLS on all words, which takes longest")
parser.add_argument("--quick", action="store_true", help="20,000 words, 500 queries")
told = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(told.threads)  # before NumPy is loaded

import numpy as np  # noqa: E402

from crossgraft.embeddings.retrieval import (  # noqa: E402
    Neighbours,
    csls_nearest,
    csls_penalty,
    nearest,
    ranking,
    top_means,
)
from crossgraft.embeddings.spaces.space import Vectors, unit  # noqa: E402

HEIGHTS = (256, 512, 1024)
TILE = 1024

Work = Callable[[], object]
Times = dict[str, list[float]]


@dataclass(frozen=True)
class Task:
    """Two spaces, and queries whose translations have the same rows."""

    source: Vectors
    target: Vectors
    rows: np.ndarray

    @classmethod
    def of(cls, words: int, noise: float) -> Task:
        """Translations share a row; a common direction, stronger in frequent words, makes hubs."""
        rng = np.random.default_rng(0)
        shared = rng.normal(size=(words, told.width)).astype(np.float32)
        strength = (3 / np.log(np.arange(words) + np.e))[:, None].astype(np.float32)
        pull = strength * rng.normal(size=told.width).astype(np.float32)
        sides = (shared + pull + noise * rng.normal(size=shared.shape).astype(np.float32) for _ in range(2))
        source, target = (unit(side) for side in sides)
        rows = np.random.default_rng(1).choice(words, min(told.queries, words), replace=False)
        return cls(source, target, np.sort(rows))

    @property
    def queries(self) -> Vectors:
        return np.asarray(self.source[self.rows])


def in_rows(queries: Vectors, targets: Vectors, height: int) -> None:
    out = np.empty((height, len(targets)), dtype=np.float32)
    for start in range(0, len(queries), height):
        part = queries[start : start + height]
        np.matmul(part, targets.T, out=out[: len(part)])


def in_tiles(queries: Vectors, targets: Vectors) -> None:
    out = np.empty((TILE, TILE), dtype=np.float32)
    for start in range(0, len(queries), TILE):
        part = queries[start : start + TILE]
        for first in range(0, len(targets), TILE):
            other = targets[first : first + TILE]
            np.matmul(part, other.T, out=out[: len(part), : len(other)])


def quickest_product(queries: Vectors, targets: Vectors) -> tuple[str, Callable[[Vectors, Vectors], None]]:
    ways: dict[str, Callable[[Vectors, Vectors], None]] = {
        f"in blocks of {height} rows": lambda x, y, height=height: in_rows(x, y, height)  # type: ignore[misc]
        for height in HEIGHTS
    }
    ways[f"in tiles of {TILE} × {TILE}"] = in_tiles
    times = in_turns({name: lambda way=way: way(queries, targets) for name, way in ways.items()}, 2)  # type: ignore[misc]
    for name, found in times.items():
        print(f"plain product {name:24} {median(found):8.2f} s")
    best = min(ways, key=lambda name: median(times[name]))
    return best, ways[best]


def seconds(work: Work) -> float:
    """Of the processor."""
    started = time.process_time()
    work()
    return time.process_time() - started


def in_turns(works: dict[str, Work], rounds: int) -> Times:
    """The first round only warms up."""
    times: Times = {name: [] for name in works}
    for number in range(rounds + 1):
        for name in [*works][:: 1 if number % 2 else -1]:  # nobody is always first
            times[name].append(seconds(works[name]))
    return {name: found[1:] for name, found in times.items()}


def show(name: str, found: Sequence[float], reference: Sequence[float], mark: float | None = None) -> None:
    ratios = [one / plain for one, plain in zip(found, reference, strict=True)]
    kept = "" if mark is None else f"   mark {mark}: {'kept' if median(ratios) <= mark else 'MISSED'}"
    spread = f"({min(ratios):.2f} to {max(ratios):.2f}, n = {len(ratios)})"
    print(f"{name:38} {median(found):8.2f} s   × {median(ratios):5.2f} {spread}{kept}", flush=True)


def ranks(task: Task, product: Callable[[Vectors, Vectors], None]) -> None:
    queries, golds = task.queries, [[int(row)] for row in task.rows]
    works: dict[str, Work] = {
        "the product": lambda: product(queries, task.target),
        "gold ranks": lambda: ranking(queries, task.target, golds, k=0, device="cpu"),
        "gold ranks and top 10": lambda: ranking(queries, task.target, golds, k=10, device="cpu"),
        "top 10": lambda: nearest(queries, task.target, 10, device="cpu"),
    }
    times = in_turns(works, told.rounds)
    for (name, found), mark in zip(times.items(), (None, 1.3, 2.0, None), strict=True):
        show(name, found, times["the product"], mark)


def csls_whole(task: Task, product: Callable[[Vectors, Vectors], None]) -> None:
    queries, golds = task.queries, [[int(row)] for row in task.rows]

    def products() -> None:
        product(task.target, task.source)
        product(queries, task.target)

    def full() -> None:
        penalty = csls_penalty(task.source, task.target, 10, device="cpu")
        ranking(queries, task.target, golds, k=10, penalty=penalty, device="cpu")

    def best_only() -> None:
        csls_nearest(task.source[task.rows], task.source, task.target, 10, crowd=task.rows, device="cpu")

    print(f"\nCSLS of {len(task.target):,} targets among {len(task.source):,} sources")
    times = in_turns(
        {"both products": products, "CSLS ranks": full, "lazy CSLS, the best only": best_only}, told.rounds
    )
    for (name, found), mark in zip(times.items(), (None, 1.6, None), strict=True):
        show(name, found, times["both products"], mark)


def csls_sliced(tasks: Sequence[Task], product: Callable[[Vectors, Vectors], None]) -> None:
    """The full pass at the rate of a slice, in turns with lazy CSLS on all words."""
    first = tasks[0]
    some = first.target[:: max(1, len(first.target) // told.slice)][: told.slice]
    queries = first.queries
    works: dict[str, Work] = {
        "product": lambda: product(some, first.source),
        "densities": lambda: top_means(some, first.source, 10, device="cpu"),
        "queries": lambda: product(queries, first.target),
    }
    if not told.no_lazy:
        works |= {f"lazy {place}": lambda one=one: _lazily(one) for place, one in enumerate(tasks)}  # type: ignore[misc]
    works["one word"] = lambda: _five_best(first)
    times = in_turns(works, told.rounds)
    scale = len(first.target) / len(some)
    least = np.array(times["queries"])
    products, full = (scale * np.array(times[name]) + least for name in ("product", "densities"))
    print(f"\nCSLS of {len(first.target):,} targets, scaled from {len(some):,} of them")
    show("both products", products.tolist(), products.tolist())
    show("full CSLS", full.tolist(), products.tolist(), 1.6)
    for place, one in enumerate(tasks if not told.no_lazy else ()):
        found = times[f"lazy {place}"]
        faster = [whole / lazy for whole, lazy in zip(full, found, strict=True)]
        right = np.mean(_lazily(one).rows[:, 0] == one.rows)
        print(
            f"lazy CSLS where P@1 is {right:.2f}{'':14} {median(found):8.2f} s   the full pass takes "
            f"{median(faster):.1f} times as long ({min(faster):.1f} to {max(faster):.1f}, n = {len(faster)})"
            f"   mark 2: {'kept' if median(faster) >= 2 else 'MISSED'}",
            flush=True,
        )

    faster = [whole / lazy for whole, lazy in zip(full, times["one word"], strict=True)]
    print(
        f"five best of one word, lazily {median(times['one word']):17.2f} s   the full pass: {median(faster):.0f} times as long"
    )


def _five_best(task: Task) -> Neighbours:
    one = task.rows[:1]
    return csls_nearest(task.source[one], task.source, task.target, 10, count=5, crowd=one, device="cpu")


def _lazily(task: Task) -> Neighbours:
    return csls_nearest(task.source[task.rows], task.source, task.target, 10, crowd=task.rows, device="cpu")


def main() -> None:
    if told.quick:
        told.words, told.queries, told.slice, told.part = 20_000, 500, 2_048, 10_000
    print(f"NumPy {np.__version__}, Python {sys.version.split()[0]}, {told.threads} thread(s), {os.cpu_count()} cores")
    print(f"{told.words:,} words a side, {told.width} dimensions, {told.queries:,} queries; seconds of the processor\n")
    task = Task.of(told.words, told.noise[0])
    name, product = quickest_product(task.queries, task.target)
    print(f"the reference is the product {name}\n")
    ranks(task, product)
    csls_whole(Task.of(min(told.part, told.words), told.noise[0]), product)
    csls_sliced([task, *(Task.of(told.words, noise) for noise in told.noise[1:])], product)


if __name__ == "__main__":
    main()
