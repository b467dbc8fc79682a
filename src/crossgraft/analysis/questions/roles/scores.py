"""Donors and recipients: which sources help elsewhere, which targets are helped, and how sure the order is.

As in the paper (Dymkiewicz et al., 2026): languages are judged by same-task cells in other languages (MT-CL), tasks by
other tasks in the same language (CT-ML); a score is the mean change of each model's cells, then the mean over models. Beside
them, as an extra, points are judged by the two-way model Δ = μ + d + r + ε on all cells off the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import SEED, Draws, has_items
from crossgraft.analysis.intervals.estimate import Estimate
from crossgraft.analysis.intervals.extremes import Named, named
from crossgraft.analysis.intervals.joint import Joint, Sums, joint
from crossgraft.analysis.intervals.unpaired import over_items
from crossgraft.analysis.questions.roles.two_way import BLOCKS, Fit, fits, source_of
from crossgraft.analysis.wording import TINY
from crossgraft.core import Floats, Point, Regime, Treatment
from crossgraft.stats.cells.change import Change
from crossgraft.stats.cells.student import two_sided
from crossgraft.stats.matrices.exchangeable import true_scores
from crossgraft.stats.matrices.ranks import ranks
from crossgraft.stats.mixed.design import Factor
from crossgraft.stats.resampling.contrasts import mean_of_units
from crossgraft.transfer.changes import ChangeCell

Kind = Literal["languages", "tasks", "points"]
Side = Literal["donor", "recipient", "donor less recipient"]

TOP = 3
_SURE = 0.9
NOT_IMMUNE = "Sensitive to noise in the base's score: all changes on a target subtract the same answers."
NEARLY = (
    "Partly sensitive to noise in the base's score: each donor is evaluated on every target except its own, so two donors are compared "
    "on slightly different targets. The two-way model compares them on the same targets."
)
IMMUNE = "Not affected by noise in the base's score: it moves a whole column, so it changes the recipient and no donor."
NO_RANKS = "only scores are known; probabilities of ranks need outcomes of items"
ONE_SOURCE = "there is only one source"
PAPER = "means, as in the paper"
TWO_WAY = "two-way model"


@dataclass(frozen=True)
class Role:
    """One donor or recipient score, in percentage points: of the whole in the paper's scheme, against the mean of all in the two-way model."""

    name: str
    score: Estimate
    named: Named  # as it is told for being first
    by_model: tuple[float, ...]
    low: float | None  # with new models, by Student's t over three models or more
    high: float | None
    first: float | None  # probability of being the highest
    among: float | None  # … among the ``k`` highest of its table
    why: str = ""  # there is no probability


@dataclass(frozen=True)
class Roles:
    """All scores of one kind, the highest first."""

    of: Kind
    side: Side
    way: str
    roles: tuple[Role, ...]
    k: int
    same_set: float | None  # probability that the k highest are these

    @property
    def remark(self) -> str:
        """How noise of the base bears on them."""
        if self.side != "donor":
            return NOT_IMMUNE
        return NEARLY if self.way == PAPER else IMMUNE


@dataclass(frozen=True, eq=False)
class _Scores:
    """The sums of cells that are the scores of names."""

    names: tuple[str, ...]
    sums: Sums


@dataclass(frozen=True)
class Coverage:
    """On how many of its targets a treatment helps with a probability above .9, each by its own interval."""

    row: Treatment
    helped: int
    targets: int


@dataclass(frozen=True)
class NoRoles:
    """A kind of score that cannot be computed, and why."""

    of: str
    way: str
    why: str


def roles(draws: Draws) -> tuple[Roles | NoRoles, ...]:
    """Languages and tasks as in the paper, then points by the two-way model."""
    cells = [cell for cell in select.of_models(draws.cells) if cell.row.source is not None]
    if not cells:
        return ()
    return (
        *_paper("languages", "MT-CL", lambda point: point.lang, cells, draws),
        *_paper("tasks", "CT-ML", lambda point: point.skill, cells, draws),
        *_two_way(select.sourced(cells), draws),
    )


def coverage(draws: Draws) -> Iterator[Coverage]:
    """Every treatment with a source, by its cells off the source; those without an interval are not looked at."""
    for row in dict.fromkeys(cell.row for cell in draws.cells if cell.row.source):
        cells = [cell for cell in select.elsewhere(draws.cells_of(row)) if not cell.change.why]
        if cells:
            yield Coverage(row, sum(_helps(cell.change) > _SURE for cell in cells), len(cells))


def _helps(change: Change) -> float:
    """The probability that the true change is above zero, by its own noise and a flat prior."""
    tail = two_sided(change.mean, change.error, change.df) / 2
    return 1 - tail if change.mean > 0 else tail


def _paper(
    of: Kind,
    regime: Regime,
    key: Callable[[Point], str],
    cells: Sequence[ChangeCell],
    draws: Draws,
) -> Iterator[Roles | NoRoles]:
    chosen = select.in_regimes(cells, regime)
    if not chosen:
        yield NoRoles(
            of,
            PAPER,
            f"no cell has {'another language' if of == 'languages' else 'another task'}, and all else the same",
        )
        return
    if len({cell.row.source for cell in chosen}) < 2:
        yield NoRoles(of, PAPER, ONE_SOURCE)
        return
    donors, takers = (
        [key(point) for point in points]
        for points in ([source_of(cell) for cell in chosen], [cell.target for cell in chosen])
    )
    yield from _sides(of, PAPER, _means(chosen, donors), _means(chosen, takers), draws)


