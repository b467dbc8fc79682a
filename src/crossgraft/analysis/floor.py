"""Targets on which the base is at chance: its score cannot fall, so no harm can be seen there, only a gain."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

import numpy as np

from crossgraft.analysis.wording import listed
from crossgraft.changes import ChangeCell
from crossgraft.core import Point

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
    chance = cell.chance or 0.0
    return cell.control > chance + _ERRORS * _error(cell, chance)


def _error(cell: ChangeCell, chance: float) -> float:
    """Of a score by guessing; where guessing scores 0, of the base's own score."""
    if chance:
        return sqrt(chance * (1 - chance) / max(1, cell.change.n))
    counted = cell.control_statistics[cell.control_statistics[:, 1] > 0]
    return float(np.std(counted[:, 0] / counted[:, 1]) / sqrt(len(counted))) if len(counted) else 0.0


def at_chance(cells: Iterable[ChangeCell]) -> str:
    """Which targets can show no harm, in a sentence, a model at a time where there are several; nothing where all can."""
    by_model: dict[str, dict[Point, bool]] = {}
    for cell in cells:
        by_model.setdefault(cell.row.model, {})[cell.target] = can_show_harm(cell)
    parts = []
    for model, targets in by_model.items():
        low = [str(target) for target, seen in targets.items() if not seen]
        if low:
            prefix = f"{model}: " if len(by_model) > 1 else ""
            parts.append(f"{prefix}{len(low)} of {len(targets)} targets ({listed(low)})")
    if not parts:
        return ""
    return f"The base is at chance on {'; '.join(parts)}: no harm can be seen there, and none is counted."
