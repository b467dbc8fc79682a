"""Remedies for harm: a trained adapter beside what was made of it (scales, merges, checkpoints, mixtures), gain against harm.

Gain is the change on the adapter's own source, or on its task in other languages where the source is no target. Harm is the mean change
on all other targets that can lose. Both are zero at the base, so a straight line leads from the base to the adapter: what serving
it to a share of the requests would give. A remedy is worth something if it lies above that line: at equal gain, other targets are
better off. With gains g and changes elsewhere e of the remedy (r) and the whole adapter (w) that is

    e_r - (g_r / g_w) e_w,

tested as the contrast of cells that it is to first order. A scaled adapter and its whole share a training run; the contrast counts
the seed noise of both as independent, so its intervals are, if anything, too long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.first.floor import can_show_harm
from crossgraft.analysis.intervals.draws import Draws, Estimate, Weighted
from crossgraft.core import Point, Treatment
from crossgraft.spec import override, parse_toml
from crossgraft.stats.multiplicity import holm
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix

SCALE, AFTER = "scale", "after"  # axes of a treatment
LEVEL = 0.05

Way = Literal["whole", "scale", "checkpoint", "merge", "mixture"]


@dataclass(frozen=True)
class Variant:
    """An adapter or a remedy, on the targets that both have."""

    row: Treatment
    way: Way
    gain: Estimate
    elsewhere: Estimate  # mean change of the other targets that can lose
    worst: ChangeCell  # of these
    excess: Estimate | None = (
        None  # elsewhere, less what the straight line has at this gain; none where the whole gains nothing
    )
    p: float | None = None  # of no excess, adjusted for all remedies of the study (Holm)

    @property
    def is_better(self) -> bool:
        """Whether other targets are better off at equal gain, significantly among all remedies."""
        return self.excess is not None and self.p is not None and self.p < LEVEL and self.excess.mean > 0


@dataclass(frozen=True)
class Curve:
    """An adapter as it was trained, and its remedies in order of their gain."""

    whole: Variant
    remedies: tuple[Variant, ...]
    where: str  # what gain is measured on


def curves(evidence: Evidence) -> tuple[Curve, ...]:
    """Every trained adapter of which a remedy was measured, with p-values adjusted over all of them."""
    matrix, draws = evidence.matrix, evidence.draws
    mixed = _mixed(evidence)
    found = []
    for row in matrix.rows:
        if row.kind == "trained" and row.source and not row.is_sham and _is_whole(row):
            related = [(other, way) for other in matrix.rows if (way := _way(other, row, mixed))]
            if related and (curve := _curve(row, related, matrix, draws)):
                found.append(curve)
    return tuple(_adjusted(found))


def _is_whole(row: Treatment) -> bool:
    return not dict(row.recipe).get(AFTER)


def _mixed(evidence: Evidence) -> Mapping[str, frozenset[str]]:
    """The names of merges and mixtures of the spec, with the sources that are in each."""
    if not evidence.spec:
        return {}
    table: dict[str, Any] = parse_toml(evidence.spec)
    for change in evidence.overrides:
        override(table, change)
    return {**_names(table.get("merges"), "sources"), **_names(table.get("sources"), "points")}


def _names(tables: object, key: str) -> dict[str, frozenset[str]]:
    """What stands under a key of each table; other kinds of study may use these names for something else."""
    named = tables.items() if isinstance(tables, dict) else ()
    return {name: frozenset(inner[key]) for name, inner in named if isinstance(inner, dict) and key in inner}


def _way(row: Treatment, whole: Treatment, mixed: Mapping[str, frozenset[str]]) -> Way | None:
    """How a treatment was made of an adapter, of the same model and otherwise the same recipe; none where it was not."""
    if row.model != whole.model or row.is_sham or row == whole:
        return None
    if row.name == whole.name:
        if row.kind == "derived" and _without(row, SCALE) == _without(whole, SCALE):
            return "scale"
        return "checkpoint" if row.kind == "trained" and _without(row, AFTER) == _without(whole, AFTER) else None
    if row.recipe != whole.recipe or str(whole.source) not in mixed.get(row.name, ()):
        return None
    return "merge" if row.kind == "derived" else "mixture"


def _without(row: Treatment, axis: str) -> tuple[object, ...]:
    return tuple(setting for setting in row.recipe if setting[0] != axis)


def _curve(
    row: Treatment, related: Sequence[tuple[Treatment, Way]], matrix: TransferMatrix, draws: Draws
) -> Curve | None:
    own = {cell.target: cell for cell in draws.cells_of(row)}
    on = [target for target, cell in own.items() if cell.regime == "MT-ML"]
    where = f"on {row.source}"
    if not on:
        on, where = [target for target, cell in own.items() if cell.regime == "MT-CL"], "same task, other languages"
    off = [target for target, cell in own.items() if target not in on and can_show_harm(cell)]
    if not on or not off:
        return None
    whole = _variant(row, "whole", own, on, off, draws)
    found = []
    for other, way in related:
        cells = {target: cell for target in own if (cell := matrix.cells.get((other, target))) and cell.unit == "pp"}
        near, far = ([target for target in targets if target in cells] for targets in (on, off))
        if near and far:
            found.append(_compared(_variant(other, way, cells, near, far, draws), own, cells, (near, far), draws))
    return Curve(whole, tuple(sorted(found, key=lambda variant: variant.gain.mean)), where) if found else None


Cells = Mapping[Point, ChangeCell]


def _variant(
    row: Treatment, way: Way, cells: Cells, on: Sequence[Point], off: Sequence[Point], draws: Draws
) -> Variant:
    worst = min((cells[target] for target in off), key=lambda cell: cell.change.mean)
    return Variant(row, way, draws.contrast(_mean(cells, on)), draws.contrast(_mean(cells, off)), worst)


def _compared(
    variant: Variant, own: Cells, cells: Cells, targets: tuple[Sequence[Point], Sequence[Point]], draws: Draws
) -> Variant:
    """With its excess over the straight line from the base to the whole adapter, where that gains significantly."""
    on, off = targets
    gain, harm = draws.contrast(_mean(own, on)), draws.contrast(_mean(own, off))
    if not gain.low > 0:
        return variant
    share, slope = variant.gain.mean / gain.mean, harm.mean / gain.mean
    excess = [
        *_mean(cells, off),
        *_times(_mean(own, off), -share),
        *_times(_mean(cells, on), -slope),
        *_times(_mean(own, on), slope * share),
    ]
    return replace(variant, excess=draws.contrast(excess))


def _mean(cells: Cells, targets: Sequence[Point]) -> list[tuple[ChangeCell, float]]:
    return [(cells[target], 1 / len(targets)) for target in targets]


def _times(weighted: Weighted, factor: float) -> list[tuple[ChangeCell, float]]:
    return [(cell, factor * weight) for cell, weight in weighted]


def _adjusted(found: Sequence[Curve]) -> Iterator[Curve]:
    """With Holm's p-values over the remedies of all curves."""
    tested = [variant.excess for curve in found for variant in curve.remedies if variant.excess]
    adjusted = iter(holm(np.array([estimate.p for estimate in tested])).tolist())
    for curve in found:
        remedies = (replace(one, p=float(next(adjusted))) if one.excess else one for one in curve.remedies)
        yield replace(curve, remedies=tuple(remedies))