def _two_way(cells: Sequence[ChangeCell], draws: Draws) -> Iterator[Roles | NoRoles]:
    """A fit a model, then the mean over the models that have the point."""
    if len({cell.row.source for cell in cells}) < 2:
        yield NoRoles("points", TWO_WAY, ONE_SOURCE)
        return
    found = [fit for _, fit in fits(cells) if fit]
    if not found:
        yield NoRoles("points", TWO_WAY, BLOCKS)
        return
    donors = _effects(found, [(fit.sources, fit.additive.donors) for fit in found])
    takers = _effects(found, [(fit.targets, fit.additive.recipients) for fit in found])
    yield from _sides("points", TWO_WAY, donors, takers, draws)


def _sides(of: Kind, way: str, donors: _Scores, takers: _Scores, draws: Draws) -> Iterator[Roles | NoRoles]:
    sides: tuple[tuple[Side, _Scores], ...] = (
        ("donor", donors),
        ("recipient", takers),
        ("donor less recipient", _differences(donors, takers)),
    )
    for side, scores in sides:
        if len(scores.names) > 1:
            yield _ranked(of, side, way, scores, draws)
        else:
            yield NoRoles(of, way, f"{len(scores.names) or 'no'} {side} has none to be ranked among")


def _ranked(of: Kind, side: Side, way: str, scores: _Scores, draws: Draws) -> Roles:
    names, sums = scores.names, scores.sums
    k = min(TOP, max(1, len(names) // 2))
    if has_items(sums.cells):
        together = joint(sums, draws)
        placed = ranks(_true(names, together), together.points, k)
        estimates, why = together.estimates, ""
    else:
        placed, why = None, NO_RANKS
        estimates = tuple(over_items(own) if way == TWO_WAY else draws.contrast(own) for own in sums)
    found, by_model = [], list(_by_model(sums))
    means = np.array([estimate.mean for estimate in estimates])
    errors, dfs = [estimate.error for estimate in estimates], [estimate.df for estimate in estimates]
    extremes = named(means.tolist(), errors, dfs, shrunk=placed is not None)
    for place in np.argsort(-np.round(means / TINY), kind="stable"):  # names that tie stay in their order
        models = by_model[place]
        wide = mean_of_units(models) if len(models) > 2 else None
        low, high = (wide.low, wide.high) if wide and wide.high - wide.low > TINY else (None, None)
        first, among = (float(placed.first[place]), float(placed.among[place])) if placed else (None, None)
        found.append(
            Role(names[place], estimates[place], extremes[place], tuple(models.tolist()), low, high, first, among, why)
        )
    return Roles(of, side, way, tuple(found), k, placed.same_set if placed else None)


def _true(names: Sequence[str], together: Joint) -> Floats:
    """Draws of true scores (draws, names); random numbers go by name, so that the order of a spec changes nothing."""
    order = np.argsort(names, kind="stable")
    points, drawn = together.points[order], together.draws[:, order]
    found = np.empty_like(drawn)
    found[:, order] = true_scores(points, drawn - points, np.random.default_rng(SEED))
    return found


def _means(cells: Sequence[ChangeCell], names: Sequence[str]) -> _Scores:
    """Of the cells of each name: equal weights within a model, and for every model."""
    name, model = Factor.of("name", names), Factor.of("model", [cell.row.model for cell in cells])
    counts = np.zeros((name.levels, model.levels))
    np.add.at(counts, (name.codes, model.codes), 1)
    models = (counts > 0).sum(axis=1)
    used = name.codes == np.arange(name.levels)[:, None]
    own = 1 / counts[name.codes, model.codes] / models[name.codes]
    return _Scores(tuple(dict.fromkeys(names)), Sums(tuple(cells), np.where(used, own, 0.0), used))


def _effects(found: Sequence[Fit], sides: Sequence[tuple[tuple[Point, ...], Floats]]) -> _Scores:
    """The effects of points (points, cells of a fit) in each model's fit, then their mean over the models that have the point."""
    names = {str(point): number for number, point in enumerate(dict.fromkeys(p for points, _ in sides for p in points))}
    cells = tuple(cell for fit in found for cell in fit.cells)
    weights, used = np.zeros((len(names), len(cells))), np.zeros((len(names), len(cells)), dtype=np.bool_)
    start, models = 0, np.zeros((len(names), 1))
    for fit, (points, effects) in zip(found, sides, strict=True):
        at, end = [names[str(point)] for point in points], start + len(fit.cells)
        weights[at, start:end], used[at, start:end] = effects, True
        models[at] += 1
        start = end
    return _Scores(tuple(names), Sums(cells, weights / models, used))


def _differences(first: _Scores, second: _Scores) -> _Scores:
    """Of names that are in both, over the same cells."""
    names = tuple(name for name in first.names if name in second.names)
    one, other = ([scores.names.index(name) for name in names] for scores in (first, second))
    weights = first.sums.weights[one] - second.sums.weights[other]
    return _Scores(names, Sums(first.sums.cells, weights, first.sums.used[one] | second.sums.used[other]))


def _by_model(sums: Sums) -> Iterator[Floats]:
    """The score in each model alone, in order of their names: its part of the sum, times the number of models."""
    names = [cell.row.model for cell in sums.cells]
    model = Factor.of("model", names)
    order = np.argsort(list(dict.fromkeys(names)))
    belongs = np.eye(model.levels)[model.codes]  # (cells, models)
    parts, present = sums.weights * sums.values @ belongs, sums.used @ belongs > 0
    for own, there in zip(parts[:, order], present[:, order], strict=True):
        yield own[there] * there.sum()
