"""What is called in grids in which nothing transfers, and how much of what is called is false where something does.

python benchmarks/simulations/null.py [--grids 60]
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np
from counting import line
from scipy.stats import false_discovery_control

from crossgraft.analysis.findings import analyse
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.base.noise import base_noise
from crossgraft.analysis.questions.roles.consistency import consistencies
from crossgraft.analysis.questions.roles.scores import Roles
from crossgraft.core import Labels
from crossgraft.stats.cells.shrinkage import shrunken
from crossgraft.stats.multiplicity import benjamini_hochberg
from crossgraft.transfer.synthetic import SyntheticGrid

Q = 0.1


def nothing(grids: int) -> None:
    grid = SyntheticGrid(models=3, tasks=3, languages=4, items=300)
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    for seed in range(grids):
        findings = analyse(grid.matrix(seed))
        cells = list(findings.matrix.cells.values())
        note(
            "cells whose interval excludes zero", float(np.mean([c.change.low > 0 or c.change.high < 0 for c in cells]))
        )
        note("treatments called a gain", float(np.mean([one.sure == "better" for one in findings.summaries])))
        note("grids with any treatment called a gain", float(any(one.sure == "better" for one in findings.summaries)))
        note("treatments called harmful", float(np.mean([one.harmed > 0 for one in findings.summaries])))
        first = [one for one in findings.roles if isinstance(one, Roles)]
        for side in ("donor", "recipient"):
            sure = [any((role.first or 0) > 0.95 for role in one.roles) for one in first if one.side == side]
            note(f"tables with a {side} that is first with P > .95", float(np.mean(sure)))
        contrast = findings.contrasts[0].estimate
        note("contrast of own task with others excludes zero", float(contrast.low > 0 or contrast.high < 0))
    print(f"nothing transfers: 3 models, 12 sources and targets, 300 items, 3 seeds, {grids} grids")
    promised = {"cells whose interval excludes zero": "0.05", "contrast of own task with others excludes zero": "0.05"}
    promised["grids with any treatment called a gain"] = "at most 0.05"
    for name, values in found.items():
        line(name, values, promised.get(name, ""))


def base(grids: int) -> None:
    for target in (0.0, 1.0):
        grid = SyntheticGrid(models=1, tasks=4, languages=4, items=400, target=target)
        found = [next(iter(base_noise(Draws(grid.matrix(seed))))) for seed in range(grids)]
        print(f"variance between targets, planted {target**2:g} pp², 400 items, {grids} grids")
        line("as it is, pp²", [one.between for one in found])
        line("without noise of the base, pp²", [one.corrected for one in found], f"{target**2:g}")
        line("cells above zero, %", [one.raw_positive for one in found])
        line("cells expected above zero (shrunken), %", [one.positive for one in found])


def agreement(grids: int) -> None:
    """Six models that have nothing in common but their noise."""
    grid = SyntheticGrid(models=6, tasks=2, languages=6, seeds=1, items=200)
    found: dict[str, list[float]] = {}
    for seed in range(grids):
        for one in consistencies(Draws(grid.matrix(seed)), Labels()):
            if one.chance and one.index is not None:
                found.setdefault(one.regime, []).append(float(one.index > one.chance.highest))
    print(f"index of consistency beyond the 95 % point of chance, 6 models, nothing transfers, {grids} grids")
    for regime, beyond in found.items():
        line(regime, beyond, "0.05")


def many(grids: int) -> None:
    """Own task gains 4 pp in other languages, other tasks nothing: what is called there is false."""
    grid = SyntheticGrid(models=1, tasks=4, languages=5, items=400, same_task=4.0)
    regime = np.array([[s.regime(t) for t in grid.points] for s in grid.points])
    real, elsewhere = regime == "MT-CL", np.isin(regime, ["MT-CL", "CT-ML", "CT-CL"])
    found: dict[str, list[float]] = {}
    for seed in range(grids):
        matrix = grid.matrix(seed)
        p = np.array([[matrix.cells[row, column].change.p for column in matrix.columns] for row in matrix.rows])
        truth = real[elsewhere]
        cautious = partial(false_discovery_control, method="by")
        for name, adjust in (("Benjamini-Hochberg", benjamini_hochberg), ("Benjamini-Yekutieli", cautious)):
            called = adjust(p[elsewhere].astype(float)) <= Q
            found.setdefault(f"{name}: false among the called", []).append(
                float(np.sum(called & ~truth) / max(1, called.sum()))
            )
            found.setdefault(f"{name}: of the real ones called", []).append(float(called[truth].mean()))
        errors = (matrix.high - matrix.low) / 3.92
        judged = shrunken(matrix.change[elsewhere], errors[elsewhere])
        sure = judged.false_sign < Q
        found.setdefault("sign called (local false sign rate below .1): false", []).append(
            float(np.sum(sure & (~truth | (judged.mean < 0))) / max(1, sure.sum()))
        )
    print(f"own task +4 pp, other tasks 0: 20 sources and targets, 400 items, {grids} grids")
    for name, values in found.items():
        line(name, values, f"at most {Q}" if "false" in name else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=60)
    grids = parser.parse_args().grids
    nothing(grids)
    base(grids)
    agreement(grids)
    many(grids)


if __name__ == "__main__":
    main()
