"""Δ = μ + donor + recipient + rest, a model at a time: how far that goes, and every cell drawn towards it.

With d and r its effects, (d - r)/2 of a point is the potential of the antisymmetric part (HodgeRank: Jiang et al., 2011), so
"donor less recipient" says who gives more than it takes, and needs no second method.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import Draws, has_items
from crossgraft.analysis.intervals.joint import joint_cells
from crossgraft.core import Floats, Point
from crossgraft.stats.matrices.two_way import Additive, Labels, additive, drawn_towards, explained_by, spread_about
from crossgraft.transfer.changes import ChangeCell

BLOCKS = "sources and targets fall into blocks without a cell between them, so their effects have no common scale"
_ENOUGH = 3  # points that are both source and target, for a correlation


@dataclass(frozen=True)
class Shrunken:
    """A cell as it is, and drawn to what its source and target do elsewhere, as far as its noise asks for."""

    cell: ChangeCell
    raw: float
    shrunken: float


@dataclass(frozen=True)
class TwoWay:
    """The two-way model of one model's cells off the source."""

    model: str
    explained: float | None  # R² of the cells as they are, noise included
    sources: float | None  # R² of donors alone
    targets: float | None  # R² of recipients alone
    spread: float  # standard deviation of true cells about the model, in points
    correlation: float | None  # of donor and recipient effects, over points that are both
    low: float | None
    high: float | None
    cells: tuple[Shrunken, ...]
    why: str = ""  # there is no fit, no correlation, no interval, or cells are as they were


@dataclass(frozen=True, eq=False)
class Fit:
    """The least squares of one model's cells, with the names of their sources and targets."""

    cells: tuple[ChangeCell, ...]
    sources: tuple[Point, ...]
    targets: tuple[Point, ...]
    gives: Labels  # which source each cell has
    takes: Labels
    additive: Additive


def fits(cells: Sequence[ChangeCell]) -> Iterator[tuple[str, Fit | None]]:
    """Every model's, from its cells off the source; None where the effects are not identified."""
    off = select.sourced(cells)
    solved: dict[tuple[bytes, bytes], Additive | None] = {}  # models that have the same cells share one
    for model in dict.fromkeys(cell.row.model for cell in off):
        own = tuple(cell for cell in off if cell.row.model == model)
        sources, gives = _numbered([source_of(cell) for cell in own])
        targets, takes = _numbered([cell.target for cell in own])
        pattern = gives.tobytes(), takes.tobytes()
        if pattern not in solved:
            solved[pattern] = additive(gives, takes)
        found = solved[pattern]
        yield model, Fit(own, sources, targets, gives, takes, found) if found else None


def two_way(draws: Draws) -> Iterator[TwoWay]:
    for model, fit in fits(draws.cells):
        yield (
            _two_way(model, fit, draws) if fit else TwoWay(model, None, None, None, 0.0, None, None, None, (), BLOCKS)
        )


def source_of(cell: ChangeCell) -> Point:
    assert cell.row.source is not None
    return cell.row.source


def _two_way(model: str, fit: Fit, draws: Draws) -> TwoWay:
    values = np.array([cell.change.mean for cell in fit.cells])
    errors = np.array([cell.change.error for cell in fit.cells])
    if np.isfinite(errors).all():
        spread = spread_about(values, errors, fit.additive)
        shrunken, why = drawn_towards(values, errors, fit.additive.fitted @ values, spread), ""
    else:
        spread, shrunken, why = 0.0, values, "cells without an interval are not shrunk"
    correlation = _correlation(fit, values[None])
    low, high = None, None
    if correlation is not None and has_items(fit.cells):
        drawn = _correlations(fit, joint_cells(fit.cells, draws))
        low, high = (float(edge) for edge in np.quantile(drawn, [0.025, 0.975]))
    elif not why:
        why = (
            f"fewer than {_ENOUGH} points are both source and target, or their effects do not vary"
            if correlation is None
            else "only scores are known: the correlation has no interval"
        )
    cells = zip(fit.cells, values.tolist(), shrunken.tolist(), strict=True)
    explained = fit.additive.explained(values)
    alone = explained_by(fit.gives, values), explained_by(fit.takes, values)
    if fit.additive.free(len(values)) == 0:
        explained, why = None, "it has as many effects as there are cells"
    shrunk = tuple(Shrunken(*one) for one in cells)
    return TwoWay(model, explained, *alone, float(np.sqrt(spread)), correlation, low, high, shrunk, why)


def _correlation(fit: Fit, values: Floats) -> float | None:
    drawn = _correlations(fit, values)
    return float(drawn[0]) if len(drawn) else None


def _correlations(fit: Fit, values: Floats) -> Floats:
    """Of donors and recipients, in every draw in which both vary."""
    both = [(number, fit.targets.index(point)) for number, point in enumerate(fit.sources) if point in fit.targets]
    if len(both) < _ENOUGH:
        return np.empty(0)
    gives, takes = zip(*both, strict=True)
    d, r = values @ fit.additive.donors[list(gives)].T, values @ fit.additive.recipients[list(takes)].T
    d, r = (side - side.mean(axis=1, keepdims=True) for side in (d, r))
    scale = np.sqrt((d * d).sum(axis=1) * (r * r).sum(axis=1))
    kept = scale > 1e-12
    return np.asarray((d * r).sum(axis=1)[kept] / scale[kept])


def _numbered(points: Sequence[Point]) -> tuple[tuple[Point, ...], Labels]:
    names = {point: number for number, point in enumerate(dict.fromkeys(points))}
    return tuple(names), np.array([names[point] for point in points], dtype=np.int64)
