"""Every interval and decision word of a report on two simulators that share no code: nominal against measured, in one table.

python benchmarks/simulations/coverage.py [--grids 40] [--part null] [--only items scores]

"synthetic" is crossgraft.transfer.synthetic, all others are tests/other_grids.py. Each number is a mean over grids ± its Monte-Carlo
error, in percent; cells of one grid are averaged before. Estimands (estimands.py) are computed from the planted truth, not by the package.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from announced import null, power
from held import Number, coverage

from crossgraft.analysis.findings import Findings, analyse
from crossgraft.transfer.synthetic import SyntheticGrid
from other_grids import Drawn, Effects, OtherGrid, Planted, Truth, as_scores

Draw = Callable[[int], Drawn]

FACTORS = ("source", "target", "task pair", "model × source", "model × target", "cell")
EFFECTS = Effects(
    source=1, target=1, task_pair=1, pair=0.5, model_source=0.7, model_target=0.7, cell=1,
    same_task=2, same_task_spread=1.5, on_source=4,
)  # fmt: skip
PLAIN = OtherGrid(uneven=1.5, lacking=0.1, missing=0.1)
OTHERS: Mapping[str, OtherGrid] = {
    "items": PLAIN,
    "scores": PLAIN,
    "passages declared": replace(PLAIN, passage=5, lacking=0.0),
    "passages undeclared": replace(PLAIN, passage=5, lacking=0.0, declared=False),
    "graded": replace(PLAIN, graded=0.6),
    "5 models, 1 seed": replace(PLAIN, models=5, seeds=1),
    "ruinous": replace(PLAIN, planted=Planted(ruinous=1)),
}
SYNTHETIC = SyntheticGrid(models=2, tasks=4, languages=3, seeds=3, items=150, seed=0.5)
MIXED = replace(
    SYNTHETIC, same_task=2, on_source=4, source=1, target=1, task_pair=1, model_source=0.7, model_target=0.7, cell=1
)


def of_synthetic(grid: SyntheticGrid) -> Draw:
    def draw(seed: int) -> Drawn:
        matrix, truth = grid.matrix(seed), grid.truth(seed)
        cells = {
            (row, target): float(truth[m, t])
            for m, row in enumerate(matrix.rows)
            for t, target in enumerate(matrix.columns)
        }
        kind = replace(grid, model=0, model_source=0, model_target=0, cell=0).truth(seed)[: len(grid.points)]
        pairs = {(s, t): float(kind[i, j]) for i, s in enumerate(grid.points) for j, t in enumerate(grid.points)}
        planted = {name: getattr(grid, name.replace(" × ", "_").replace(" ", "_")) ** 2 for name in FACTORS}
        return Drawn(matrix, Truth(cells, pairs, grid.same_task, planted))

    return draw


def of_other(name: str, grid: OtherGrid) -> Draw:
    return (lambda seed: as_scores(grid.draw(seed))) if name == "scores" else grid.draw


def designs(part: str) -> Iterator[tuple[str, Draw]]:
    """Name of a column and its grids."""
    if part != "power":
        yield "synthetic", of_synthetic(SYNTHETIC if part == "null" else MIXED)
    for name, grid in OTHERS.items():
        if part == "effects":
            yield name, of_other(name, replace(grid, effects=EFFECTS))
        elif name != "ruinous":
            yield name, of_other(name, grid)


PLANTS: Mapping[str, Planted] = {
    "donor of +2 everywhere": Planted(donor=2),
    "target that loses 4 under every source": Planted(target=-4),
    "target that loses 6 under every source": Planted(target=-6),
    "treatment that loses 5 on its task elsewhere": Planted(same_task=-5),
}


def measure(
    draw: Draw, grids: int, numbers: Callable[[Findings, Truth], Iterator[Number]]
) -> dict[tuple[str, str], list[float]]:
    """By what and nominal: a mean per grid."""
    found: dict[tuple[str, str], list[float]] = {}
    for seed in range(grids):
        drawn = draw(seed)
        own: dict[tuple[str, str], list[float]] = {}
        for what, nominal, value in numbers(analyse(drawn.matrix), drawn.truth):
            own.setdefault((what, nominal), []).append(value)
        for key, values in own.items():
            found.setdefault(key, []).append(float(np.mean(values)))
    return found


def told(values: Sequence[float] | None) -> str:
    if not values:
        return ""
    error = np.std(values, ddof=1) / sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{100 * np.mean(values):.0f} ± {100 * (error or 1 / len(values)):.0f}"


def table(title: str, columns: Mapping[str, Mapping[tuple[str, str], Sequence[float]]]) -> None:
    keys = dict.fromkeys(key for column in columns.values() for key in column)
    print(f"\n### {title}\n\n| what, % | nominal | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for what, nominal in sorted(keys, key=lambda key: key[0]):
        print(
            f"| {what} | {nominal} | {' | '.join(told(column.get((what, nominal))) for column in columns.values())} |"
        )
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=40)
    parser.add_argument("--part", choices=("effects", "null", "power"), nargs="*", default=["effects", "null", "power"])
    parser.add_argument("--only", nargs="*", help="columns")
    given = parser.parse_args()
    titles = {"effects": "Intervals hold the truth", "null": "Nothing transfers", "power": "What is planted is named"}
    for part in given.part:
        columns: dict[str, dict[tuple[str, str], list[float]]] = {}
        for name, draw in designs(part):
            if given.only and name not in given.only:
                continue
            if part == "power":
                columns[name] = {}
                for plant, planted in PLANTS.items():
                    grid = replace(OTHERS[name], planted=planted)
                    columns[name] |= measure(
                        of_other(name, grid),
                        given.grids,
                        lambda one, _, grid=grid, plant=plant: power(one, grid, plant),
                    )
            else:
                columns[name] = measure(draw, given.grids, coverage if part == "effects" else null)
        table(f"{titles[part]}, {given.grids} grids per column", columns)


if __name__ == "__main__":
    main()
