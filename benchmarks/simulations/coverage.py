"""Every interval and decision word of a report on two simulators that share no code: nominal against measured, in one table.

python benchmarks/simulations/coverage.py [--grids 40] [--part null] [--only items scores]

"synthetic" is crossgraft.synthetic, all others are tests/other_grids.py. Each number is a mean over grids ± its Monte-Carlo
error, in percent; cells of one grid are averaged before. Estimands are computed here from the planted truth, not by the package.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import isfinite, sqrt
from pathlib import Path

import numpy as np
from counting import inside
from scipy.stats import kendalltau

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.regimes import ALL_MODELS
from crossgraft.analysis.roles import Roles
from crossgraft.core import Floats, Point
from crossgraft.matrix import ChangeCell
from crossgraft.synthetic import SyntheticGrid
from other_grids import Drawn, Effects, OtherGrid, Planted, Truth, as_scores

Cells = Sequence[ChangeCell]
Number = tuple[str, str, float]  # what, nominal, found in one grid
Draw = Callable[[int], Drawn]

OFF = ("CT-ML", "CT-CL")
ELSEWHERE = ("MT-CL", *OFF)
COVER, FALSE, AT_MOST, POWER = "95", "5", "at most 5", "power"

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


# Grids


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


# What is true


def true(cells: Cells, truth: Truth) -> Floats:
    return np.array([truth.cells[cell.row, cell.target] for cell in cells])


def chosen(findings: Findings, *regimes: str, model: str = ALL_MODELS) -> list[ChangeCell]:
    found = findings.matrix.cells.values()
    return [cell for cell in found if cell.regime in regimes and model in (cell.row.model, ALL_MODELS)]


def contrast(cells: Cells, value: Callable[[ChangeCell], float]) -> float:
    """Own task in other languages less other tasks: the mean over the columns that have both."""
    columns: dict[object, tuple[list[float], list[float]]] = {}
    for cell in cells:
        sides = columns.setdefault((cell.row.model, cell.target), ([], []))
        sides[cell.regime != "MT-CL"].append(value(cell))
    return float(np.mean([np.mean(near) - np.mean(off) for near, off in columns.values() if near and off]))


def trimmed(values: Floats) -> float:
    cut = int(0.1 * len(values))
    return float(np.sort(values)[cut : len(values) - cut].mean())


def two_way(cells: Cells, truth: Truth) -> tuple[dict[str, float], dict[str, float]]:
    """Donors and recipients of least squares in each model, each summing to zero; the mean over models."""
    sides: tuple[dict[str, list[float]], dict[str, list[float]]] = ({}, {})
    for model in dict.fromkeys(cell.row.model for cell in cells):
        own = [cell for cell in cells if cell.row.model == model]
        labels = [str(cell.row.source) for cell in own], [str(cell.target) for cell in own]
        names = [list(dict.fromkeys(side)) for side in labels]
        design = np.array(
            [[*(one == s for one in names[0]), *(one == t for one in names[1])] for s, t in zip(*labels, strict=True)],
            float,
        )
        effects = np.linalg.lstsq(design, true(own, truth), rcond=None)[0]
        for side, known, part in zip(sides, names, np.split(effects, [len(names[0])]), strict=True):
            for name, value in zip(known, part - part.mean(), strict=True):
                side.setdefault(name, []).append(float(value))
    donors, takers = ({name: float(np.mean(values)) for name, values in side.items()} for side in sides)
    return donors, takers


def means_as_in_the_paper(cells: Cells, truth: Truth, key: Callable[[ChangeCell], str]) -> dict[str, float]:
    """The mean of each model's cells by name, then over the models."""
    found: dict[str, dict[str, list[float]]] = {}
    for cell in cells:
        own = found.setdefault(key(cell), {}).setdefault(cell.row.model, [])
        own.append(truth.cells[cell.row, cell.target])
    return {name: float(np.mean([np.mean(values) for values in models.values()])) for name, models in found.items()}


def role_truth(one: Roles, findings: Findings, truth: Truth) -> dict[str, float]:
    """Of the names of a table of donors, of recipients, or of differences."""
    if one.of == "points":
        donors, takers = two_way(chosen(findings, *ELSEWHERE), truth)
    else:
        attribute = "lang" if one.of == "languages" else "skill"
        cells = chosen(findings, "MT-CL" if one.of == "languages" else "CT-ML")
        donors = means_as_in_the_paper(cells, truth, lambda cell: getattr(cell.row.source, attribute))
        takers = means_as_in_the_paper(cells, truth, lambda cell: getattr(cell.target, attribute))
    if one.side == "donor less recipient":
        return {name: donors[name] - takers[name] for name in donors.keys() & takers.keys()}
    return donors if one.side == "donor" else takers


