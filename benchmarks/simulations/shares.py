"""Shares of variance: bias, coverage of three kinds of interval, and what is left when noise is taken out.

python benchmarks/simulations/shares.py [--grids 200]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from counting import line
from scipy.special import expit, logit

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from crossgraft.analysis.draws import Draws
from crossgraft.analysis.variance import variance
from crossgraft.core import Floats, Labels
from crossgraft.stats.mixed import fit
from crossgraft.stats.scoring import Scoring
from crossgraft.stats.shares import drawn_components, shares
from crossgraft.synthetic import SyntheticGrid
from mixed_grids import RESIDUAL, SD, grid  # the tests' own grids

FACTORS = ("model", "source", "target", "task_pair", "lang_pair")
SMALL = {"model": 0.15, "source": 0.1, "target": 0.2, "task_pair": 0.15, "lang_pair": 0.1}
_EDGE = 0.002  # logits of shares nearer to 0 or 1 are cut off


def _logit(value: float, drawn: Floats) -> tuple[float, float]:
    """The basic interval on the logit scale, and the draws' own quantile for a share of zero."""
    if value <= _EDGE:
        return 0.0, float(np.quantile(drawn, 0.975))
    odds = logit(np.clip(np.append(drawn, value), _EDGE, 1 - _EDGE))
    low, high = expit(2 * odds[-1] - np.quantile(odds[:-1], [0.975, 0.025]))
    return float(low), float(high)


def intervals(grids: int) -> None:
    for name, sd in (("large", SD), ("small", SMALL)):
        variances = np.array([sd[factor] ** 2 for factor in FACTORS] + [RESIDUAL**2])
        truth = variances / variances.sum()
        values, held, widths = [], [], []
        for seed in range(grids):
            of = grid((6, 4, 5), FACTORS, seed=seed, sd=sd)
            found = fit(of.design(), of.y, scoring=Scoring().once())
            drawn = drawn_components(found, 200, np.random.default_rng(seed))
            parts = drawn / drawn.sum(axis=1, keepdims=True)
            ours = shares(found.components, drawn)
            ends = np.array(
                [
                    [(one.low, one.high) for one in ours],
                    [_logit(one.value, parts[:, place]) for place, one in enumerate(ours)],
                    np.quantile(parts, [0.025, 0.975], axis=0).T.tolist(),
                ]
            )
            values.append([one.value for one in ours])
            held.append((ends[..., 0] <= truth) & (truth <= ends[..., 1]))
            widths.append(ends[..., 1] - ends[..., 0])
        print(f"{name} components: 6 models, 20 sources and targets, 200 draws, {grids} grids")
        for place, factor in enumerate((*FACTORS, "residual")):
            line(
                f"{factor}, share {truth[place]:.3f}: mean estimate",
                [one[place] for one in values],
                f"{truth[place]:.3f}",
            )
            for kind, way in enumerate(("fourth root of odds", "logit (not used)", "percentile (not used)")):
                wide = np.quantile([one[kind, place] for one in widths], 0.95)
                line(
                    f"    {way}, coverage (95 % are narrower than {wide:.2f})",
                    [float(one[kind, place]) for one in held],
                    "0.95",
                )


def noise(grids: int) -> None:
    """Components of grids that were measured item by item, in pp²; the base's luck and seeds are in the raw ones."""
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
