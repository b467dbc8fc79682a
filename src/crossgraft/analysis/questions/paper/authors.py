"""The figures of the paper computed its way beside ours, and why the two differ.

The paper's own definitions: every cell counts as measured, means are over cells, scores are means of what happens to be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.cells import in_regimes, other_tasks, same_task, sourced, trained
from crossgraft.analysis.intervals.draws import Draws, has_items
from crossgraft.analysis.questions.effects.contrast import contrasts
from crossgraft.analysis.questions.paper.published import ALL_TRANSFER, HARM
from crossgraft.analysis.questions.paper.typology import typology
from crossgraft.analysis.questions.paper.uriel import EXTRA, SETS, installed
from crossgraft.analysis.questions.roles.consistency import consistencies
from crossgraft.analysis.wording import interval
from crossgraft.core import REGIME_WORDS, Floats, Labels, Point
from crossgraft.stats.matrices.agreement import ranks
from crossgraft.stats.matrices.two_way import additive
from crossgraft.transfer.matrix import ChangeCell

_FRONT_DRAWS = 200
_LEAST_RANKED = 3

Name = Callable[[Point], str]
Cells = Sequence[ChangeCell]


@dataclass(frozen=True)
class SideBySide:
    """One figure, the paper's way and ours; None where it cannot be computed. ``why`` says why, or why the two differ."""

    what: str
    unit: str  # "pp", "%" or "" for what has none
    authors: float | None
    ours: float | None
    why: str


@dataclass(frozen=True)
class ParetoPoint:
    """A model trained on a source: what it gains on the task elsewhere, what other tasks gain, how many of these it harms."""

    model: str
    source: Point
    near: float  # mean change on the same task in other languages, pp
    off: float  # mean change on other tasks, pp
    harmed: float  # % of the cells elsewhere that lose a point or more
    on_front: bool  # no other point of the model is better on both, by the estimates
    probability: float  # share of the draws of items in which that is so


def side_by_side(draws: Draws, labels: Labels) -> tuple[SideBySide, ...]:
    """All figures that these cells allow, in the order of the paper."""
    cells = [cell for cell in draws.cells if cell.row.kind == "trained" and cell.regime]
    near, across = same_task(cells), in_regimes(cells, "CT-ML")
    return (
        *_regimes(cells),
        *_by_label(sourced(cells), labels),
        *_against_off(draws, labels, cells),
        *_scores("language", near, _language),
        *_scores("task", across, _task),
        *_index(draws, labels),
        *_pareto(draws),
        *_translated(near, labels),
        *_typology(draws),
    )


def _language(point: Point) -> str:
    return point.lang


def _task(point: Point) -> str:
    return point.skill


def _regimes(cells: Cells) -> Iterator[SideBySide]:
    """Means, positive and harmed cells of each regime, and of all off the source."""
    groups = {words: in_regimes(cells, regime) for regime, words in REGIME_WORDS.items()}
    for words, group in {**groups, f"in {ALL_TRANSFER}": sourced(cells)}.items():
        if not group:
            continue
        changes = np.array([cell.change.mean for cell in group])
        lows, highs = (np.array([getattr(cell.change, end) for cell in group]) for end in ("low", "high"))
        yield SideBySide(
            f"mean change {words}",
            "pp",
            float(changes.mean()),
            float(np.median(changes)),
            "ours is the median: a tail carries the mean",
        )
        yield SideBySide(
            f"cells that gain {words}",
            "%",
            100 * float((changes > 0).mean()),
            100 * float((lows > 0).mean()),
            "ours counts cells whose interval is above zero: by chance alone about half of those that do nothing are positive",
        )
        yield SideBySide(
            f"cells that are harmed {words}",
            "%",
            100 * float((changes <= HARM).mean()),
            100 * float(((changes <= HARM) & (highs < 0)).mean()),
            "ours counts only those whose interval is below zero: the noise of a cell is about a point",
        )


def _by_label(cells: Cells, labels: Labels) -> Iterator[SideBySide]:
    """Means over all transfer cells by family and by size, where they are known and differ."""
    families = labels.family
    sizes = {model: f"{billions:g}B" for model, billions in sorted(labels.billions.items(), key=lambda one: one[1])}
    for kind, known in (("family", families), ("size", sizes)):
        levels = dict.fromkeys(known.values())
        for level in levels if len(levels) > 1 else ():
            changes = np.array([cell.change.mean for cell in cells if known.get(cell.row.model) == level])
            if changes.size:
                why = "ours is the median: a tail carries the mean"
                what = f"mean change in {ALL_TRANSFER}, {kind} {level}"
                yield SideBySide(what, "pp", float(changes.mean()), float(np.median(changes)), why)


