"""Noise in the base's score, probabilities of being first, and warnings: what is said against what is true, on two simulators.

python benchmarks/simulations/calibration.py [--grids 200] [--part base first gates clusters pattern]

"synthetic" is crossgraft.transfer.synthetic, all others are tests/other_grids.py, which shares no code with it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from counting import line

from crossgraft.analysis.checks.gates import gates
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.base.noise import base_noise
from crossgraft.analysis.questions.roles.patterns import patterns
from crossgraft.analysis.questions.roles.scores import Roles, roles
from crossgraft.analysis.questions.roles.two_way import fits
from crossgraft.stats.resampling.clustered import clustered
from crossgraft.transfer.changes import Place
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from other_grids import Effects, OtherGrid

Grid = SyntheticGrid | OtherGrid
Truth = Mapping[Place, float]
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)

OTHER = OtherGrid(models=1, tasks=3, languages=4, items=150)
EFFECTS = Effects(source=1, target=1, task_pair=0.5, pair=0.5, cell=1, same_task=2, same_task_spread=1)
SYNTHETIC = SyntheticGrid(models=1, tasks=3, languages=4, seeds=2, items=150, seed=0.5)


def drawn(grid: Grid, seed: int) -> tuple[TransferMatrix, Truth]:
    if isinstance(grid, OtherGrid):
        found = grid.draw(seed)
        return found.matrix, found.truth.cells
    matrix, truth = grid.matrix(seed), grid.truth(seed)
    places = ((m, row, t, target) for m, row in enumerate(matrix.rows) for t, target in enumerate(matrix.columns))
    return matrix, {(row, target): float(truth[m, t]) for m, row, t, target in places}


def base(grids: int) -> None:
    """Variance between targets without the base's noise, and recipients against their true means."""
    kinds = {
        "0 and 1": OTHER,
        "graded": replace(OTHER, graded=0.6),
        "declared passages": replace(OTHER, passage=5),
        "synthetic": SYNTHETIC,
    }
    for name, grid in kinds.items():
        for planted in (0.0, 1.0):
            own = (
                replace(grid, effects=Effects(target=planted))
                if isinstance(grid, OtherGrid)
                else replace(grid, target=planted)
            )
            found: dict[str, list[float]] = {}
            for seed in range(grids):
                matrix, truth = drawn(own, seed)
                noise = next(iter(base_noise(Draws(matrix))))
                means: dict[str, list[float]] = {}
                for (row, target), value in truth.items():
                    if row.source != target:
                        means.setdefault(str(target), []).append(value)
                off = [(one.raw.mean - np.mean(means[str(one.target)]), one.corrected - np.mean(means[str(one.target)]))
                       for one in noise.recipients]  # fmt: skip
                raw, corrected = np.mean(np.square(off), axis=0)
                numbers = {
                    "variance between targets as it is, pp²": noise.between,
                    "without the base's noise, pp²": noise.corrected,
                    "standard deviation said of that noise, pp": float(
                        np.mean([one.noise for one in noise.recipients])
                    ),
                    "squared error of recipients as they are, pp²": float(raw),
                    "… corrected, pp²": float(corrected),
                }
                for what, number in numbers.items():
                    found.setdefault(what, []).append(number)
            print(f"{name}, planted {planted**2:g} pp² between targets, {grids} grids")
            for what, numbers_ in found.items():
                line(what, numbers_, f"{planted**2:g}" if what.startswith("without") else "")


def first(grids: int) -> None:
    """Stated against true: of the likeliest first, and by bins over all names."""
    effects = {"source": 1, "target": 1, "task_pair": 0.5, "same_task": 2, "cell": 1}
    kinds: dict[str, Grid] = {
        "synthetic": replace(SYNTHETIC, source_language=0.5, target_language=0.7, **effects),
        "other": replace(OTHER, languages=5, sources=10, effects=EFFECTS),
    }
    for name, grid in kinds.items():
        tops: dict[str, list[tuple[float, float]]] = {}
        every: dict[str, list[tuple[float, float]]] = {}
        for seed in range(grids):
            matrix, truth = drawn(grid, seed)
            draws = Draws(matrix)
            for table in roles(draws):
                if isinstance(table, Roles) and table.side != "donor less recipient":
                    true = _true_scores(table, draws, truth)
                    best = max(true, key=lambda one: true[one])
                    said = [(role.first or 0.0, float(role.name == best)) for role in table.roles]
                    tops.setdefault(f"{table.of}, {table.side}", []).append(max(said))
                    every.setdefault(table.side, []).extend(said)
        print(f"{name}: probability of being first, {grids} grids")
        for what, pairs in tops.items():
            line(f"{what}: stated", [stated for stated, _ in pairs])
            line(f"{what}: true", [right for _, right in pairs])
        for side, pairs in every.items():
            stated, right = np.array(pairs).T
            for low, high in pairwise(BINS):
                inside = (stated >= low) & (stated < high + (high == 1.0))
                if inside.any():
                    print(
                        f"  {side}, {low:.1f} to {high:.1f}: stated {stated[inside].mean():.2f}, true {right[inside].mean():.2f} of {inside.sum()}"
                    )


