"""One row per treatment: its gain where it should gain, the worst it does elsewhere, and which single cells lose significantly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.first.floor import can_show_harm
from crossgraft.analysis.first.signals import LEVEL
from crossgraft.analysis.intervals.draws import Draws, Estimate, has_items
from crossgraft.analysis.intervals.extremes import Named, named
from crossgraft.core import Treatment
from crossgraft.stats.multiplicity import benjamini_hochberg
from crossgraft.transfer.changes import ChangeCell


@dataclass(frozen=True, eq=False)
class Harmed:
    """Cells elsewhere that can show harm: which of them lost significantly, and each as it is told if it is picked out."""

    cells: tuple[ChangeCell, ...]
    tested: tuple[ChangeCell, ...]
    named: Mapping[int, Named]  # by id of the cell

    @property
    def smallest(self) -> float | None:
        """The loss (pp) that a single cell would show with a probability of .8: the median over cells; none where none is that small."""
        sizes = [cell.change.detectable for cell in self.tested if cell.unit == "pp"]
        smallest = float(np.median(sizes)) if sizes else np.inf
        return smallest if smallest < 100 else None


@dataclass(frozen=True)
class Summary:
    """One row of the table of treatments."""

    row: Treatment
    gain: Estimate | None  # mean change on the cells that ``gain_is`` names
    gain_is: str
    worst: ChangeCell | None  # of the cells elsewhere that can show harm
    worst_named: Named | None  # as the most extreme of these
    harmed: int  # of these cells, those that lost significantly
    cells: int  # how many these are
    at_chance: int = 0  # cells elsewhere on targets that can show no harm
    adjusted: float = 1.0  # p of the gain, Benjamini–Hochberg over the treatments of the study

    @property
    def sure(self) -> str:
        """By its own interval, and after correction for the number of treatments."""
        if self.gain is None:
            return "not measured"
        if self.gain.verdict == "not distinguishable" or self.adjusted <= LEVEL:
            return self.gain.verdict
        return "suggestive, not significant after correction"


def harmed_cells(cells: Sequence[ChangeCell]) -> Harmed:
    """Benjamini–Hochberg over all cells elsewhere that can show harm, of all models."""
    tested = [cell for cell in select.elsewhere(cells) if cell.change.p is not None and can_show_harm(cell)]
    if not tested:
        return Harmed((), (), {})
    adjusted = benjamini_hochberg(np.array([cell.change.p for cell in tested], dtype=float))
    lost = tuple(cell for cell, p in zip(tested, adjusted, strict=True) if p <= LEVEL and cell.change.mean < 0)
    return Harmed(lost, tuple(tested), _named(tested))


def _named(cells: Sequence[ChangeCell]) -> dict[int, Named]:
    changes = [cell.change for cell in cells]
    errors, dfs = [change.error for change in changes], [change.df for change in changes]
    named_values = named([change.mean for change in changes], errors, dfs, shrunk=has_items(cells))
    return {id(cell): one for cell, one in zip(cells, named_values, strict=True)}


def summaries(rows: Sequence[Treatment], draws: Draws, harm: Harmed) -> tuple[Summary, ...]:
    """Of treatments, or of controls: each is tested among its own kind."""
    lost = {id(cell) for cell in harm.cells}
    return _adjusted([_summary(row, draws, lost) for row in rows])


def _adjusted(summaries: Sequence[Summary]) -> tuple[Summary, ...]:
    """With the p of each gain adjusted for the number of treatments."""
    known = [summary for summary in summaries if summary.gain is not None]
    values = benjamini_hochberg(np.array([summary.gain.p for summary in known if summary.gain]))
    found = {summary.row: float(p) for summary, p in zip(known, values, strict=True)}
    return tuple(replace(summary, adjusted=found.get(summary.row, 1.0)) for summary in summaries)


def _summary(row: Treatment, draws: Draws, lost: set[int]) -> Summary:
    cells = draws.cells_of(row)
    gained, words = _where_it_should_gain(cells)
    elsewhere = select.elsewhere(cells)
    seen = [cell for cell in elsewhere if can_show_harm(cell)]
    worst = min(seen, key=lambda cell: (round(cell.change.mean, 9), str(cell.target)), default=None)
    return Summary(
        row=row,
        gain=draws.over_items([(cell, 1 / len(gained)) for cell in gained]) if gained else None,
        gain_is=words,
        worst=worst,
        worst_named=_named(seen)[id(worst)] if worst else None,
        harmed=sum(id(cell) in lost for cell in seen),
        cells=len(seen),
        at_chance=len(elsewhere) - len(seen),
    )


def _where_it_should_gain(cells: Sequence[ChangeCell]) -> tuple[Sequence[ChangeCell], str]:
    """The cells a treatment is judged by first, and what to call them."""
    if near := select.same_task(cells):
        return near, "on the same task in other languages"
    if own := select.on_source(cells):
        return own, "on the source itself"
    return cells, "over all targets"  # a mapping, an adapter of unknown source, a source that is no target