def _against_off(draws: Draws, labels: Labels, cells: Cells) -> Iterator[SideBySide]:
    """On the source's task less off it: the two means, and within each model's target."""
    near, off = same_task(cells), other_tasks(cells)
    ours = next(contrasts(draws, labels), None)
    if near and off and ours:
        told = {level.level: level for level in ours.levels}
        new = told.get("new tasks")
        ends = "" if new is None or new.low is None or new.high is None else interval(new.low, new.high)
        theirs = float(np.mean([cell.change.mean for cell in near]) - np.mean([cell.change.mean for cell in off]))
        why = "ours is within a model's target, so that the base cancels"
        why += f"; for new tasks its interval is {ends}" if ends else ""
        yield SideBySide("same task less other tasks", "pp", theirs, ours.estimate.mean, why)


def scores(cells: Cells, group_of: Callable[[ChangeCell], str]) -> dict[str, float]:
    """The paper's: the mean change of each model by group, then the mean over models."""
    by: dict[str, dict[str, list[float]]] = {}
    for cell in cells:
        by.setdefault(group_of(cell), {}).setdefault(cell.row.model, []).append(cell.change.mean)
    return {group: float(np.mean([np.mean(values) for values in of.values()])) for group, of in by.items()}


def adjusted_scores(cells: Cells, name: Name, *, donors: bool) -> dict[str, float]:
    """Ours: the effect of a source (or target) beside that of the other side, by least squares, in pp around the mean.

    Donors are compared within a model's target, recipients within a model's source: a donor that is never tested on itself does
    not look better for being the easiest recipient, and noise of the base cancels between donors.
    """
    places: dict[tuple[str, tuple[str, Point]], list[float]] = {}
    for cell in cells:
        assert cell.row.source is not None
        own, other = (cell.row.source, cell.target) if donors else (cell.target, cell.row.source)
        places.setdefault((name(own), (cell.row.model, other)), []).append(cell.change.mean)
    names = list(dict.fromkeys(own for own, _ in places))
    others = list(dict.fromkeys(other for _, other in places))
    means = np.array([np.mean(values) for values in places.values()])
    rows = np.array([names.index(own) for own, _ in places])
    columns = np.array([others.index(other) for _, other in places])
    fitted = additive(rows, columns)
    if fitted is None:
        return {}  # blocks without a cell between them
    return dict(zip(names, (fitted.mean @ means + fitted.donors @ means).tolist(), strict=True))


def _scores(kind: str, cells: Cells, name: Name) -> Iterator[SideBySide]:
    if not cells:
        return
    for donors in (True, False):
        side = "donor" if donors else "recipient"
        theirs = scores(cells, _group(name, donors=donors))
        ours = adjusted_scores(cells, name, donors=donors)
        why = (
            f"ours compares {side}s on the same {'targets' if donors else 'sources'}; the means are over different ones"
        )
        if len(theirs) < _LEAST_RANKED:
            why = f"with {len(theirs)} {side}s each {'target' if donors else 'source'} knows one of them only"
            ours = {}
        for group, value in theirs.items():
            yield SideBySide(f"{group} as {side} {kind}", "pp", value, ours.get(group), why)


def _group(name: Name, *, donors: bool) -> Callable[[ChangeCell], str]:
    def of(cell: ChangeCell) -> str:
        point = cell.row.source if donors else cell.target
        assert point is not None
        return name(point)

    return of


def _index(draws: Draws, labels: Labels) -> Iterator[SideBySide]:
    for consistency in consistencies(draws, labels):
        rho = consistency.noise.rho if consistency.noise else None
        why = "ours is the correlation of the true changes between models: τ with the noise of items taken off"
        missing = consistency.noise.why if consistency.noise else consistency.why
        what = f"consistency of {consistency.rankers} {consistency.words}"
        yield SideBySide(what, "", consistency.index, rho, why if rho is not None else missing)


def pareto_points(draws: Draws) -> tuple[ParetoPoint, ...]:
    """Every model and source that has cells both on its task and off it; fronts are within a model."""
    groups: dict[str, dict[Point, list[ChangeCell]]] = {}
    for cell in trained(draws.cells):
        assert cell.row.source is not None
        groups.setdefault(cell.row.model, {}).setdefault(cell.row.source, []).append(cell)
    return tuple(point for model, by_source in groups.items() for point in _points(model, by_source, draws))