def _true_scores(table: Roles, draws: Draws, truth: Truth) -> dict[str, float]:
    if table.of == "points":
        ((_, fit),) = fits([cell for cell in draws.cells if cell.regime != "MT-ML"])
        assert fit is not None
        values = np.array([truth[cell.row, cell.target] for cell in fit.cells])
        donor = table.side == "donor"
        points = fit.sources if donor else fit.targets
        weights = fit.additive.donors if donor else fit.additive.recipients
        return dict(zip(map(str, points), (weights @ values).tolist(), strict=True))
    found: dict[str, list[float]] = {}
    regime = "MT-CL" if table.of == "languages" else "CT-ML"
    for (row, target), value in truth.items():
        assert row.source is not None
        if row.source.regime(target) == regime:
            point = row.source if table.side == "donor" else target
            found.setdefault(point.lang if table.of == "languages" else point.skill, []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def warnings(grids: int) -> None:
    """Studies without a fault that are warned of one."""
    studies: dict[str, Grid] = {
        f"{name}, {count} languages": replace(grid, models=2, tasks=4, languages=count, seeds=1)
        for name, grid in (("synthetic", SYNTHETIC), ("other", replace(OTHER, sources=5)))
        for count in (4, 6)
    }
    studies["graded, 4 languages"] = replace(OTHER, models=2, tasks=4, seeds=1, sources=5, graded=0.6)
    for name, grid in studies.items():
        failing = [{one.name for one in gates(drawn(grid, seed)[0]) if not one.fine} for seed in range(grids)]
        print(f"{name}: studies without a fault that are warned, {grids} grids")
        for gate in ("sister languages", "items stand alone"):
            line(gate, [float(gate in one) for one in failing], "at most 0.05")


def power(grids: int) -> None:
    """One value an item, passages of five."""
    for items, correlation in ((150, 0.1), (150, 0.3), (400, 0.1), (400, 0.3)):
        for name in ("p{0}-q{1}", "{2}"):
            ids = [name.format(n // 5, n % 5, n) for n in range(items)]
            rng = np.random.default_rng(0)
            found = [one for _ in range(grids) if (one := clustered(_passages(rng, items, correlation), ids, rng))]
            print(f"{items} items called {ids[0]}, {ids[1]} …, correlation {correlation:g}, {grids} times")
            line("p below .05", [float(one.p <= 0.05) for one in found])
            line("p below .05/4", [float(one.p <= 0.05 / 4) for one in found])
            line("design effect", [one.design_effect for one in found], f"{1 + 4 * correlation:g}")


def _passages(rng: np.random.Generator, items: int, correlation: float) -> np.ndarray:
    common = np.repeat(rng.standard_normal(items // 5), 5)
    return np.sqrt(correlation) * common + np.sqrt(1 - correlation) * rng.standard_normal(items)


def pattern(grids: int) -> None:
    small = SyntheticGrid(models=4, tasks=3, languages=3, seeds=1, items=100)
    studies: dict[str, Grid] = {
        "synthetic, nothing transfers": small,
        "other, nothing transfers": replace(OTHER, models=2, languages=3, tasks=4),
        "declared passages, nothing transfers": replace(OTHER, models=2, languages=3, tasks=4, passage=5),
        "synthetic, pairs of tasks vary by 4 pp": replace(small, task_pair=4, items=150),
    }
    for name, grid in studies.items():
        shown = [any(one.real for one in patterns(Draws(drawn(grid, seed)[0]))) for seed in range(grids)]
        line(
            f"a pattern stands out: {name}", [float(one) for one in shown], "at most 0.05" if "nothing" in name else ""
        )


PARTS: Mapping[str, Callable[[int], None]] = {
    "base": base, "first": first, "gates": warnings, "clusters": power, "pattern": pattern,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=200)
    parser.add_argument("--part", nargs="+", choices=list(PARTS), default=list(PARTS))
    asked = parser.parse_args()
    for name in asked.part:
        PARTS[name](asked.grids)


if __name__ == "__main__":
    main()
