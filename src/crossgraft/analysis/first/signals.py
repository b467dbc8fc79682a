"""What the first screen tests: means of sources and of targets over all models, and the effects of donors, before any single cell.

Four kinds of means, each over the models that have it:

    same task     a source on its task in other languages (a treatment of unknown source: on all targets)
    other tasks   a source on all other tasks
    target        a target under all treatments but those trained on it
    donor         what a source does more than the average source, over all targets (two-way model; the base cancels)

Gains and losses are two families over all kinds, each with a false discovery rate of 5 % by the weighted procedure of
Benjamini and Hochberg (Genovese, Roeder and Wasserman, 2006): the first kind is what a study is made for, and weighs four times as
much as the others. A mean that is named was chosen for being large: its interval is simultaneous over its kind, and its value is shrunk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.intervals.estimate import Estimate, Weighted
from crossgraft.analysis.intervals.extremes import Named, named
from crossgraft.analysis.questions.roles.scores import TWO_WAY, NoRoles, Roles
from crossgraft.stats.multiplicity import benjamini_hochberg
from crossgraft.transfer.matrix import ChangeCell

Kind = Literal["same task", "all targets", "other tasks", "target", "donor"]

LEVEL = 0.05
_WEIGHTS: dict[Kind, float] = {"same task": 4.0, "all targets": 4.0, "other tasks": 1.0, "target": 1.0, "donor": 1.0}
_TREATMENTS = 3  # of a target, for its mean to say something of the target


@dataclass(frozen=True)
class Signal:
    """One mean that was tested, in percentage points."""

    kind: Kind
    name: str
    raw: Estimate
    named: Named  # how it is told where it is picked out
    cells: tuple[ChangeCell, ...]
    gain_p: float = 1.0  # one-sided, adjusted
    loss_p: float = 1.0

    @property
    def gains(self) -> bool:
        return self.gain_p <= LEVEL

    @property
    def loses(self) -> bool:
        return self.loss_p <= LEVEL

    @property
    def verdict(self) -> str:
        if self.gains:
            return "significant gain"
        if self.loses:
            return "significant loss"
        if self.raw.verdict != "not distinguishable":
            return "suggestive, not significant after correction"
        return "not significant"


def signals(draws: Draws, roles: Sequence[Roles | NoRoles]) -> tuple[Signal, ...]:
    """Every mean of the four kinds, with its p-values adjusted for all of them."""
    means = [*_of_treatments(draws), *_of_targets(draws), *_of_donors(draws, roles)]
    found: list[Signal] = []
    for kind in dict.fromkeys(kind for kind, *_ in means):
        own = [(name, raw, cells) for other, name, raw, cells in means if other == kind]
        raws = [raw for _, raw, _ in own]
        measured = all(raw.items for raw in raws)  # else errors are bounds
        named_rows = named(
            [raw.mean for raw in raws], [raw.error for raw in raws], [raw.df for raw in raws], shrunk=measured
        )
        found += [Signal(kind, name, raw, one, cells) for (name, raw, cells), one in zip(own, named_rows, strict=True)]
    return _tested(found)


def _tested(found: Sequence[Signal]) -> tuple[Signal, ...]:
    """With one-sided p-values adjusted for the number of means, in each direction."""
    if not found:
        return ()
    weights = np.array([_WEIGHTS[signal.kind] for signal in found])
    weights = weights / weights.mean()
    below = np.array([signal.raw.p / 2 if signal.raw.mean > 0 else 1 - signal.raw.p / 2 for signal in found])
    gain = benjamini_hochberg(np.minimum(1.0, below / weights))
    loss = benjamini_hochberg(np.minimum(1.0, (1 - below) / weights))
    return tuple(
        replace(one, gain_p=float(up), loss_p=float(down)) for one, up, down in zip(found, gain, loss, strict=True)
    )


Mean = tuple[Kind, str, Estimate, tuple[ChangeCell, ...]]


def _of_treatments(draws: Draws) -> Iterator[Mean]:
    """By label, over the models that have it."""
    for name, cells in _grouped(draws.cells, lambda cell: cell.row.label).items():
        near, off = select.same_task(cells), select.other_tasks(cells)
        if near:
            yield "same task", name, draws.over_items(_balanced(near)), tuple(near)
        if off:
            yield "other tasks", name, draws.over_items(_balanced(off)), tuple(off)
        if not any(cell.regime for cell in cells):
            yield "all targets", name, draws.over_items(_balanced(cells)), tuple(cells)


def _of_targets(draws: Draws) -> Iterator[Mean]:
    elsewhere = select.elsewhere(select.of_models(draws.cells))
    for name, cells in _grouped(elsewhere, lambda cell: str(cell.target)).items():
        if len({cell.row.label for cell in cells}) >= _TREATMENTS:
            yield "target", name, draws.over_items(_balanced(cells)), tuple(cells)


def _of_donors(draws: Draws, roles: Sequence[Roles | NoRoles]) -> Iterator[Mean]:
    elsewhere = select.sourced(draws.cells)
    by_source = _grouped(elsewhere, lambda cell: str(cell.row.source))
    for table in roles:
        if isinstance(table, Roles) and (table.of, table.side, table.way) == ("points", "donor", TWO_WAY):
            for role in table.roles:
                yield "donor", role.name, role.score, tuple(by_source[role.name])


def _grouped(cells: Iterable[ChangeCell], key: Callable[[ChangeCell], str]) -> dict[str, list[ChangeCell]]:
    found: dict[str, list[ChangeCell]] = {}
    for cell in cells:
        found.setdefault(key(cell), []).append(cell)
    return found


def _balanced(cells: Sequence[ChangeCell]) -> Weighted:
    """Equal weight for every model, and within a model for every treatment."""
    rows = Counter(cell.row for cell in cells)
    models = Counter(row.model for row in rows)
    return [(cell, 1 / rows[cell.row] / models[cell.row.model] / len(models)) for cell in cells]
