"""How long crossed variance components take, beside statsmodels and lme4.

    python benchmarks/mixed.py [--statsmodels] [--lme4]

The grid is the size of the published one: 6 models, 44 sources and targets (4 tasks × 11 languages), 11,616 rows, 10
crossed factors, three regimes as fixed effects; then 9 models with every interaction, about 1,000 levels. One thread;
set OPENBLAS_NUM_THREADS=1 for statsmodels, too. ``--statsmodels`` (0.15, which takes crossed factors only as variance
components of one group, and does not converge on these) and ``--lme4`` (through Rscript) fit the same rows in the same run.
How well intervals cover: simulations/shares.py.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from crossgraft.stats.mixed.design import Factor  # noqa: E402
from crossgraft.stats.mixed.model import MixedFit, fit  # noqa: E402
from crossgraft.stats.mixed.shares import Shares  # noqa: E402
from crossgraft.stats.mixed.strata import Strata  # noqa: E402
from mixed_grids import Grid, grid  # noqa: E402  # the tests' own grids

SIDES = ("source_task", "source_lang", "source", "target_task", "target_lang", "target")
TEN = ("model", *SIDES, "task_pair", "lang_pair", "model_task")
EVERY = ("model", *SIDES, "task_pair", "lang_pair", "model_task", "model_source", "model_target")


def published(models: int, factors: tuple[str, ...]) -> Grid:
    """With the effect of a model on a task of targets as the tenth factor."""
    found = grid((models, 4, 11), tuple(name for name in factors if name != "model_task"), seed=1)
    codes = {**found.codes, "model_task": found.codes["model"] * 4 + found.codes["target_task"]}
    return Grid(codes, found.y, found.regime, factors)


def timed(of: Grid) -> tuple[MixedFit, float]:
    fits = []
    for _ in range(3):
        started = time.perf_counter()
        found = fit(of.design(), of.y)
        fits.append(time.perf_counter() - started)
    levels = sum(found.design.sizes)
    print(
        f"crossgraft  {len(of.y):6} rows  {len(of.factors):2} factors  {levels:4} levels  {min(fits):8.3f} s  "
        f"deviance {found.deviance:.4f}  (best of three; the plain start and five random ones)"
    )
    return found, min(fits)


def by_statsmodels(of: Grid) -> float:
    import pandas
    import statsmodels.formula.api as formulas

    table = pandas.DataFrame(
        {**of.codes, "y": of.y, "r1": of.regime[:, 1], "r2": of.regime[:, 2], "r3": of.regime[:, 3]}
    )
    parts = {name: f"0 + C({name})" for name in of.factors}
    started = time.perf_counter()
    model = formulas.mixedlm("y ~ r1 + r2 + r3", table, groups=np.ones(len(table)), vc_formula=parts, re_formula="0")
    found = model.fit(reml=True, method="lbfgs")
    seconds = time.perf_counter() - started
    print(
        f"statsmodels {len(of.y):6} rows  {len(of.factors):2} factors  {seconds:20.1f} s  deviance {-2 * found.llf:.4f}"
    )
    return seconds


def by_lme4(of: Grid) -> float:
    formula = "y ~ r1 + r2 + r3 + " + " + ".join(f"(1 | {name})" for name in of.factors)
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        with rows.open("w", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(["y", "r1", "r2", "r3", *of.factors])
            levels = [[f"l{code}" for code in of.codes[name]] for name in of.factors]
            table.writerows(zip(of.y.tolist(), *of.regime[:, 1:].T.tolist(), *levels, strict=True))
        script = str(ROOT / "benchmarks" / "r" / "mixed.R")
        out = subprocess.run(["Rscript", script, str(rows), formula], check=True, capture_output=True, text=True).stdout
    found = json.loads(out)
    print(
        f"lme4        {len(of.y):6} rows  {len(of.factors):2} factors  {found['seconds']:20.1f} s  "
        f"deviance {found['deviance']:.4f}"
    )
    return float(found["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statsmodels", action="store_true")
    parser.add_argument("--lme4", action="store_true")
    asked = parser.parse_args()
    ten = published(6, TEN)
    found, seconds = timed(ten)
    timed(published(9, EVERY))
    each = Factor.of("cell", range(len(ten.y)))
    started = time.perf_counter()
    Shares.of(Strata.of(found.design), ten.y, None, each, draws=500, rng=np.random.default_rng(0)).intervals()
    print(f"intervals of shares from 500 draws: {time.perf_counter() - started:.1f} s")
    for wanted, other in ((asked.statsmodels, by_statsmodels), (asked.lme4, by_lme4)):
        if wanted:
            print(f"    {other(ten) / seconds:.0f} times as long")


if __name__ == "__main__":
    main()