# What is printed


def coverage(findings: Findings, truth: Truth) -> Iterator[Number]:
    """Whether the intervals of one report hold what is true; numbers of one name are averaged."""
    cells = list(findings.matrix.cells.values())
    for cell in cells:
        if isfinite(cell.change.high - cell.change.low):
            yield "cell", COVER, held(cell.change, truth.cells[cell.row, cell.target])
    yield from of_treatments(findings, truth)
    yield from of_means(findings, truth)
    yield from of_contrasts(findings, truth)
    for model in findings.luck:
        own = chosen(findings, *ELSEWHERE, model=model.model)
        yield "mean change elsewhere", COVER, held(model.uplift, float(true(own, truth).mean()))
        for one in model.recipients:
            column = [cell for cell in own if cell.target == one.target]
            yield "recipient: mean over treatments", COVER, held(one.raw, float(true(column, truth).mean()))
    yield from of_roles(findings, truth)
    yield from of_shapes(findings, truth)
    yield from of_variance(findings, truth)


def held(one: object, value: float) -> float:
    return inside(one.low, value, one.high)  # type: ignore[attr-defined]


def of_treatments(findings: Findings, truth: Truth) -> Iterator[Number]:
    summaries = [one for one in findings.summaries if one.gain is not None]
    gains = {
        one.row: float(true([c for c in chosen(findings, "MT-CL") if c.row == one.row], truth).mean())
        for one in summaries
        if "same task" in one.gain_is
    }
    summaries = [one for one in summaries if one.row in gains and isfinite(one.gain.high)]  # type: ignore[union-attr]
    for one in summaries:
        yield "treatment: gain", COVER, held(one.gain, gains[one.row])
        if one.worst is not None and isfinite(one.worst.change.high):
            yield (
                "treatment: worst cell, named",
                COVER,
                held(one.worst.change, truth.cells[one.worst.row, one.worst.target]),
            )
    if summaries:
        best = max(summaries, key=lambda one: one.gain.mean if one.gain else 0)
        yield "study: largest gain, named", COVER, held(best.gain, gains[best.row])
        worst = min((one.worst for one in summaries if one.worst), key=lambda cell: cell.change.mean)
        yield "study: worst cell, named", COVER, held(worst.change, truth.cells[worst.row, worst.target])
    sides: dict[str, tuple[list[float], list[float]]] = {}
    for one in findings.treatment_harm:
        off = float(true([c for c in chosen(findings, *OFF) if c.row == one.row], truth).mean())
        on = true([c for c in chosen(findings, "MT-ML") if c.row == one.row], truth)
        if isfinite(one.off.high):
            yield "treatment: other tasks", COVER, held(one.off, off)
        if one.excess is not None:
            xs, ys = sides.setdefault(one.row.model, ([], []))
            xs.append(float(on.mean()))
            ys.append(off)
        if one.ellipse is not None and one.gain is not None and one.row in gains:
            angle = np.radians(one.ellipse.angle)
            dx, dy = gains[one.row] - one.gain.mean, off - one.off.mean
            along, across = dx * np.cos(angle) + dy * np.sin(angle), -dx * np.sin(angle) + dy * np.cos(angle)
            yield (
                "treatment: ellipse",
                COVER,
                float((along / one.ellipse.long) ** 2 + (across / one.ellipse.short) ** 2 <= 1),
            )
    for model, (xs, ys) in sides.items():
        residuals = np.array(ys) - np.polyval(np.polyfit(xs, ys, 1), xs)
        own = [one for one in findings.treatment_harm if one.row.model == model and one.excess is not None]
        for one, residual in zip(own, residuals, strict=True):
            yield "treatment: other tasks at equal gain", COVER, held(one.excess, float(residual))
    for target in findings.target_harm:
        change = target.worst.change
        if isfinite(change.high):
            yield "target: worst treatment, named", COVER, held(change, truth.cells[target.worst.row, target.target])


def of_means(findings: Findings, truth: Truth) -> Iterator[Number]:
    for one in findings.regimes:
        values = true(chosen(findings, one.regime, model=one.model), truth)
        for name, found, value in (
            ("mean", one.estimate, values.mean()),
            ("median", one.median, np.median(values)),
            ("trimmed mean", one.trimmed, trimmed(values)),
            ("share above zero", one.positive, 100 * np.mean(values > 0)),
            ("share that gain more than 1", one.gained, 100 * np.mean(values > 1)),
            ("share that lose 1 or more", one.harmed, 100 * np.mean(values <= -1)),
        ):
            if found is not None and isfinite(found.high - found.low):
                yield f"regime: {name}", COVER, held(found, float(value))


