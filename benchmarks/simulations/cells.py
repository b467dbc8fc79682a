"""Intervals and tests of single cells: paired items, few seeds, whole grids.

python benchmarks/simulations/cells.py [--repeat 20000]
"""

from __future__ import annotations

import argparse
from functools import cache
from math import sqrt

import numpy as np
from counting import inside, line
from scipy.special import stdtrit

from crossgraft.stats.cells.change import mcnemar, paired_change, wilson
from crossgraft.stats.cells.moderate import moderated
from crossgraft.transfer.synthetic import SyntheticGrid

Interval = tuple[float, float]


def items(n: int, discordant: float, change: float, repeat: int) -> None:
    """Right before and after, gained, lost, wrong both times: drawn with known probabilities."""
    gain, loss, rest = (discordant + change) / 2, (discordant - change) / 2, 1 - discordant
    drawn = np.random.default_rng(n).multinomial(n, [0.6 * rest, gain, loss, 0.4 * rest], size=repeat).tolist()

    @cache
    def agresti_min(gained: int, lost: int) -> Interval:
        found = paired_change(np.repeat([1.0, -1.0, 0.0], [gained, lost, n - gained - lost]))
        return found.low, found.high

    def wald(gained: int, lost: int) -> Interval:
        half = 1.96 * sqrt(gained + lost - (gained - lost) ** 2 / n) / n
        return (gained - lost) / n - half, (gained - lost) / n + half

    print(f"{n} items, {discordant:.0%} change, true change {100 * change:g} pp")
    intervals = {
        "Agresti-Min": [agresti_min(gained, lost) for _, gained, lost, _ in drawn],
        "Newcombe": [newcombe(*counts) for counts in drawn],
        "Wald (not used)": [wald(gained, lost) for _, gained, lost, _ in drawn],
    }
    for name, found in intervals.items():
        line(f"{name}, coverage", [inside(low, change, high) for low, high in found], "0.95")
    rejected = [float(mcnemar(gained, lost) < 0.05) for _, gained, lost, _ in drawn]
    line("mid-p McNemar, rejected at .05", rejected, "at most 0.05" if not change else "power")


def newcombe(both: int, gained: int, lost: int, neither: int, *, level: float = 0.95) -> tuple[float, float]:
    """Newcombe's (1998) interval of a paired difference, his method 10, from the counts of right before and after.

    Wilson's intervals of the two shares, put together with the correlation of the outcomes.
    """
    n = both + gained + lost + neither
    after, before = (both + gained) / n, (both + lost) / n
    low_after, high_after = wilson(after, n, level=level)
    low_before, high_before = wilson(before, n, level=level)
    product = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    covariance = float(both * neither - gained * lost)
    if covariance > 0:
        covariance = max(covariance - n / 2, 0.0)
    correlation = covariance / sqrt(product) if product > 0 else 0.0

    def half(first: float, second: float) -> float:
        return sqrt(max(0.0, first**2 - 2 * correlation * first * second + second**2))

    change = after - before
    return (
        change - half(after - low_after, high_before - before),
        change + half(high_after - after, before - low_before),
    )


def seeds(families: int) -> None:
    """484 cells of three seeds whose variances differ; nothing but seeds varies."""
    rng = np.random.default_rng(1)
    covered, widths = [], []
    for _ in range(families):
        spread = np.sqrt(8 / rng.chisquare(8, 484))
        drawn = rng.normal(0, spread[:, None], (484, 3))
        own = drawn.var(axis=1, ddof=1)
        better = moderated(own, np.full(484, 2.0))
        halves = {
            "moderated t": stdtrit(better.df, 0.975) * np.sqrt(better.variances / 3),
            "t with 2 degrees of freedom": stdtrit(2.0, 0.975) * np.sqrt(own / 3),
            "z": 1.96 * np.sqrt(own / 3),
        }
        covered.append({name: inside(-half, drawn.mean(axis=1), half) for name, half in halves.items()})
        widths.append({name: half.mean() for name, half in halves.items()})
    print(f"the mean of three seeds, {families} families of 484 cells")
    for name in covered[0]:
        line(f"{name}, coverage", [one[name] for one in covered], "0.95")
        line(f"{name}, half width", [one[name] for one in widths])


def grids(repeat: int) -> None:
    """Cells as a study reports them, against the planted change."""
    print(f"cells of {repeat} grids of 12 sources and targets, 400 items, 3 seeds")
    for seed in (0.0, 1.0):
        grid = SyntheticGrid(models=1, tasks=3, languages=4, source=1, target=1, seed=seed)
        covered, halves = [], []
        for number in range(repeat):
            matrix, truth = grid.matrix(number), grid.truth(number)
            covered.append(inside(matrix.low, truth, matrix.high))
            halves.append(float(np.mean(matrix.high - matrix.low)) / 2)
        line(f"seeds that move all targets by {seed:g} pp, coverage", covered, "0.95")
        line("    half width, pp", halves)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=20000, help="tables a line; grids are a hundredth as many")
    repeat = parser.parse_args().repeat
    for n, discordant, change in (
        (100, 0.1, 0.0),
        (400, 0.02, 0.0),
        (400, 0.1, 0.0),
        (400, 0.1, 0.03),
        (1000, 0.1, 0.03),
    ):
        items(n, discordant, change, repeat)
    seeds(max(2, repeat // 200))
    grids(max(2, repeat // 100))


if __name__ == "__main__":
    main()
