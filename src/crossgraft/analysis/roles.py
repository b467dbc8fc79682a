"""Donors and recipients: which sources help elsewhere, which targets are helped, and how sure the order is.

As in the paper (Dymkiewicz et al., 2026): languages are judged by same-task cells in other languages (MT-CL), tasks by
other tasks in the same language (CT-ML); a score is the mean change of each model's cells, then the mean over models. Beside
them, as an extra, points are judged by the two-way model Δ = μ + d + r + ε on all cells off the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from scipy.special import ndtr

from crossgraft.analysis.draws import Draws, has_items
from crossgraft.analysis.estimate import Estimate, Weighted
from crossgraft.analysis.joint import joint
from crossgraft.analysis.two_way import BLOCKS, fits, source_of
from crossgraft.analysis.unpaired import over_seeds
from crossgraft.changes import ChangeCell
from crossgraft.core import Floats, Point, Regime, Treatment
from crossgraft.stats.contrasts import mean_of_units
from crossgraft.stats.roles import ranks

Kind = Literal["languages", "tasks", "points"]
Side = Literal["donor", "recipient", "donor less recipient"]
Scores = dict[str, list[tuple[ChangeCell, float]]]
T = TypeVar("T")

TOP = 3
_SURE = 0.9
NOT_IMMUNE = (
    "Recipient scores, and whatever they are part of, are not immune to the base's luck: all changes of a target subtract the same "
    "answers."
)
NEARLY = (
    "Not quite immune to the base's luck: every donor is judged on all targets but those it shares its name with, so that two "
    "donors differ in these. The two-way model sets them against the same targets."
)
IMMUNE = "Immune to the base's luck: a column that moves as a whole moves its recipient, and no donor."
NO_RANKS = "only scores are known: without items to draw anew there is no probability of a rank"
ONE_SOURCE = "one source has no other to be compared with"
PAPER = "means, as in the paper"
TWO_WAY = "two-way model"


@dataclass(frozen=True)
class Role:
    """One donor or recipient score, in percentage points: of the whole in the paper's scheme, against the mean of all in the two-way model."""

    name: str
    score: Estimate
    models: int
    low: float | None  # with new models, by Student's t over models
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
        """How the base's luck bears on them."""
        if self.side != "donor":
            return NOT_IMMUNE
        return NEARLY if self.way == PAPER else IMMUNE


@dataclass(frozen=True)
class Coverage:
    """On how many of its targets a treatment helps with a probability above .9, each by its own interval."""

    row: Treatment
    helped: int
    targets: int


@dataclass(frozen=True)
class NoRoles:
    """A kind of score that there is none of, and why."""

    of: str
    way: str
    why: str


def roles(draws: Draws) -> tuple[Roles | NoRoles, ...]:
    """Languages and tasks as in the paper, then points by the two-way model."""
    cells = [cell for cell in draws.cells if cell.row.source is not None and cell.row.kind != "mapping"]
    if not cells:
        return ()
    return (
        *_paper("languages", "MT-CL", lambda point: point.lang, cells, draws),
        *_paper("tasks", "CT-ML", lambda point: point.skill, cells, draws),
        *_two_way([cell for cell in cells if cell.regime != "MT-ML"], draws),
    )


def coverage(draws: Draws) -> Iterator[Coverage]:
    """Every treatment with a source, by its cells off the source; those without an interval are not looked at."""
    for row in dict.fromkeys(cell.row for cell in draws.cells if cell.row.source):
        cells = [cell for cell in draws.cells_of(row) if cell.regime != "MT-ML" and not cell.change.why]
        if cells:
            errors = np.array([(cell.change.high - cell.change.low) / (2 * 1.96) for cell in cells])
            means = np.array([cell.change.mean for cell in cells])
            z = np.divide(means, errors, out=np.zeros(len(cells)), where=errors > 0)
            yield Coverage(row, int(np.sum(ndtr(z) > _SURE)), len(cells))


def _paper(
    of: Kind,
    regime: Regime,
    key: Callable[[Point], str],
    cells: Sequence[ChangeCell],
    draws: Draws,
) -> Iterator[Roles | NoRoles]:
    chosen = [cell for cell in cells if cell.regime == regime]
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
    donors = {name: _by_model(own) for name, own in _grouped(chosen, lambda cell: key(source_of(cell))).items()}
    takers = {name: _by_model(own) for name, own in _grouped(chosen, lambda cell: key(cell.target)).items()}
    yield from _sides(of, PAPER, donors, takers, draws)


