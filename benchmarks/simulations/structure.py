"""Asymmetry and its gradient part with noise taken off, and Mantel's test beside one that counts pairs as independent.

python benchmarks/simulations/structure.py [--grids 100]
"""

from __future__ import annotations

import argparse

import numpy as np
from counting import inside, line
from scipy.stats import spearmanr

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.paper.typology import FACTS, distance
from crossgraft.analysis.questions.roles.asymmetry import asymmetries
from crossgraft.core import Floats
from crossgraft.stats.matrices.hodge import parts
from crossgraft.stats.matrices.mantel import mantel
from crossgraft.stats.matrices.patterns import centred
from crossgraft.transfer.synthetic import SyntheticGrid

LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")


def asymmetry(grids: int) -> None:
    """Against what the planted changes themselves have."""
    for name, cell in (("sources and targets", 0.0), ("sources, targets and cells", 2.0)):
        grid = SyntheticGrid(models=1, tasks=3, languages=4, items=400, source=1.5, target=1.5, cell=cell)
        found: dict[str, list[float]] = {}
        for seed in range(grids):
            matrix, truth = grid.matrix(seed), grid.truth(seed)
            np.fill_diagonal(truth, np.nan)
            symmetric, gradient, cyclic = parts(truth).energies
            planted = float((gradient + cyclic) / (symmetric + gradient + cyclic))
            along = float(gradient / (gradient + cyclic))
            (one,) = asymmetries(Draws(matrix))
            if one.index is not None and one.low is not None and one.raw is not None:
                found.setdefault("antisymmetric share as it is, less the planted", []).append(one.raw - planted)
                found.setdefault("without noise, less the planted", []).append(one.index - planted)
                found.setdefault("interval holds the planted", []).append(inside(one.low, planted, one.high))
            if one.ranking is not None:
                found.setdefault("gradient share without noise, less the planted", []).append(one.ranking - along)
        print(f"asymmetry, planted {name}: 12 points, 400 items, {grids} grids")
        for what, values in found.items():
            line(what, values, "0.95" if "holds" in what else "0" if "without" in what else "")


def _correlated(table: Floats, apart: Floats) -> float:
    off = ~np.eye(len(table), dtype=bool)
    return float(spearmanr(table[off], apart[off]).pvalue)


def distance_test(grids: int) -> None:
    """Languages are good donors and easy recipients, whatever their distance."""
    apart = np.array([[distance(s, t) for t in LANGUAGES] for s in LANGUAGES])
    assert set(LANGUAGES) <= FACTS.keys()
    rejected: dict[str, list[float]] = {
        "pairs as if independent (not used)": [],
        "Mantel": [],
        "Mantel, beyond donor and recipient": [],
    }
    for seed in range(grids):
        rng = np.random.default_rng(seed)
        table = rng.normal(0, 1, (11, 1)) + rng.normal(0, 1, (1, 11)) + rng.normal(0, 0.5, (11, 11))
        np.fill_diagonal(table, np.nan)
        whole = mantel(table, apart, rng, draws=500)
        off = ~np.eye(len(table), dtype=bool)
        residual = np.where(off, centred(np.where(off, table, 0.0), off), np.nan)
        beyond = mantel(residual, apart, rng, draws=500)
        assert whole is not None
        assert beyond is not None
        for name, p in zip(rejected, (_correlated(table, apart), whole.p, beyond.p), strict=True):
            rejected[name].append(float(p < 0.05))
    print(f"distance of 11 languages that has nothing to do with transfer: rejected at .05, {grids} tables")
    for name, values in rejected.items():
        line(name, values, "0.05")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=100)
    grids = parser.parse_args().grids
    asymmetry(grids)
    distance_test(5 * grids)


if __name__ == "__main__":
    main()
