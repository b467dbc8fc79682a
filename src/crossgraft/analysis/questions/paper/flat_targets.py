"""Which targets hardly move, whatever the model is trained on, and which move for every source alike.

A flat target is not immune to transfer: it may be a base that answers the same letter to every question. A target that all
sources raise alike says more about the base than about any source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.core import Point
from crossgraft.transfer.changes import ChangeCell

FLAT = 0.1  # percentage points: treatments that differ by no more on a target do not reach it
_FEW = 4  # treatments: fewer tell nothing


@dataclass(frozen=True)
class Movement:
    """A model's target over all treatments, those on the target itself included."""

    model: str
    target: Point
    base: float  # in [0, 1]
    treatments: int
    mean: float  # pp
    deviation: float  # between treatments, pp
    largest: float  # the change furthest from zero, pp

    @property
    def is_flat(self) -> bool:
        return self.deviation < FLAT


def movements(draws: Draws) -> tuple[Movement, ...]:
    """Every model and target with a few treatments, the flattest first."""
    return tuple(sorted(_movements(draws), key=lambda movement: movement.deviation))


def _movements(draws: Draws) -> Iterator[Movement]:
    places: dict[tuple[str, Point], list[ChangeCell]] = {}
    for cell in draws.cells:
        if cell.row.kind == "trained":
            places.setdefault((cell.row.model, cell.target), []).append(cell)
    for (model, target), cells in places.items():
        if len(cells) >= _FEW:
            changes = np.array([cell.change.mean for cell in cells])
            largest = float(changes[np.argmax(np.abs(changes))])
            base = float(np.mean([cell.control for cell in cells]))
            yield Movement(model, target, base, len(cells), float(changes.mean()), float(changes.std()), largest)
