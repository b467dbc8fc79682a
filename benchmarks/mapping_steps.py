"""How long one step of each iterative mapping method takes, over the matrix products that the step needs.

    python benchmarks/mapping_steps.py [--words 12000] [--width 100] [--pairs 1000] [--rounds 3] [--threads 1] [METHOD …]

A step is what a method repeats. Its products are made plainly in NumPy, in tiles that stay in the cache, or whole where
they are small; step and products take turns in one process, and printed are seconds of the processor and the ratio
within a round, with its range. Each ratio has a mark, about one and a half times what was measured when it was set: a
step that misses it does something that its products do not explain.

The vectors are random: translations share a row, and a common direction, stronger in frequent words, makes hubs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("methods", nargs="*", metavar="METHOD", help="such as proc-b:csls; all if none is named")
parser.add_argument("--words", type=int, default=12_000, help="of each vocabulary")
parser.add_argument("--width", type=int, default=100)
parser.add_argument("--pairs", type=int, default=1_000, help="of the dictionary")
parser.add_argument("--noise", type=float, default=1.5, help="of the spaces")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--threads", type=int, default=1)
told = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(told.threads)  # before NumPy is loaded

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from measuring import Turns, processor, spread, table  # noqa: E402

from crossgraft.embeddings.mapping import Mapping  # noqa: E402
from crossgraft.embeddings.mapping.dlv import DLV  # noqa: E402
from crossgraft.embeddings.mapping.fipp import FIPP  # noqa: E402
from crossgraft.embeddings.mapping.gromov_wasserstein import GromovWasserstein, distances  # noqa: E402
from crossgraft.embeddings.mapping.icp import closest_points, principal  # noqa: E402
from crossgraft.embeddings.mapping.muse import MUSE  # noqa: E402
from crossgraft.embeddings.mapping.proc_b import ProcB  # noqa: E402
from crossgraft.embeddings.mapping.rcsls import RCSLS  # noqa: E402
from crossgraft.embeddings.mapping.steps.contrastive import Descent, descended  # noqa: E402
from crossgraft.embeddings.mapping.steps.induction import Schedule, self_learnt  # noqa: E402
from crossgraft.embeddings.mapping.steps.refinement import refined  # noqa: E402
from crossgraft.embeddings.spaces.space import Space, Vectors, unit  # noqa: E402

TILE = 1024
TRANSPORTED, FEW = 500, 5_000  # words that Gromov–Wasserstein couples, and that ICP matches

Matrix = npt.NDArray[np.floating]
Work = Callable[[], object]


@dataclass(frozen=True)
class Step:
    """What a method repeats, and the pairs of matrices whose products it cannot do without."""

    what: str
    run: Work
    products: tuple[tuple[Matrix, Matrix], ...]
    mark: float

    def plain(self) -> None:
        for x, y in self.products:
            tiled(x, y)


def spaces(words: int, width: int, noise: float) -> tuple[Vectors, Vectors]:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(words, width)).astype(np.float32)
    pull = (3 / np.log(np.arange(words) + np.e))[:, None].astype(np.float32) * rng.normal(size=width).astype(np.float32)
    sides = (shared + pull + noise * rng.normal(size=(words, width)).astype(np.float32) for _ in range(2))
    source, target = (unit(side) for side in sides)
    return source, target


def tiled(x: Matrix, y: Matrix) -> None:
    """The product ``x @ yᵀ``, which nobody keeps."""
    out = np.empty((min(TILE, len(x)), min(TILE, len(y))), dtype=x.dtype)
    for row in range(0, len(x), TILE):
        some = x[row : row + TILE]
        for column in range(0, len(y), TILE):
            others = y[column : column + TILE]
            np.matmul(some, others.T, out=out[: len(some), : len(others)])


def steps(x: Vectors, y: Vectors, pairs: npt.NDArray[np.int64]) -> dict[str, Step]:
    words = tuple(map(str, range(len(x))))
    source, target = Space(words, x), Space(words, y)
    w = np.eye(x.shape[1])
    rng = np.random.default_rng(1)
    few_x, few_y = principal(x[:FEW], 25), principal(y[:FEW], 25)
    known_x, known_y = x[pairs[:, 0]], y[pairs[:, 1]]
    a, b = (
        distances(principal(side[:TRANSPORTED], 5)) for side in (x, y)
    )  # of some shape, unlike noise in many dimensions
    gw = GromovWasserstein(words=TRANSPORTED, rounds=1)
    gram = known_x.astype(np.float64) @ known_x.T
    muse = MUSE(refinements=1, paired=len(x), judged=min(10_000, len(x)))

    def fitted(method: ProcB | DLV | RCSLS | FIPP) -> Work:
        return lambda: method.fit(source, target, pairs, rng)

    def learnt(keep: float) -> Work:
        return lambda: self_learnt(x, y, w, Schedule(keep=keep, rounds=1), rng)

    whole, dictionary = (x, y), ((known_x, y), (known_y, x))
    return {
        "vecmap": Step("self-learning, candidates kept .1", learnt(0.1), (whole,), 6.5),
        "vecmap, all candidates": Step("self-learning, all candidates", learnt(1.0), (whole,), 6),
        "muse": Step("refinement and criterion", lambda: muse._refined(w, x, y), (whole,), 12),
        "icp": Step(
            "matches in 25 dimensions", lambda: closest_points(few_x, few_y, np.eye(25), 1), ((few_x, few_y),), 5.5
        ),
        "icp, refinement": Step("mutual neighbours", lambda: refined(x, y, w, 1), (whole,), 2.5),
        "proc-b": Step("mutual neighbours", fitted(ProcB()), (whole,), 2.5),
        "proc-b:csls": Step("mutual neighbours by CSLS", fitted(ProcB("csls", rounds=1)), (whole,), 7.5),
        "dlv": Step("matching of all words", fitted(DLV(rounds=1)), (whole,), 5.5),
        "rcsls": Step("loss, twice", fitted(RCSLS(iterations=1)), 2 * dictionary, 3.5),
        "c1": Step(
            "loss and gradient",
            lambda: descended(x, y, pairs, Mapping(), Descent(1, 1.5, 0.99, 0.15, 60)),
            dictionary,
            13,
        ),
        "gromov-wasserstein": Step("36 rounds of cost and transport", lambda: gw._couple(a, b), 72 * ((a, b),), 3.5),
        "fipp": Step("the whole fit, which has no steps", fitted(FIPP()), ((gram, gram),), 7),
    }


def main() -> None:
    x, y = spaces(told.words, told.width, told.noise)
    pairs = np.stack([np.arange(told.pairs)] * 2, axis=1)
    found = steps(x, y, pairs)
    if unknown := set(told.methods) - set(found):
        raise SystemExit(f"expected methods of {', '.join(found)}; got {', '.join(sorted(unknown))}")
    print(f"NumPy {np.__version__}, Python {sys.version.split()[0]}, {told.threads} thread(s), {processor()}")
    print(f"{told.words:,} words a side, {told.width} dimensions, {told.pairs:,} pairs")
    rows = []
    for name in told.methods or found:
        step = found[name]
        turns = Turns({"step": step.run, "products": step.plain}).take(1)  # warm
        turns.costs.clear()
        turns.take(told.rounds)
        ratios = turns.ratios("products", "step")
        kept = "kept" if sorted(ratios)[len(ratios) // 2] <= step.mark else "MISSED"
        rows.append([name, step.what, f"{turns.cpu('step'):.2f}", spread(ratios), f"{step.mark:g}: {kept}"])
    table(["method", "a step", "seconds", "× its products", "mark"], rows)


if __name__ == "__main__":
    main()
