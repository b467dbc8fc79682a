"""How often a remedy is called better where it is not: an adapter and half of it, which lies on the line to the base.

    python benchmarks/simulations/remedies.py [--grids 200]

Two simulators that share no code: ``crossgraft.transfer.synthetic`` and ``tests/other_grids.py``. The truth at half the scale is half
of every change, so "better at equal gain" is false; under "kept" half the scale keeps the gain and does no harm, so it is true.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.questions.effects.remedies import curves
from crossgraft.core import Floats, Point, Treatment
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from other_grids import OtherGrid

GAIN, HARM = 16.0, -9.0  # percentage points of the whole adapter: on its source, on every other target
HALVES = {"on the line": (GAIN / 2, HARM / 2), "kept": (GAIN, 0.0)}


def adapters(source: Point) -> tuple[Treatment, Treatment]:
    whole = Treatment("m", str(source), "trained", source)
    return whole, replace(whole, kind="derived", recipe=(("scale", 0.5),))


def changes(points: tuple[Point, ...], half: tuple[float, float]) -> Floats:
    """(2 adapters, targets), the first target the source."""
    return np.array([[gain, *[harm] * (len(points) - 1)] for gain, harm in ((GAIN, HARM), half)])


@dataclass(frozen=True)
class Synthetic(SyntheticGrid):
    half: tuple[float, float] = HALVES["on the line"]

    def rows(self, model: int) -> tuple[Treatment, ...]:  # noqa: ARG002
        return adapters(self.points[0])

    def truth(self, seed: int) -> Floats:  # noqa: ARG002
        return changes(self.points, self.half)


@dataclass(frozen=True)
class Other(OtherGrid):
    half: tuple[float, float] = HALVES["on the line"]

    def row(self, model: int, source: int) -> Treatment:  # noqa: ARG002
        return adapters(self.points[0])[source]

    @property
    def source_places(self) -> list[int]:
        return [0, 0]

    def _true_changes(self, rng: np.random.Generator) -> tuple[Floats, Floats]:  # noqa: ARG002
        common = changes(self.points, self.half)
        return common, common[None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=200)
    count = parser.parse_args().grids
    for name, half in HALVES.items():
        synthetic = Synthetic(models=1, tasks=2, languages=2, items=400, fragile=0.6, seeds=2, half=half)
        other = Other(models=1, tasks=2, languages=2, sources=2, items=400, seeds=2, half=half)
        report(f"{name}, synthetic", (synthetic.matrix(seed) for seed in range(count)))
        report(f"{name}, other", (other.draw(seed).matrix for seed in range(count)))


def report(name: str, matrices: Iterable[TransferMatrix]) -> None:
    found = [curve.remedies[0] for matrix in matrices for curve in curves(Evidence(matrix))]
    called = np.array([remedy.is_better for remedy in found])
    excess = [remedy.excess for remedy in found if remedy.excess]
    spread = np.std([one.mean for one in excess])
    error = np.mean([one.error for one in excess])
    share, noise = called.mean(), np.sqrt(called.mean() * (1 - called.mean()) / len(called))
    print(
        f"{name}: called better in {share:.3f} ± {noise:.3f} of {len(called)}; error {error / spread:.2f} of the spread"
    )


if __name__ == "__main__":
    main()
