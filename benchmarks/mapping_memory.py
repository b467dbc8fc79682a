"""How much memory mapping methods take at their peak: PROC-B and DLV, with 200,000 words a side.

    python benchmarks/mapping_memory.py [--words 200000] [--width 300] [--pairs 1000] [--mark 2000] [METHOD …]

Each fit is a process of its own; printed are its peak of resident memory, what of it lies above both matrices of
vectors, and the seconds of the processor. The mark, in MB, is on the whole. Peaks before the fit, of making the vectors,
are below: they are made in place. A method of several rounds is given one: the peak is the same in each.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time

METHODS = {
    "proc-b": {},
    "proc-b:csls": {"rounds": 1},
    "dlv": {"rounds": 1},
    "dlv, all words": {"rounds": 1, "search": 10**9},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", metavar="METHOD", help=f"of {', '.join(METHODS)}")
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--width", type=int, default=300)
    parser.add_argument("--pairs", type=int, default=1_000, help="of the dictionary")
    parser.add_argument("--mark", type=float, default=2_000.0, help="MB")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.child:
        print(json.dumps(measured(told.child, told.words, told.width, told.pairs)))
        return
    vectors = 2 * told.words * told.width * 4 / 1e6
    print(f"{told.words:,} words a side, {told.width} dimensions: {vectors:.0f} MB of vectors; {told.pairs:,} pairs")
    for method in told.methods or METHODS:
        found = in_a_child(method, sys.argv[1:])
        kept = "kept" if found["peak"] < told.mark else "MISSED"
        print(
            f"{method:16} {found['peak']:6.0f} MB at the peak, {found['peak'] - vectors:5.0f} above the vectors; "
            f"{found['seconds']:5.0f} s   mark {told.mark:.0f}: {kept}",
            flush=True,
        )


def in_a_child(method: str, arguments: list[str]) -> dict[str, float]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, __file__, *arguments, "--child", method],
        env=os.environ | threads,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measured(method: str, words: int, width: int, pairs: int) -> dict[str, float]:
    """Peak in MB, and seconds of the processor, of one fit to two random spaces that share half of their variance."""
    import numpy as np

    from crossgraft.embeddings.mapping import mapper
    from crossgraft.embeddings.spaces.space import Space

    rng = np.random.default_rng(0)
    sides = [np.empty((words, width), dtype=np.float32) for _ in range(2)]
    for start in range(0, words, 4096):
        shared = rng.standard_normal((min(4096, words - start), width), dtype=np.float32)
        for side in sides:
            block = shared + rng.standard_normal(shared.shape, dtype=np.float32)
            side[start : start + 4096] = block / np.linalg.norm(block, axis=1, keepdims=True)
    names = tuple(str(row) for row in range(words))
    source, target = (Space(names, side) for side in sides)
    rows = np.arange(pairs)
    started = time.process_time()
    chosen = mapper(method.partition(",")[0], METHODS[method])
    chosen.fit(source, target, np.stack([rows, rows], axis=1), rng)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "peak": peak * (1 if sys.platform == "darwin" else 1024) / 1e6,
        "seconds": time.process_time() - started,
    }


if __name__ == "__main__":
    main()
