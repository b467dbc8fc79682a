"""Tables without items: do intervals over tasks and languages hold what is true of other tasks and languages.

python benchmarks/simulations/scores.py [--grids 100]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from counting import inside, line

from crossgraft.analysis.external.scores import ScoreRow, matrix_of_scores
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.effects.contrast import contrasts
from crossgraft.analysis.questions.effects.regimes import regimes
from crossgraft.core import Labels
from crossgraft.transfer.synthetic import SyntheticGrid

NOISE = 0.7  # pp, of a cell
GRID = SyntheticGrid(
    models=3, tasks=4, languages=5, source_task=0.35, source_language=0.15, source=0.25, target_language=0.3, target=0.5,
    task_pair=0.45, language_pair=0.15, model_source=0.25, model_target=0.6, cell=0.3,
)  # fmt: skip


def rows(seed: int) -> Iterator[ScoreRow]:
    truth = GRID.truth(seed)
    seen = truth + np.random.default_rng(seed).normal(0, NOISE, truth.shape)
    places = [(f"model{model}", source) for model in range(GRID.models) for source in GRID.points]
    for number, (model, source) in enumerate(places):
        for place, target in enumerate(GRID.points):
            yield ScoreRow(0, model, source, target, 0.5, 0.5 + seen[number, place] / 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=100)
    grids = parser.parse_args().grids
    held: dict[str, list[float]] = {}
    for seed in range(grids):
        draws = Draws(matrix_of_scores(rows(seed)))
        first = next(iter(contrasts(draws, Labels()))).estimate
        held.setdefault("own task less other tasks", []).append(inside(first.low, 0, first.high))
        for one in regimes(draws):
            if one.model == "all models":
                for name, found in (("mean", one.estimate), ("median", one.median)):
                    held.setdefault(f"{one.regime}, {name}", []).append(inside(found.low, 0, found.high))
                cells = [cell.change.mean for cell in draws.cells if cell.regime == one.regime]
                half = 1.96 * float(np.std(cells)) / np.sqrt(len(cells))
                held.setdefault(f"{one.regime}, mean, cells as if independent (not used)", []).append(
                    inside(-half, np.mean(cells), half)
                )
    print(f"intervals of tables of scores, 3 models, 4 tasks, 5 languages, noise {NOISE} pp a cell, {grids} grids")
    for name, values in held.items():
        line(name, values, "0.95")


if __name__ == "__main__":
    main()