def of_contrasts(findings: Findings, truth: Truth) -> Iterator[Number]:
    for one in findings.contrasts:
        if one.over == ALL_MODELS or one.over.startswith(("model", "lm")):
            cells = chosen(findings, *ELSEWHERE, model=one.over)
            values = {
                "new items and seeds": contrast(cells, lambda cell: truth.cells[cell.row, cell.target]),
                "new models": contrast(cells, lambda cell: truth.over_models[_source(cell), cell.target]),
                "new tasks": truth.same_task,
            }
            for level in one.levels:
                if level.low is not None:
                    yield f"contrast: {level.level}", COVER, held(level, values[level.level])


def _source(cell: ChangeCell) -> Point:
    assert cell.row.source is not None
    return cell.row.source


def of_roles(findings: Findings, truth: Truth) -> Iterator[Number]:
    for table in findings.roles:
        if not isinstance(table, Roles):
            continue
        known = role_truth(table, findings, truth)
        name = f"{table.of}, {table.side}"
        roles = [one for one in table.roles if isfinite(one.score.high)]
        for place, one in enumerate(roles):
            yield f"{name}: score", COVER, held(one.score, known[one.name])
            if place == 0:
                yield f"{name}: the first, named", COVER, held(one.score, known[one.name])
            if one.first is not None and one.first > 0.9:
                yield f"{name}: first with P > .9, and is it", "over 90", float(known[one.name] == max(known.values()))


def of_shapes(findings: Findings, truth: Truth) -> Iterator[Number]:
    for one in findings.two_way:
        if one.low is not None:
            donors, takers = two_way(chosen(findings, *ELSEWHERE, model=one.model), truth)
            both = sorted(donors.keys() & takers.keys())
            value = np.corrcoef([donors[name] for name in both], [takers[name] for name in both])[0, 1]
            yield "donors and recipients: correlation", COVER, held(one, float(value))
    for index in findings.asymmetries:
        if index.index is not None and index.low is not None:
            there, back = pairs(chosen(findings, *ELSEWHERE, model=index.model), truth)
            k, s = (there - back) / 2, (there + back) / 2
            k2, s2 = float(np.mean(k**2)), float(np.var(s))
            yield "asymmetry", COVER, held(index, k2 / (k2 + s2))
    for agreement in findings.consistency:
        if agreement.rankers == "models" and agreement.noise is not None and agreement.noise.low is not None:
            rho = np.sin(np.pi / 2 * mean_tau(chosen(findings, str(agreement.regime)), truth))
            yield "models agree: correlation of true changes", COVER, held(agreement.noise, float(rho))


def of_variance(findings: Findings, truth: Truth) -> Iterator[Number]:
    """Shares of the variance of cells as they are measured, so with the grid's own noise; effects of regimes."""
    fit = findings.variance.crossed if findings.variance else None
    if fit is None or not truth.variances:
        return
    cells = chosen(findings, *ELSEWHERE)
    noise = np.mean((np.array([cell.change.mean for cell in cells]) - true(cells, truth)) ** 2)
    whole = sum(truth.variances.values()) + float(noise)
    for one in fit.shares:
        if one.factor in truth.variances:
            yield f"variance: share of {one.factor}", COVER, held(one, truth.variances[one.factor] / whole)
    for effect in fit.fixed:
        if effect.name.endswith("less CT-CL") and not effect.name.startswith("MT-ML"):
            value = truth.same_task if effect.name.startswith("MT-CL") else 0.0
            yield f"variance: {effect.name}", COVER, held(effect.effect, value)


def pairs(cells: Cells, truth: Truth) -> tuple[Floats, Floats]:
    """True changes of pairs of points, there and back."""
    known = {(str(_source(cell)), str(cell.target)): truth.cells[cell.row, cell.target] for cell in cells}
    both = [(s, t) for s, t in known if s < t and (t, s) in known]
    return np.array([known[s, t] for s, t in both]), np.array([known[t, s] for s, t in both])


def mean_tau(cells: Cells, truth: Truth) -> float:
    """Over sources, of the mean over pairs of models on the recipients they share."""
    found = []
    for source in dict.fromkeys(_source(cell) for cell in cells):
        models: dict[str, dict[Point, float]] = {}
        for cell in cells:
            if cell.row.source == source:
                models.setdefault(cell.row.model, {})[cell.target] = truth.cells[cell.row, cell.target]
        for one, other in combinations(models.values(), 2):
            both = [target for target in one if target in other]
            if len(both) > 2:
                found.append(kendalltau([one[t] for t in both], [other[t] for t in both]).statistic)
    return float(np.mean(found))


