"""The index of consistency: its spread under chance, what noise makes of it, and the correlation recovered from it.

python benchmarks/simulations/agreement.py [--grids 60]
"""

from __future__ import annotations

import argparse

import numpy as np
from counting import inside, line

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.roles.consistency import consistencies
from crossgraft.core import Floats, Labels
from crossgraft.stats.matrices.agreement import attenuated_tau, disattenuated, mean_tau, null_deviation
from crossgraft.transfer.synthetic import SyntheticGrid

REPEAT = 5000


def chance() -> None:
    print(f"mean pairwise tau of nine independent rankings, {REPEAT} times")
    for things in (3, 10, 30):
        drawn = mean_tau(np.random.default_rng(things).normal(size=(REPEAT, 9, things)))
        deviation, error = float(drawn.std(ddof=1)), float(drawn.std(ddof=1)) / np.sqrt(2 * REPEAT)
        highest = float(np.quantile(drawn, 0.95))
        promised = null_deviation(9, things)
        print(
            f"  {things:2} recipients: deviation {deviation:.4f} ± {error:.4f} (formula {promised:.4f}), 95 % below {highest:.3f}"
        )


def noise() -> None:
    """Five models whose true values correlate by .7, 30 recipients; reliability is the share of variance that is true."""
    print("tau of true values that correlate by .7, measured with noise; 2000 times")
    rng = np.random.default_rng(3)
    for reliability in (1.0, 0.8, 0.5, 0.3):
        truth = np.sqrt(0.7) * rng.normal(size=(2000, 1, 30)) + np.sqrt(0.3) * rng.normal(size=(2000, 5, 30))
        seen = truth + np.sqrt(1 / reliability - 1) * rng.normal(size=truth.shape)
        line(f"reliability {reliability:g}", mean_tau(seen), f"{attenuated_tau(0.7, reliability):.3f}")


def grids(number: int) -> None:
    """Targets differ by 3 pp in all models and by 1.5 in each: the correlation between models is .8."""
    print(f"correlation of true changes between 4 models, planted, {number} grids; other tasks, other languages")
    designs = {"0": (0.0, 3.0), "0.8": (3.0, 1.5), "1": (3.0, 0.0)}
    for planted, (shared, own) in designs.items():
        grid = SyntheticGrid(models=4, tasks=3, languages=5, seeds=2, items=300, target=shared, model_target=own)
        rho, held, index, ceiling = [], [], [], []
        for seed in range(number):
            own_rho = _correlation(grid, grid.truth(seed))
            for one in consistencies(Draws(grid.matrix(seed)), Labels()):
                if one.regime == "CT-CL" and one.noise and one.noise.rho is not None and one.index is not None:
                    index.append(one.index)
                    ceiling.append(one.noise.ceiling)
                    rho.append(one.noise.rho)
                    if one.noise.low is not None:
                        held.append(inside(one.noise.low, own_rho, one.noise.high))
        line(f"planted {planted}: index", index)
        line("    index that noise allows", ceiling)
        line("    correlation, estimated", rho, planted)
        line("    its interval holds that of the grid's own changes", held, "0.95")


def _correlation(grid: SyntheticGrid, truth: Floats) -> float:
    """What the index of the planted changes themselves says: the grid has few targets, so that it is not the planted one."""
    by_model = truth.reshape(grid.models, len(grid.points), -1)
    taus = []
    for number, source in enumerate(grid.points):
        apart = [n for n, point in enumerate(grid.points) if source.regime(point) == "CT-CL"]
        taus.append(float(mean_tau(by_model[:, number, apart])))
    return disattenuated(float(np.mean(taus)), 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=60)
    number = parser.parse_args().grids
    chance()
    noise()
    grids(number)


if __name__ == "__main__":
    main()
