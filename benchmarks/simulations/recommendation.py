"""Recommendations on grids whose truth is known: is the promised risk kept, and is more gained than by plain rules at equal harm.

python benchmarks/simulations/recommendation.py [--grids 300] [--design synthetic "other, one model" ruinous] [--settling]

"synthetic" is crossgraft.transfer.synthetic, all others are tests/other_grids.py, which shares no code with it: items whose difficulty
languages share, cells with heavy tails, one model, one seed. Variances are estimated from each grid. Of every grid three questions are asked:
one or two targets at random to improve, four others to protect. A violation is a protected target whose true change
is below the tolerance. Gains are true ones, 0 where the base is kept. Numbers are means over grids; the three
questions of a grid are averaged before.

With --settling, synthetic grids in which the base was kept are measured anew on as many items and seeds as the answer asked for (all
of their cells, which is more than it asked for), to see how often the option is then allowed, or ruled out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from counting import line

from crossgraft.analysis.questions.variance.posterior import posterior
from crossgraft.core import Floats, Treatment
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import Options
from crossgraft.recommendation.question import Question
from crossgraft.recommendation.rules import RULES, choose
from crossgraft.recommendation.settling import settling
from crossgraft.recommendation.yardsticks import yardsticks
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from other_grids import Effects, OtherGrid, Planted

TOLERANCE = 1.0
RISKS = (0.05, 0.1, 0.2)
ANY_RISK = tuple(np.round(np.concatenate([np.arange(0, 0.1, 0.01), np.arange(0.1, 1.01, 0.05)]), 2).tolist())
QUESTIONS = 3
_MOST_ITEMS = 8
OTHER = OtherGrid(
    models=1,
    tasks=3,
    languages=3,
    sources=9,
    seeds=1,
    items=300,
    parallel=0.7,
    difficulty=1.5,
    seed=0.3,
    seed_cell=0.3,
    effects=Effects(source=1, target=0.7, task_pair=0.7, cell=1, tail=3, same_task=1.5, same_task_spread=1),
)
DESIGNS: Mapping[str, SyntheticGrid | OtherGrid] = {
    "synthetic": SyntheticGrid(
        models=2, tasks=3, languages=4, seeds=2, items=300, source=1, target=0.7, target_task=0.7, task_pair=0.7,
        model_source=0.5, model_target=0.7, same_task=1.5, cell=0.7, seed=0.3,
    ),
    "other, one model": OTHER,
    "other, two models, three seeds": replace(OTHER, models=2, seeds=3, sources=6),
    "ruinous": replace(OTHER, sources=6, planted=Planted(ruinous=6, ruin=-8.0)),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Case:
    """One question of a grid: what draws say of its options, what is true of them, the base first."""

    options: Options
    gains: Floats
    harmed: Floats  # 1.0 where a protected target truly loses more than the tolerance
    plain: Mapping[str, list[int]]  # of each yardstick, the places of what it takes
    careful: int  # the largest measured change among options whose measured changes are all within the tolerance

    def outcome(self, rule: str, risk: float) -> tuple[bool, float, float]:
        """Whether a treatment is recommended, its true gain, and whether it truly harms."""
        chosen = choose(self.options, RULES[rule](self.options.losses, risk))  # type: ignore[index]
        return chosen != 0, float(self.gains[chosen]), float(self.harmed[chosen])


def cases(grid: SyntheticGrid | OtherGrid, seed: int) -> Iterator[Case]:
    matrix, truth = drawn(grid, seed)
    found, rng, model = posterior(matrix), np.random.default_rng([7, seed]), matrix.rows[0].model
    for _ in range(QUESTIONS):
        order = [str(matrix.columns[place]) for place in rng.permutation(len(matrix.columns))]
        count = int(rng.integers(1, 3))
        question = Question(tuple(order[:count]), tuple(order[count : count + 4]), TOLERANCE, model=model)
        yield case(matrix, truth, Options.of(Asked.of(question, matrix), found))


def drawn(grid: SyntheticGrid | OtherGrid, seed: int) -> tuple[TransferMatrix, Floats]:
    if isinstance(grid, SyntheticGrid):
        return grid.matrix(seed), grid.truth(seed)
    found = grid.draw(seed)
    rows, columns = found.matrix.rows, found.matrix.columns
    return found.matrix, np.array([[found.truth.cells[row, target] for target in columns] for row in rows])


def case(matrix: TransferMatrix, truth: Floats, options: Options) -> Case:
    asked = options.asked
    rows = [matrix.rows.index(row) for row in options.rows if row is not None]
    improve, protect = ([matrix.columns.index(one) for one in some] for some in (asked.improve, asked.protect))
    gains = np.concatenate([[0.0], truth[np.ix_(rows, improve)].mean(axis=1)])
    harmed = np.concatenate([[False], (truth[np.ix_(rows, protect)] < -TOLERANCE).any(axis=1)])
    seen = np.where((matrix.change[np.ix_(rows, protect)] < -TOLERANCE).any(axis=1), -np.inf,
                    matrix.change[np.ix_(rows, improve)].mean(axis=1))  # fmt: skip
    careful = 1 + int(np.argmax(seen)) if seen.max() > 0 else 0
    plain = {one.name: [options.rows.index(row) for row in one.rows] for one in yardsticks(matrix, options)}
    return Case(options, gains, harmed.astype(float), plain, careful)


def simulate(name: str, grid: SyntheticGrid | OtherGrid, grids: int) -> None:
    print(f"{name}: {grids} grids, {QUESTIONS} questions each, tolerance {TOLERANCE:g} pp", flush=True)
    every = [list(cases(grid, seed)) for seed in range(grids)]
    for rule in RULES:
        for risk in RISKS:
            kept(f"{rule}, risk {risk:g}", [[one.outcome(rule, risk) for one in own] for own in every], risk)
    against(every)


def kept(name: str, outcomes: list[list[tuple[bool, float, float]]], risk: float) -> None:
    """Promise and outcome of one rule."""
    told = np.array(outcomes)  # (grids, questions, 3)
    recommended, harmed = told[..., 0].sum(axis=1), told[..., 2].sum(axis=1)
    line(f"{name}: recommends", told[..., 0].mean(axis=1))
    if recommended.any():
        rate, error = ratio(harmed, recommended)
        print(
            f"  {f'{name}: violations, of recommendations':58} {rate:7.3f} ± {error:.3f}  (promised at most {risk:g})"
        )
    line(f"{name}: true gain, pp", told[..., 1].mean(axis=1))


def ratio(hits: Floats, of: Floats) -> tuple[float, float]:
    """A ratio of sums over grids, and its standard error by linearisation; at least that of one hit more."""
    rate = float(hits.sum() / of.sum())
    left = hits - rate * of
    return rate, max(sqrt(float(left @ left)), 1.0) / float(of.sum())


def against(every: list[list[Case]]) -> None:
    """Plain rules, and the chance rule at the largest risk at which it harms no more often than each of them."""
    ours = np.array([[[one.outcome("chance", risk)[1:] for risk in ANY_RISK] for one in own] for own in every])
    ours = ours.mean(axis=1)  # (grids, risks, 2)
    names = every[0][0].plain
    for name in [*names, "the largest measured change within the tolerance"]:
        theirs = [[taken(one, name) for one in own] for own in every]
        pairs = np.array([np.nanmean(own, axis=0) for own in theirs if not np.isnan(own).all()])
        at = [place for place, own in enumerate(theirs) if not np.isnan(own).all()]
        if not at:
            continue
        harm = ours[at, :, 1].mean(axis=0)
        risk = max(place for place in range(len(ANY_RISK)) if harm[place] <= pairs[:, 1].mean() + 1e-9)
        line(f"{name}: violations", pairs[:, 1])
        line(f"{name}: true gain, pp", pairs[:, 0])
        line(f"  ours at risk {ANY_RISK[risk]:g}: violations", ours[at, risk, 1])
        line(f"  ours at risk {ANY_RISK[risk]:g}: true gain, pp", ours[at, risk, 0])
        line("  ours less theirs, pp", ours[at, risk, 0] - pairs[:, 0])
    best = [[max(0.0, float(np.where(one.harmed > 0, -np.inf, one.gains).max())) for one in own] for own in every]
    line("who knows the truth: true gain, pp", np.mean(best, axis=1))


def taken(one: Case, name: str) -> tuple[float, float]:
    """True gain and harm of what a plain rule takes; NaN where it takes nothing."""
    places = one.plain.get(name, [one.careful])
    return (float(one.gains[places].mean()), float(one.harmed[places].mean())) if places else (np.nan, np.nan)


def settles(grid: SyntheticGrid, grids: int) -> None:
    said, seen = [], []
    for seed in range(grids):
        matrix = grid.matrix(seed)
        for one in cases(grid, seed):
            found = settling(matrix, one.options) if one.outcome("chance", 0.1)[0] is False else None
            way = found.ways[0] if found and found.ways else None
            if found and way and way.clear and way.items <= _MOST_ITEMS * found.items:
                again = replace(grid, items=way.items, seeds=way.seeds).matrix(seed)
                said.append((way.allowed, way.ruled_out))
                seen.append(_became(Options.of(one.options.asked, posterior(again)), found.row))
    print(f"settling: {len(said)} abstentions of {grids} synthetic grids, at most {_MOST_ITEMS} times the items")
    if len(said) < 2:
        return
    for place, what in enumerate(("allowed", "ruled out")):
        line(f"then {what}, as said", [one[place] for one in said])
        line(f"then {what}, when measured", [one[place] for one in seen])


def _became(options: Options, row: Treatment) -> tuple[float, float]:
    """Whether the option is allowed and gains, or is ruled out."""
    place, risk = options.rows.index(row), options.asked.question.risk
    gains, harm = options.gains[:, place], float(options.harms[:, place].mean())
    allowed = harm <= risk and float(gains.mean()) > 0
    return float(allowed), float(not allowed and (harm >= 1 - risk or float((gains > 0).mean()) <= risk))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=300)
    parser.add_argument("--design", nargs="+", choices=list(DESIGNS), default=list(DESIGNS))
    parser.add_argument("--settling", action="store_true")
    asked = parser.parse_args()
    if asked.settling:
        settles(DESIGNS["synthetic"], asked.grids)  # type: ignore[arg-type]
        return
    for name in asked.design:
        simulate(name, DESIGNS[name], asked.grids)


if __name__ == "__main__":
    main()
