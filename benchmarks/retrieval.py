"""How long retrieval takes, against a plain blocked float32 product of the same matrices.

    python benchmarks/retrieval.py [--words 200000] [--queries 2000] [--rounds 5] [--threads 1] [--quick]

All are timed in turns, in one process; printed are medians in seconds and ratios to the product of the same round,
with their range. The densities of CSLS are measured on a slice of the targets, against the product of that slice, and
scaled to all of them. The spaces are random: a shared part and noise, with frequent words nearer to the mean, as in
real ones, so that there are hubs and about half of the queries find their translation. The product is also timed with
blocks of other heights, and the quickest is the reference.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from statistics import median

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--words", type=int, default=200_000, help="of each vocabulary")
parser.add_argument("--width", type=int, default=300)
parser.add_argument("--queries", type=int, default=2_000)
parser.add_argument("--slice", type=int, default=4_096, help="targets of which the density of CSLS is measured")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--noise", type=float, nargs="+", default=[1.5], help="of the spaces; more makes lazy CSLS harder")
parser.add_argument("--no-lazy", action="store_true", help="leave out lazy CSLS, which takes longest")
parser.add_argument("--quick", action="store_true", help="20,000 words, 500 queries, 2 rounds")
told = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(told.threads)  # before NumPy is loaded

import numpy as np  # noqa: E402

from crossgraft.embeddings.retrieval import csls_nearest, nearest, ranking, top_means  # noqa: E402
from crossgraft.embeddings.space import Vectors, unit  # noqa: E402

HEIGHTS = (256, 512, 1024)


def spaces(words: int, width: int, noise: float) -> tuple[Vectors, Vectors]:
    """Translations share a row; a common direction, stronger in frequent words, makes hubs."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(words, width)).astype(np.float32)
    pull = (3 / np.log(np.arange(words) + np.e))[:, None].astype(np.float32) * rng.normal(size=width).astype(np.float32)
    sides = (shared + pull + noise * rng.normal(size=(words, width)).astype(np.float32) for _ in range(2))
    source, target = (unit(side) for side in sides)
    return source, target


def plain(queries: Vectors, targets: Vectors, height: int) -> None:
    out = np.empty((height, len(targets)), dtype=np.float32)
    for start in range(0, len(queries), height):
        part = queries[start : start + height]
        np.matmul(part, targets.T, out=out[: len(part)])


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turns(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):  # the first warms up
        for name, work in works.items():
            times[name].append(seconds(work))
    return {name: found[1:] for name, found in times.items()}


def show(times: dict[str, list[float]], reference: str) -> None:
    for name, found in times.items():
        ratios = [one / plain for one, plain in zip(found, times[reference], strict=True)]
        print(
            f"{name:34} {median(found):8.2f} s   x {median(ratios):5.2f}  ({min(ratios):.2f} to {max(ratios):.2f}, "
            f"n = {len(found)})",
            flush=True,
        )


def lazy(source: Vectors, target: Vectors, rows: np.ndarray, product_rate: float, density_ratio: float) -> None:
    """Lazy CSLS once, against the full pass as it would take at the rates measured above."""
    found = None

    def work() -> None:
        nonlocal found
        found = csls_nearest(rows, source, target, 10)

    took = seconds(work)
    full = product_rate * len(source) * len(target) * density_ratio + product_rate * len(rows) * len(target)
    assert found is not None
    right = float(np.mean(found.rows[:, 0] == rows))
    print(
        f"lazy CSLS, P@1 {right:.2f}: {took:.1f} s; the full pass, scaled: {full:.1f} s; {full / took:.1f} times faster",
        flush=True,
    )


def main() -> None:
    if told.quick:
        told.words, told.queries, told.slice, told.rounds = 20_000, 500, 2_048, 2
    print(f"NumPy {np.__version__}, Python {sys.version.split()[0]}, {told.threads} threads, {os.cpu_count()} cores")
    print(f"{told.words:,} words a side, {told.width} dimensions, {told.queries:,} queries")
    source, target = spaces(told.words, told.width, told.noise[0])
    rows = np.sort(np.random.default_rng(1).choice(told.words, told.queries, replace=False))
    queries, golds = source[rows], [[int(row)] for row in rows]
    heights = in_turns({str(one): lambda one=one: plain(queries, target, one) for one in HEIGHTS}, 2)  # type: ignore[misc]
    best = min(HEIGHTS, key=lambda one: median(heights[str(one)]))
    name = f"plain product, {best} rows a block"
    works: dict[str, Callable[[], object]] = {
        name: lambda: plain(queries, target, best),
        "gold ranks": lambda: ranking(queries, target, golds, k=0),
        "gold ranks and top 10": lambda: ranking(queries, target, golds, k=10),
        "top 10": lambda: nearest(queries, target, 10),
    }
    show(in_turns(works, told.rounds), name)
    some = target[rows[0] :][: told.slice]
    name = f"plain product of {len(some):,} targets"
    works = {name: lambda: plain(some, source, best), "their density for CSLS": lambda: top_means(some, source, 10)}
    times = in_turns(works, told.rounds)
    show(times, name)
    rate = median(times[name]) / len(some) / len(source)
    ratio = median(times["their density for CSLS"]) / median(times[name])
    everything = rate * len(source) * len(target)
    print(f"of all targets, scaled: {everything:.0f} s the product, {everything * ratio:.0f} s the densities")
    if told.no_lazy:
        return
    for noise in told.noise:
        lazy(*spaces(told.words, told.width, noise), rows, rate, ratio)


if __name__ == "__main__":
    main()
