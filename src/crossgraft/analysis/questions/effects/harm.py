"""Harm: how often, how deep, where; and what a treatment gains for it.

A cell is harmed when it loses a point or more; cells on targets at chance can lose nothing and are left out. A treatment is a point in a plane, gain on its task in other languages
against the mean change on other tasks, with an ellipse that holds the true point in 95 of 100 cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.first.floor import can_show_harm
from crossgraft.analysis.intervals.draws import Draws, Estimate, Weighted, has_items
from crossgraft.analysis.questions.effects.regimes import harmed
from crossgraft.core import Floats, Point, Treatment
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix

_TAIL = 0.1  # the worst tenth
_ENOUGH = 4  # treatments, for a line through them


@dataclass(frozen=True)
class Ellipse:
    """95 % of where the true point may lie: half axes and the angle of the longer one, in degrees from gain."""

    long: float
    short: float
    angle: float


@dataclass(frozen=True)
class TreatmentHarm:
    """What a treatment gains on its task elsewhere, and what it does to other tasks."""

    row: Treatment
    gain: Estimate | None  # same task, other languages
    off: Estimate  # other tasks
    ellipse: Ellipse | None
    harmed: Estimate | None  # % of the cells elsewhere that can show harm; none of these three where no cell can
    mass: float | None  # mean loss over these cells, gains counted as zero, in points
    tail: float | None  # mean of the worst tenth of these cells, in points
    excess: Estimate | None  # off, less what the line through a model's treatments expects at its gain on the source


@dataclass(frozen=True)
class TargetHarm:
    """A recipient: how many treatments harm it, and how much."""

    model: str
    target: Point
    harmed: Estimate  # % of the treatments
    tail: float
    worst: ChangeCell


def treatment_harm(matrix: TransferMatrix, draws: Draws) -> tuple[TreatmentHarm, ...]:
    """Every treatment with a source, in the order of the matrix."""
    rows = [(row, _cells_of(row, draws)) for row in matrix.rows if row.source is not None and not row.is_sham]
    excess = dict(_excess(rows, draws))
    return tuple(_treatment(row, cells, excess.get(row), draws) for row, cells in rows if select.other_tasks(cells))


def target_harm(draws: Draws) -> Iterator[TargetHarm]:
    """Every recipient of a model that can show harm, the most brittle first."""
    columns: dict[tuple[str, Point], list[ChangeCell]] = {}
    for cell in select.elsewhere(select.of_models(draws.cells)):
        if can_show_harm(cell):
            columns.setdefault((cell.row.model, cell.target), []).append(cell)
    found = []
    for (model, target), cells in columns.items():
        share = draws.share([(cell, 1 / len(cells)) for cell in cells], harmed)
        worst = min(cells, key=lambda cell: cell.change.mean)
        found.append(TargetHarm(model, target, share, _tail(cells), worst))
    yield from sorted(found, key=lambda one: (one.model, -one.harmed.mean, one.tail))


def _cells_of(row: Treatment, draws: Draws) -> list[ChangeCell]:
    return [cell for cell in draws.cells_of(row) if cell.regime]


def _treatment(row: Treatment, cells: Sequence[ChangeCell], excess: Estimate | None, draws: Draws) -> TreatmentHarm:
    elsewhere = select.elsewhere(cells)
    near, off = _equal(select.same_task(cells)), _equal(select.other_tasks(cells))
    seen = [cell for cell in elsewhere if can_show_harm(cell)]
    return TreatmentHarm(
        row,
        gain=draws.contrast(near) if near else None,
        off=draws.contrast(off),
        ellipse=_ellipse(near, off, draws) if near and has_items(elsewhere) else None,
        harmed=draws.share(_equal(seen), harmed) if seen else None,
        mass=float(np.mean([max(0.0, -cell.change.mean) for cell in seen])) if seen else None,
        tail=_tail(seen) if seen else None,
        excess=excess,
    )


def _equal(cells: Sequence[ChangeCell]) -> list[tuple[ChangeCell, float]]:
    return [(cell, 1 / len(cells)) for cell in cells]


def _tail(cells: Sequence[ChangeCell]) -> float:
    """The mean of the worst tenth, of one cell at least."""
    values = np.sort([cell.change.mean for cell in cells])
    return float(values[: max(1, round(_TAIL * len(values)))].mean())


def _ellipse(gain: Weighted, off: Weighted, draws: Draws) -> Ellipse:
    """From the joint draws of items, seed noise added: both sums share items and seeds."""
    covariance = np.cov(np.stack([draws.sums(side) for side in (gain, off)]))
    seeds = [draws.seeds(side) for side in (gain, off)]
    covariance += np.array([[seed.covariance(other) for other in seeds] for seed in seeds])
    values, vectors = np.linalg.eigh(covariance)
    half = np.sqrt(5.991 * np.clip(values, 0, None))  # the .95 quantile of χ² with two degrees of freedom
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    return Ellipse(float(half[1]), float(half[0]), (angle + 90) % 180 - 90)


def _excess(rows: Sequence[tuple[Treatment, list[ChangeCell]]], draws: Draws) -> Iterator[tuple[Treatment, Estimate]]:
    """Treatments at matched gain on their source: the residual of off-task change on on-source gain, a line a model."""
    for model in dict.fromkeys(row.model for row, _ in rows):
        known: list[tuple[Treatment, Weighted, Weighted]] = []
        for row, cells in rows:
            on, off = select.on_source(cells), select.other_tasks(cells)
            if row.model == model and on and off and has_items(cells):
                known.append((row, _equal(on), _equal(off)))
        if len(known) < _ENOUGH:
            continue
        _, drawn = _line(_drawn([on for _, on, _ in known], draws), _drawn([off for *_, off in known], draws))
        slope, point = _line(_values([on for _, on, _ in known]), _values([off for *_, off in known]))
        for place, (row, gain, elsewhere) in enumerate(known):
            residual = [*((cell, -float(slope[0, 0]) * weight) for cell, weight in gain), *elsewhere]
            both = [*gain, *elsewhere]
            yield row, draws.estimate(float(point[0, place]), drawn[:, place], both, draws.seeds(residual))


def _drawn(sums: Sequence[Weighted], draws: Draws) -> Floats:
    return np.stack([draws.sums(weighted) for weighted in sums], axis=1)


def _values(sums: Sequence[Weighted]) -> Floats:
    return np.array([[sum(weight * cell.change.mean for cell, weight in weighted) for weighted in sums]])


def _line(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Of y on x by least squares, in every draw: slopes (draws, 1) and residuals (draws, treatments)."""
    x, y = (side - side.mean(axis=1, keepdims=True) for side in (x, y))
    spread = (x * x).sum(axis=1, keepdims=True)
    slope = np.divide((x * y).sum(axis=1, keepdims=True), spread, out=np.zeros_like(spread), where=spread > 0)
    return slope, y - slope * x