def _points(model: str, by_source: dict[Point, list[ChangeCell]], draws: Draws) -> Iterator[ParetoPoint]:
    sides = {source: (same_task(cells), other_tasks(cells)) for source, cells in by_source.items()}
    sides = {source: both for source, both in sides.items() if all(both)}
    if not sides:
        return
    means = np.array([[np.mean([cell.change.mean for cell in side]) for side in both] for both in sides.values()])
    drawn = np.array([[draws.of(side)[:_FRONT_DRAWS].mean(axis=1) for side in both] for both in sides.values()])
    front = _undominated(means.T[None])[0]
    probability = _undominated(drawn.transpose(2, 1, 0)).mean(axis=0)
    for number, (source, (near, off)) in enumerate(sides.items()):
        harmed = 100 * float(np.mean([cell.change.mean <= HARM for cell in [*near, *off]]))
        x, y = (float(value) for value in means[number])
        yield ParetoPoint(model, source, x, y, harmed, bool(front[number]), float(probability[number]))


def _undominated(values: Floats) -> Floats:
    """1 where no other point is at least as good on both axes and better on one: (draws, 2, points) → (draws, points)"""
    own, other = values[:, :, :, None], values[:, :, None, :]
    dominated = np.all(other >= own, axis=1) & np.any(other > own, axis=1)  # (draws, point, other)
    return np.where(np.any(dominated, axis=2), 0.0, 1.0)


def _pareto(draws: Draws) -> Iterator[SideBySide]:
    points = pareto_points(draws)
    if not points:
        return
    sure = 100 * float(np.mean([point.on_front and point.probability > 0.95 for point in points]))
    known = has_items(draws.cells)
    why = "ours counts those that are on it in 95 % of the draws of items" if known else "ours needs outcomes of items"
    what, share = "sources on their model's front of own task and other tasks", [point.on_front for point in points]
    yield SideBySide(what, "%", 100 * float(np.mean(share)), sure if known else None, why)


def _translated(cells: Cells, labels: Labels) -> Iterator[SideBySide]:
    """Curated against translated benchmarks: the means, and whether they rank donor languages alike."""
    sides = {
        "curated": [cell for cell in cells if labels.translated.get(cell.target.task) == "no"],
        "translated": [cell for cell in cells if labels.translated.get(cell.target.task) in ("human", "machine")],
    }
    if not all(sides.values()):
        return
    for name, group in sides.items():
        changes = np.array([cell.change.mean for cell in group])
        why = "ours is the median: a tail carries the mean"
        yield SideBySide(
            f"mean change on {name} tasks, other languages", "pp", float(changes.mean()), float(np.median(changes)), why
        )
    theirs = [scores(group, _group(_language, donors=True)) for group in sides.values()]
    ours = [adjusted_scores(group, _language, donors=True) for group in sides.values()]
    shared = len(theirs[0].keys() & theirs[1].keys())
    why = f"ours ranks donors on the same targets; {shared} languages are in both, and a correlation of so many is known badly"
    yield SideBySide(
        "rank correlation of donor languages, curated with translated", "", _rho(*theirs), _rho(*ours), why
    )


def _typology(draws: Draws) -> Iterator[SideBySide]:
    """By the distances of the paper where lang2vec is installed, else by a share of plain facts."""
    ways = {f"{words} by lang2vec": name for name, words in SETS.items()} if installed() else {"plain facts": ""}
    for words, name in ways.items():
        found = typology(draws, name)
        if found.rho is None:
            continue
        why = (
            "ours is of what donor and recipient language leave of the change, so that an easy language is no near one"
        )
        if not name:
            why += f"; for the paper's distances install the extra {EXTRA}"
        what = f"rank correlation of change with distance of languages ({words})"
        yield SideBySide(what, "", found.rho, found.beyond, why)


def _rho(one: dict[str, float], other: dict[str, float]) -> float | None:
    """Spearman's, over those that are in both."""
    shared = [name for name in one if name in other]
    if len(shared) < _LEAST_RANKED:
        return None
    one_ranks, other_ranks = ranks(np.array([[scored[name] for name in shared] for scored in (one, other)]))
    varying = float(np.std(one_ranks)) > 0 and float(np.std(other_ranks)) > 0
    return float(np.corrcoef(one_ranks, other_ranks)[0, 1]) if varying else None
