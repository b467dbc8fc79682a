"""What `compare` announces: between two null versions, and where something is planted in the second; two generators.

PYTHONPATH=tests python benchmarks/simulations/compared.py [--grids 150]

A and B share base and items; each has three training runs of its own, unless a line says otherwise. "other base" draws the base of B anew, on other
items of the same names. What B differs by is on the source's task in other languages.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from counting import line

from crossgraft.analysis.comparison.compare import Comparison, compare
from crossgraft.analysis.comparison.matching import Side
from crossgraft.analysis.intervals.estimate import Estimate
from crossgraft.transfer.changes import Measured, Place, change_cells
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from other_grids import Effects, OtherGrid

Seeds = Mapping[Place, Measured]
TIDY = SyntheticGrid(models=2, tasks=3, languages=3, seeds=6, items=200, same_task=2.0, source=1.0, seed=0.5)
OTHER = OtherGrid(
    models=2, tasks=3, languages=3, sources=6, seeds=6, items=150, effects=Effects(source=1, cell=2, same_task=2)
)
RESTLESS_TIDY = replace(TIDY, seed=2.0)
RESTLESS_OTHER = replace(OTHER, seed=1.8, seed_cell=0.9)  # 2 pp in all
PASSAGES = replace(OTHER, passage=5, lacking=0.1, items=300)


def side(name: str, measured: Seeds, runs: slice) -> Side:
    """Some of the training runs, as a study of their own."""
    chosen = {
        place: replace(cell, seeds=cell.seeds[runs], treated=cell.treated[runs], control=cell.control[runs])
        for place, cell in measured.items()
    }
    rows, targets = (tuple(dict.fromkeys(part)) for part in zip(*chosen, strict=True))
    return Side(name, TransferMatrix(rows, targets, change_cells(chosen)), recorded=False)


def compared(first: Seeds, second: Seeds, runs: tuple[int, int] = (3, 3)) -> Comparison:
    return compare(side("a", first, slice(runs[0])), side("b", second, slice(3, 3 + runs[1])))


def announced(found: Comparison) -> bool:
    return any(one.significant for side in (found.cells, found.bases, found.means) for one in side)


def null(name: str, pairs: Iterable[tuple[Seeds, Seeds]], runs: tuple[int, int] = (3, 3)) -> None:
    called, cells, means = [], [], []
    for pair in pairs:
        found = compared(*pair, runs)
        called.append(float(announced(found)))
        cells.append(float(np.mean([off_zero(cell.estimate) for cell in found.cells])))
        means.append(float(np.mean([off_zero(mean.estimate) for mean in found.means])))
    line(f"{name}: a change announced", called, "at most 0.05")
    line("    cells whose interval excludes zero", cells, "0.05" if min(runs) > 1 else "")
    line("    means whose interval excludes zero", means, "0.05" if min(runs) > 1 else "")


def off_zero(estimate: Estimate) -> bool:
    return estimate.low > 0 or estimate.high < 0


def planted(name: str, pairs: Iterable[tuple[Seeds, Seeds]], runs: tuple[int, int] = (3, 3)) -> None:
    """B differs on the source's task in other languages, and nowhere else."""
    means, cells, false = [], [], []
    for pair in pairs:
        found = compared(*pair, runs)
        means.append(float(any(mean.significant for mean in found.means if mean.regime == "MT-CL")))
        near = [cell.significant for cell in found.cells if cell.pair.a.regime == "MT-CL"]
        off = [cell.significant for cell in found.cells if cell.pair.a.regime != "MT-CL"]
        cells.append(sum(near) / len(near))
        false.append(sum(off) / max(1, sum(near) + sum(off)))
    line(f"{name}: the mean on the same task elsewhere is announced", means, "power")
    line("    planted cells announced", cells, "power")
    line("    false among the cells announced", false, "at most 0.05")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=150)
    seeds = range(parser.parse_args().grids)
    tidy, other = (
        lambda grid: ((one, one) for one in map(grid.measured, seeds)),
        lambda grid: ((one, one) for one in (grid.draw(seed).measured for seed in seeds)),
    )
    print(f"nothing differs between A and B, {len(seeds)} pairs a line")
    null("SyntheticGrid", tidy(TIDY))
    alike = replace(TIDY, source=0.0)  # so that the truth is the same whatever the seed
    null("… other base and items", ((alike.measured(seed), alike.measured(seed + 10_000)) for seed in seeds))
    null("OtherGrid", other(OTHER))
    null("… passages", other(PASSAGES))
    print("training runs differ by 2 pp")
    for runs in ((3, 3), (2, 2), (3, 1), (1, 1)):
        null(f"SyntheticGrid, {runs[0]} and {runs[1]} runs", tidy(RESTLESS_TIDY), runs)
        null(f"OtherGrid, {runs[0]} and {runs[1]} runs", other(RESTLESS_OTHER), runs)
    print("B differs by 5 pp on the same task in other languages")
    for name, grid in (("runs differ by 0.5 pp", TIDY), ("runs differ by 2 pp", RESTLESS_TIDY)):
        better = replace(grid, same_task=grid.same_task + 5)
        for runs in ((3, 3), (3, 1)):
            pairs = ((grid.measured(seed), better.measured(seed)) for seed in seeds)
            planted(f"SyntheticGrid, {name}, {runs[0]} and {runs[1]} runs", pairs, runs)
    for name, other_grid in (("runs differ by 0.7 pp", OTHER), ("runs differ by 2 pp", RESTLESS_OTHER)):
        effects = replace(other_grid.effects, same_task=other_grid.effects.same_task - 5)
        worse = replace(other_grid, effects=effects)
        for runs in ((3, 3), (3, 1)):
            drawn = ((other_grid.draw(seed).measured, worse.draw(seed).measured) for seed in seeds)
            planted(f"OtherGrid, {name}, {runs[0]} and {runs[1]} runs", drawn, runs)


if __name__ == "__main__":
    main()
