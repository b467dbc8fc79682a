"""Targets on which the base is at chance: its score cannot fall, so no harm can be seen there, only a gain."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

from crossgraft.analysis.wording import listed
from crossgraft.core import Point
from crossgraft.transfer.changes import ChangeCell

_ERRORS = 2  # standard errors that a base must be above chance for a loss to be seen


def can_show_harm(cell: ChangeCell) -> bool:
    """Whether the base of the cell's model on its target is above chance by more than two standard errors.

    Chance is what guessing among the options scores, 0 where there are no options. Cells of which only scores are known, and
    metrics that are no mean from 0 to 1, have no known chance: they count as able to show harm; so do mappings, which change
    vectors that hardly translate unmapped.
    """
    if not (cell.items and cell.metric.is_mean and cell.metric.unit == "share" and cell.metric.higher_is_better):
        return True
    if cell.row.kind == "mapping":
        return True
    return is_above_chance(cell.control, cell.chance or 0.0, cell.change.n)


def is_above_chance(score: float, chance: float, items: int) -> bool:
    """Whether a share of right answers is above chance by more than two standard errors."""
    spread = chance or min(max(score, 0.0), 1.0)  # where guessing scores 0: of the base's own score
    error = sqrt(spread * (1 - spread) / max(1, items))  # of outcomes 0 and 1; of others at most this
    return score > chance + _ERRORS * error


def at_chance(cells: Iterable[ChangeCell]) -> str:
    """Which targets can show no harm, in a sentence; nothing where all can."""
    seen: dict[tuple[str, Point], bool] = {}
    for cell in cells:
        seen[cell.row.model, cell.target] = can_show_harm(cell)
    low = [place for place, visible in seen.items() if not visible]
    if not low:
        return ""
    if len({model for model, _ in seen}) == 1:
        where = f"{len(low)} of {len(seen)} targets ({listed([str(target) for _, target in low])})"
    else:
        names = [f"{model} on {target}" for model, target in low]
        where = f"{len(low)} of {len(seen)} pairs of model and target ({listed(names)})"
    return f"The base is at chance on {where}: losses cannot be detected there and are not counted."
