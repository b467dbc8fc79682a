"""What `compare` announces: between two null versions, and where something is planted in the second; two generators.

PYTHONPATH=tests python benchmarks/simulations/compared.py [--grids 150]

A and B share base and items; each has three training runs of its own. "other base" draws the base of B anew, on other items of the same names.
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
PASSAGES = replace(OTHER, passage=5, lacking=0.1, items=300)


def side(name: str, measured: Seeds, runs: slice) -> Side:
    """Some of the training runs, as a study of their own."""
    chosen = {
        place: replace(cell, seeds=cell.seeds[runs], treated=cell.treated[runs], control=cell.control[runs])
        for place, cell in measured.items()
    }
    rows, targets = (tuple(dict.fromkeys(part)) for part in zip(*chosen, strict=True))
    return Side(name, TransferMatrix(rows, targets, change_cells(chosen)), recorded=False)


def compared(first: Seeds, second: Seeds, runs: int = 3) -> Comparison:
    return compare(side("a", first, slice(runs)), side("b", second, slice(3, 3 + runs)))


def announced(found: Comparison) -> bool:
    return any(one.significant for one in (*found.cells, *found.bases, *found.means))


def null(name: str, pairs: Iterable[tuple[Seeds, Seeds]], runs: int = 3) -> None:
    called, cells, means = [], [], []
    for pair in pairs:
        found = compared(*pair, runs)
        called.append(float(announced(found)))
        cells.append(float(np.mean([off_zero(cell.estimate) for cell in found.cells])))
        means.append(float(np.mean([off_zero(mean.estimate) for mean in found.means])))
    line(f"{name}: pairs with a change announced", called, "at most 0.05")
    line("    cells whose interval excludes zero", cells, "0.05")
    line("    means whose interval excludes zero", means, "0.05")


def off_zero(estimate: Estimate) -> bool:
    return estimate.low > 0 or estimate.high < 0


def planted(name: str, pairs: Iterable[tuple[Seeds, Seeds]]) -> None:
    """B differs on the source's task in other languages, and nowhere else."""
    means, cells, false = [], [], []
    for pair in pairs:
        found = compared(*pair)
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
    print(f"nothing differs between A and B, {len(seeds)} pairs a line")
    null("SyntheticGrid", ((one, one) for one in map(TIDY.measured, seeds)))
    alike = replace(TIDY, source=0.0)  # so that the truth is the same whatever the seed
    null(
        "SyntheticGrid, other base and items", ((alike.measured(seed), alike.measured(seed + 10_000)) for seed in seeds)
    )
    null("OtherGrid", ((one, one) for one in (OTHER.draw(seed).measured for seed in seeds)))
    null("OtherGrid, passages", ((one, one) for one in (PASSAGES.draw(seed).measured for seed in seeds)))
    print("the same with one training run each, whose noise is in no interval")
    null("SyntheticGrid, runs differ by 0.5 pp", ((one, one) for one in map(TIDY.measured, seeds)), runs=1)
    restless = replace(TIDY, seed=2.0)
    null("SyntheticGrid, runs differ by 2 pp, three each", ((one, one) for one in map(restless.measured, seeds)))
    null("SyntheticGrid, runs differ by 2 pp", ((one, one) for one in map(restless.measured, seeds)), runs=1)
    print("B differs on the same task in other languages")
    better = replace(TIDY, same_task=TIDY.same_task + 4)
    planted("SyntheticGrid, +4 pp", ((TIDY.measured(seed), better.measured(seed)) for seed in seeds))
    worse = replace(OTHER, effects=replace(OTHER.effects, same_task=-3.0))
    planted("OtherGrid, -5 pp", ((OTHER.draw(seed).measured, worse.draw(seed).measured) for seed in seeds))


if __name__ == "__main__":
    main()
