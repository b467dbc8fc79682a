"""Shares of variance: bias, coverage, and what is left when noise is taken out.

python benchmarks/simulations/shares.py [--grids 200]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from counting import line

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.variance.components import variance
from crossgraft.core import Labels
from crossgraft.stats.mixed.design import Factor
from crossgraft.stats.mixed.model import fit
from crossgraft.stats.mixed.scoring import Scoring
from crossgraft.stats.mixed.shares import Shares, parts
from crossgraft.stats.mixed.strata import Strata
from crossgraft.transfer.synthetic import SyntheticGrid
from mixed_grids import RESIDUAL, SD, grid  # the tests' own grids

FACTORS = ("model", "source", "target", "task_pair", "lang_pair")
SMALL = {"model": 0.15, "source": 0.1, "target": 0.2, "task_pair": 0.15, "lang_pair": 0.1}


def intervals(grids: int) -> None:
    for name, sd in (("large", SD), ("small", SMALL)):
        variances = np.array([sd[factor] ** 2 for factor in FACTORS] + [RESIDUAL**2])
        truth = variances / variances.sum()
        values, held, widths = [], [], []
        for seed in range(grids):
            of = grid((6, 4, 5), FACTORS, seed=seed, sd=sd)
            design = of.design()
            values.append(parts(fit(design, of.y, scoring=Scoring().once()).components))
            rng, each = np.random.default_rng(seed), Factor.of("cell", range(len(of.y)))
            ends = Shares.of(Strata.of(design), of.y, None, each, draws=200, rng=rng).intervals()[:-1]
            low, high = np.array([one or (0.0, 1.0) for one in ends]).T
            held.append((low <= truth) & (truth <= high))
            widths.append(high - low)
        print(f"{name} components: 6 models, 20 sources and targets, 200 draws, {grids} grids")
        for place, factor in enumerate((*FACTORS, "residual")):
            line(
                f"{factor}, share {truth[place]:.3f}: mean estimate",
                [one[place] for one in values],
                f"{truth[place]:.3f}",
            )
            wide = np.quantile([one[place] for one in widths], 0.95)
            line(f"    coverage (95 % are narrower than {wide:.2f})", [float(one[place]) for one in held], "0.95")


def noise(grids: int) -> None:
    """Components of grids that were measured item by item, in pp²; noise of the base and seeds are in the raw ones."""
    of = SyntheticGrid(
        models=4, tasks=3, languages=4, items=300, source=1.5, target=1.0, model_target=1.0, cell=1.0, seed=0.3
    )
    planted = {"source": 2.25, "target": 1.0, "model × target": 1.0, "cell": 1.0}
    raw: dict[str, list[float]] = {name: [] for name in planted}
    kept: dict[str, list[float]] = {name: [] for name in planted}
    for seed in range(grids):
        found = variance(Draws(of.matrix(seed)), Labels(), count=10).crossed
        assert found is not None
        for (
            name
        ) in planted:  # a source's own, its task's and its language's: with so few of each they are hardly told apart
            parts = [one for one in found.shares if one.factor in (name, f"{name} task", f"{name} language")]
            raw[name].append(sum(one.raw for one in parts))
            kept[name].append(sum(one.component for one in parts))
    print(f"components with noise: 4 models, 12 sources and targets, 300 items, 3 seeds, {grids} grids")
    for factor, truth in planted.items():
        line(f"{factor}: as fitted, pp²", raw[factor])
        line(f"{factor}: without noise, pp²", kept[factor], f"{truth:g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=200)
    grids = parser.parse_args().grids
    intervals(grids)
    noise(grids // 2)


if __name__ == "__main__":
    main()