def _two_way(cells: Sequence[ChangeCell], draws: Draws) -> Iterator[Roles | NoRoles]:
    """A fit a model, then the mean over the models that have the point."""
    donors: dict[str, list[tuple[ChangeCell, float]]] = {}
    takers: dict[str, list[tuple[ChangeCell, float]]] = {}
    if len({cell.row.source for cell in cells}) < 2:
        yield NoRoles("points", TWO_WAY, ONE_SOURCE)
        return
    for _, found in fits(cells):
        if found is None:
            continue
        sides = ((found.sources, found.additive.donors, donors), (found.targets, found.additive.recipients, takers))
        for points, weights, scores in sides:
            for point, line in zip(points, weights.tolist(), strict=True):
                scores.setdefault(str(point), []).extend(zip(found.cells, line, strict=True))
    if not donors:
        yield NoRoles("points", TWO_WAY, BLOCKS)
        return
    gives = {name: _per_model(own) for name, own in donors.items()}
    takes = {name: _per_model(own) for name, own in takers.items()}
    yield from _sides("points", TWO_WAY, gives, takes, draws)


def _sides(of: Kind, way: str, donors: Scores, takers: Scores, draws: Draws) -> Iterator[Roles | NoRoles]:
    both = {name: _added(donors[name], takers[name]) for name in donors if name in takers}
    sides: tuple[tuple[Side, Scores], ...] = (("donor", donors), ("recipient", takers), ("donor less recipient", both))
    for side, scores in sides:
        if len(scores) > 1:
            yield _ranked(of, side, way, scores, draws)
        else:
            yield NoRoles(of, way, f"{len(scores) or 'no'} {side} has none to be ranked among")


def _ranked(of: Kind, side: Side, way: str, scores: Scores, draws: Draws) -> Roles:
    names, sums = list(scores), list(scores.values())
    k = min(TOP, max(1, len(names) // 2))
    if has_items(cell for own in sums for cell, _ in own):
        together = joint(sums, draws)
        placed = ranks(together.draws, together.points, k)
        estimates, why = together.estimates, ""
    else:
        placed, why = None, NO_RANKS
        estimates = tuple(over_seeds(own) if way == TWO_WAY else draws.contrast(own) for own in sums)
    found = []
    for place in np.argsort([-estimate.mean for estimate in estimates], kind="stable"):
        models = _own_values(sums[place])
        wide = mean_of_units(models)
        low, high = (wide.low, wide.high) if wide else (None, None)
        first, among = (float(placed.first[place]), float(placed.among[place])) if placed else (None, None)
        found.append(Role(names[place], estimates[place], len(models), low, high, first, among, why))
    return Roles(of, side, way, tuple(found), k, placed.same_set if placed else None)


def _by_model(cells: Sequence[ChangeCell]) -> list[tuple[ChangeCell, float]]:
    """Equal weights within a model, and for every model."""
    groups = _grouped(cells, lambda cell: cell.row.model)
    return [(cell, 1 / len(own) / len(groups)) for own in groups.values() for cell in own]


def _per_model(weighted: Weighted) -> list[tuple[ChangeCell, float]]:
    """Sums that stand for a model each, as their mean."""
    models = len({cell.row.model for cell, _ in weighted})
    return _times(weighted, 1 / models)


def _added(donor: Weighted, recipient: Weighted) -> list[tuple[ChangeCell, float]]:
    """The first sum less the second; a cell of both is there once."""
    weights = {id(cell): (cell, weight) for cell, weight in donor}
    for cell, weight in recipient:
        weights[id(cell)] = (cell, weights.get(id(cell), (cell, 0.0))[1] - weight)
    return list(weights.values())


def _times(weighted: Weighted, factor: float) -> list[tuple[ChangeCell, float]]:
    return [(cell, factor * weight) for cell, weight in weighted]


def _own_values(weighted: Weighted) -> Floats:
    """What each model says by itself: its part of the sum, times the number of models."""
    groups = _grouped(range(len(weighted)), lambda place: weighted[place][0].row.model)
    return np.array([len(groups) * _value([weighted[place] for place in own]) for own in groups.values()])


def _value(weighted: Weighted) -> float:
    return float(sum(weight * cell.change.mean for cell, weight in weighted))


def _grouped(things: Sequence[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return groups
