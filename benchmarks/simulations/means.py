"""Means over parallel items, and the contrast of own task with other tasks at its three levels.

python benchmarks/simulations/means.py [--grids 100]
"""

from __future__ import annotations

import argparse

import numpy as np
from counting import inside, line

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.effects.contrast import contrasts
from crossgraft.analysis.questions.effects.regimes import regimes
from crossgraft.core import Floats, Labels
from crossgraft.transfer.synthetic import SyntheticGrid


def parallel(grids: int) -> None:
    """A treatment's mean over ten other languages of its task; nothing transfers."""
    print(f"mean of a treatment over ten languages, 400 items, one seed, {grids} grids")
    for shared in (0.0, 0.3, 0.6, 0.9):
        grid = SyntheticGrid(models=1, tasks=1, languages=11, seeds=1, parallel=shared)
        joint, naive, ratio = [], [], []
        for seed in range(grids):
            draws = Draws(grid.matrix(seed))
            found, alone = [], []
            for row in grid.rows(0):
                cells = [cell for cell in draws.cells_of(row) if cell.regime == "MT-CL"]
                estimate = draws.mean(cells)
                assert estimate is not None
                halves = np.array([(cell.change.high - cell.change.low) / 2 for cell in cells])
                half = float(np.sqrt(np.sum(halves**2))) / len(cells)
                found.append(inside(estimate.low, 0, estimate.high))
                alone.append(abs(estimate.mean) <= half)
                ratio.append((estimate.high - estimate.low) / 2 / half)
            joint.append(float(np.mean(found)))
            naive.append(float(np.mean(alone)))
        line(f"noise shared by {shared:.0%}: joint bootstrap, coverage", joint, "0.95")
        line("    cells as if independent (not used)", naive, "0.95")
        line("    width over that of independent cells", ratio)


def regime_means(grids: int) -> None:
    """What a regime's mean is on this grid, with effects of every kind."""
    grid = SyntheticGrid(
        models=2,
        tasks=3,
        languages=3,
        seeds=3,
        items=300,
        same_task=2,
        source=1,
        target=1,
        task_pair=1,
        cell=0.5,
        seed=0.5,
    )
    found: dict[str, list[float]] = {}
    for seed in range(grids):
        truth = grid.truth(seed)
        same = _regime(grid)
        for one in regimes(Draws(grid.matrix(seed))):
            if one.model == "all models":
                mean = truth[same == one.regime].mean()
                found.setdefault(str(one.regime), []).append(inside(one.estimate.low, mean, one.estimate.high))
    print(f"means of regimes over all models, {grids} grids")
    for regime, held in found.items():
        line(f"{regime}, coverage", held, "0.95")


def _regime(grid: SyntheticGrid) -> np.ndarray:
    return np.array([[s.regime(t) for t in grid.points] for s in grid.points] * grid.models)


def _contrast(grid: SyntheticGrid, truth: Floats) -> float:
    """Own task in other languages less other tasks, the mean over columns."""
    regime = _regime(grid)
    near = np.where(regime == "MT-CL", truth, np.nan).reshape(grid.models, -1, len(grid.points))
    off = np.where(np.isin(regime, ["CT-ML", "CT-CL"]), truth, np.nan).reshape(near.shape)
    return float((np.nanmean(near, axis=1) - np.nanmean(off, axis=1)).mean())


def levels(grids: int) -> None:
    """Each level against what it is about: this grid's contrast, that of all models, that of all tasks."""
    few = {"tasks": 4, "languages": 3, "seeds": 2, "items": 200, "same_task": 2.0}
    designs = {
        "new items and seeds": SyntheticGrid(
            models=2, task_pair=1, source=1, target=1, model_source=1, seed=0.5, **few
        ),
        "new models": SyntheticGrid(models=5, model_source=1.5, model_target=1, cell=1, **few),
        "new tasks": SyntheticGrid(models=2, task_pair=1, source=1, target=1, source_task=1, target_task=1, **few),
    }
    print(f"on-task less off-task, {grids} grids")
    for level, grid in designs.items():
        held: dict[str, list[float]] = {}
        for seed in range(grids):
            truth = _contrast(grid, grid.truth(seed)) if level == "new items and seeds" else grid.same_task
            (one,) = [found for found in contrasts(Draws(grid.matrix(seed)), Labels()) if found.over == "all models"]
            for inference in one.levels:
                if inference.low is not None:
                    held.setdefault(inference.level, []).append(inside(inference.low, truth, inference.high))
        line(f"{level}, coverage", held[level], "0.95")
        if level != "new items and seeds":
            line("    by the interval over new items (not about this)", held["new items and seeds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=100)
    grids = parser.parse_args().grids
    parallel(grids)
    regime_means(grids)
    levels(grids)


if __name__ == "__main__":
    main()