def null(findings: Findings, _: Truth) -> Iterator[Number]:
    """What is announced where nothing transfers."""

    def off_zero(one: object) -> float:
        return float(one.low > 0 or one.high < 0)  # type: ignore[attr-defined]

    for cell in findings.matrix.cells.values():
        yield "cell: excludes zero", FALSE, off_zero(cell.change)
    yield "grids with a gain announced", AT_MOST, float(any(one.sure == "better" for one in findings.summaries))
    yield "grids with a harm announced", AT_MOST, float(any(one.worst_is_harm for one in findings.summaries))
    for one in findings.summaries:
        if one.gain is not None:
            yield "treatment: gain excludes zero", FALSE, off_zero(one.gain)
    for harm in findings.treatment_harm:
        yield "treatment: other tasks exclude zero", FALSE, off_zero(harm.off)
        if harm.excess is not None:
            yield "treatment: at equal gain excludes zero", FALSE, off_zero(harm.excess)
    for regime in findings.regimes:
        yield "regime: mean excludes zero", FALSE, off_zero(regime.estimate)
        if isfinite(regime.gained.high):
            yield "regime: share that gain more than 1 excludes none", FALSE, float(regime.gained.low > 0)
    for level in findings.contrasts[0].levels if findings.contrasts else ():
        if level.low is not None:
            yield f"contrast: {level.level} exclude zero", FALSE, off_zero(level)
    for luck in findings.luck:
        yield "mean change elsewhere excludes zero", FALSE, off_zero(luck.uplift)
        yield "cells expected above zero", "0", luck.positive / 100
        for recipient in luck.recipients:
            yield "recipient: mean excludes zero", FALSE, off_zero(recipient.raw)
    for table in findings.roles:
        if isinstance(table, Roles):
            name = f"{table.of}, {table.side}"
            for role in table.roles:
                yield f"{name}: score excludes zero", FALSE, off_zero(role.score)
            if table.same_set is not None:
                yield (
                    f"{name}: a first with P > .95",
                    AT_MOST,
                    float(any((role.first or 0) > 0.95 for role in table.roles)),
                )
    for agreement in findings.consistency:
        if agreement.rankers == "models" and agreement.chance is not None and agreement.index is not None:
            yield "models agree: index beyond chance", FALSE, float(agreement.index > agreement.chance.highest)
    for one in findings.coverage:
        yield "targets helped with P > .9", "10", one.helped / one.targets
    for gate in findings.gates:
        if gate.name in ("dead targets", "sister languages"):
            yield f"gate fails: {gate.name}", "", float(not gate.fine)


PLANTS: Mapping[str, Planted] = {
    "donor of +2 everywhere": Planted(donor=2),
    "target that loses 4 under every source": Planted(target=-4),
    "target that loses 6 under every source": Planted(target=-6),
    "treatment that loses 5 on its task elsewhere": Planted(same_task=-5),
}


def power(findings: Findings, grid: OtherGrid, plant: str) -> Iterator[Number]:
    """Where what is planted is named."""
    first, target = findings.sentences[0], grid.points[-1]
    if plant.startswith("donor"):
        name = grid.row(0, 0).name
        table = next(
            one for one in findings.roles if isinstance(one, Roles) and (one.of, one.side) == ("points", "donor")
        )
        top = table.roles[0]
        yield f"{plant}: first of the donors", POWER, float(top.name == name)
        yield f"{plant}: first with P > .95", POWER, float(top.name == name and (top.first or 0) > 0.95)
        yield (
            f"{plant}: its score excludes zero",
            POWER,
            float(next(one for one in table.roles if one.name == name).score.low > 0),
        )
        yield f"{plant}: in the first sentence", POWER, float(name in first)
    elif plant.startswith("target"):
        yield f"{plant}: in the first sentence", POWER, float(f"on {target} " in first)
        yield f"{plant}: most brittle of its model", POWER, np.mean([
            next(one for one in findings.target_harm if one.model == model).target == target
            for model in dict.fromkeys(one.model for one in findings.target_harm)
        ])  # fmt: skip
        for luck in findings.luck:
            own = next(one for one in luck.recipients if one.target == target)
            yield f"{plant}: its mean is below zero", POWER, float(own.raw.high < 0)
    else:
        row = grid.row(0, 1)
        own = [one for one in findings.summaries if one.row.name == row.name]
        yield f"{plant}: in the first sentence", POWER, float(f"{row.name} (" in first or f"{row.name} on" in first)
        yield (
            f"{plant}: its gain is called worse",
            POWER,
            float(np.mean([one.gain is not None and one.gain.verdict == "worse" for one in own])),
        )


# Counting


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
