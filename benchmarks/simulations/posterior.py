"""Posterior draws of cells: is the truth anywhere among them, do intervals hold it, how much nearer is their mean.

python benchmarks/simulations/posterior.py [--grids 80]
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from counting import inside, line

from crossgraft.analysis.questions.variance.posterior import posterior
from crossgraft.core import Floats
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=2, tasks=3, languages=3, items=200, source=1, target=1, task_pair=1, model_target=1, cell=1)
DESIGNS = {
    "effects of every kind": GRID,
    "cells without effects of their own": replace(GRID, cell=0.0),
    "nothing transfers": SyntheticGrid(models=2, tasks=3, languages=3, items=200),
}


def simulate(name: str, grid: SyntheticGrid, grids: int) -> None:
    fifths: list[Floats] = []
    found: dict[str, list[float]] = {}

    def note(what: str, value: float) -> None:
        found.setdefault(what, []).append(value)

    for seed in range(grids):
        whole, truth = grid.matrix(seed), grid.truth(seed)
        kept = np.random.default_rng(seed).random(truth.shape) < 0.6
        cells = {
            place: cell
            for place, cell in whole.cells.items()
            if kept[whole.rows.index(place[0]), whole.columns.index(place[1])]
        }
        full = posterior(whole, count=200)
        part = posterior(replace(whole, cells=cells), count=200)
        fifths.append(np.histogram((full.draws < truth).mean(axis=0), bins=5, range=(0, 1))[0] / truth.size)
        note("error as measured, pp", _error(whole.change, truth))
        note("error of the mean of draws, pp", _error(full.mean, truth))
        note("95 % intervals, all cells measured", _held(full.draws, truth))
        if part.draws.shape[1:] == truth.shape:  # no row or column is wholly missing
            note("60 % measured: intervals of measured cells", _held(part.draws[:, kept], truth[kept]))
            note("60 % measured: intervals of the others", _held(part.draws[:, ~kept], truth[~kept]))
            note("60 % measured: error of the others, pp", _error(part.mean[~kept], truth[~kept]))
    print(f"{name}: 2 models, 9 sources and targets, 200 items, 3 seeds, {grids} grids")
    for place, share in enumerate(np.array(fifths).T):
        line(f"truths in fifth {place + 1} of their draws", share, "0.2")
    for what, values in found.items():
        line(what, values, "0.95" if "intervals" in what else "")


def _error(guess: Floats, truth: Floats) -> float:
    return float(np.sqrt(np.mean((guess - truth) ** 2)))


def _held(draws: Floats, truth: Floats) -> float:
    return inside(np.quantile(draws, 0.025, axis=0), truth, np.quantile(draws, 0.975, axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=80)
    grids = parser.parse_args().grids
    for name, grid in DESIGNS.items():
        simulate(name, grid, grids)


if __name__ == "__main__":
    main()
