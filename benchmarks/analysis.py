"""How long the analysis of a large grid takes, from a matrix in memory to every table of the report, and how it grows with items.

    OMP_NUM_THREADS=1 python benchmarks/analysis.py [--items 400]

The grid has 9 models, 44 sources, 44 targets and 3 seeds: with 400 items a target 21 million outcomes, made by
``crossgraft.transfer.synthetic``. The mark is a minute and 2 GB on one thread. Parts are run once more, each by itself, to say where
the time goes; they share nothing, so that they take a little longer than within the whole. Then grids of 2 models with 100,
200 and 400 items: what is added from 200 to 400 items should be about twice what is added from 100 to 200.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from measuring import Cost, Turns, forget_peak, peak_mib, processor, table, timed

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.base.noise import base_noise
from crossgraft.analysis.questions.effects.regimes import regimes
from crossgraft.analysis.questions.roles.asymmetry import asymmetries
from crossgraft.analysis.questions.roles.consistency import consistencies
from crossgraft.analysis.questions.roles.patterns import patterns
from crossgraft.analysis.questions.roles.scores import roles
from crossgraft.analysis.questions.variance.components import variance
from crossgraft.analysis.questions.variance.posterior import posterior
from crossgraft.report.write import write_report
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

SECONDS, MIB = 60, 2048
GRID = SyntheticGrid(
    models=9, languages=11, items=400, same_task=1.2, source=0.3, target=0.5, model_target=0.6, cell=0.3, seed=0.5
)


def parts(matrix: TransferMatrix, findings: Findings, folder: Path) -> dict[str, Callable[[], Any]]:
    draws = Draws(matrix)
    return {
        "draws of items": lambda: Draws(matrix),
        "regimes": lambda: list(regimes(draws)),
        "variance": lambda: variance(draws, matrix.labels),
        "consistency": lambda: list(consistencies(draws, matrix.labels)),
        "roles": lambda: roles(draws),
        "asymmetry and patterns": lambda: (list(asymmetries(draws)), list(patterns(draws))),
        "base": lambda: list(base_noise(draws)),
        "posterior, for a study with a question": lambda: posterior(matrix, draws=draws),
        "report": lambda: write_report(findings, folder),
    }


def whole(matrix: TransferMatrix, folder: Path) -> Findings:
    findings = analyse(Evidence(matrix, "benchmark"))
    write_report(findings, folder)
    return findings


def row(name: str, cost: Cost) -> list[str]:
    return [name, f"{cost.cpu:.1f}", f"{cost.wall:.1f}"]


def large(grid: SyntheticGrid, folder: Path) -> None:
    matrix = grid.matrix(seed=1)
    before = forget_peak()
    findings, cost = timed(lambda: whole(matrix, folder))
    peak = peak_mib()
    outcomes = len(matrix.cells) * grid.seeds * grid.items
    print(
        f"\n{outcomes / 1e6:.1f} million outcomes: {cost.cpu:.1f} s of CPU time (mark {SECONDS}), {cost.wall:.1f} s by the clock,"
    )
    print(f"{peak:.0f} MiB at most (mark {MIB}), of them {before:.0f} for the matrix and Python itself")
    costs = {name: timed(part)[1] for name, part in parts(matrix, findings, folder).items()}
    table(["part", "s CPU", "s clock"], [row(name, cost) for name, cost in costs.items()])


def growth(grid: SyntheticGrid, folder: Path) -> None:
    sizes = [grid.items // 4, grid.items // 2, grid.items]
    matrices = {str(items): replace(grid, items=items).matrix(seed=1) for items in sizes}
    runs = {items: (lambda matrix=matrix: whole(matrix, folder)) for items, matrix in matrices.items()}
    draws = {items: (lambda matrix=matrix: Draws(matrix)) for items, matrix in matrices.items()}
    both = [Turns(every).take(3) for every in (runs, draws)]
    table(
        ["items a target", "whole, s CPU", "draws of items, s CPU"],
        [[items, *(f"{turns.cpu(items):.2f}" for turns in both)] for items in matrices],
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=GRID.items, help="a target")
    grid = replace(GRID, items=parser.parse_args().items)
    print(f"{processor()}; Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}")
    with tempfile.TemporaryDirectory() as name:
        large(grid, Path(name))
        growth(replace(grid, models=2), Path(name))


if __name__ == "__main__":
    main()
