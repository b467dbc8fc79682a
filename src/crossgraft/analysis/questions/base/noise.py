"""The shared base: what it adds to recipient scores and to the variance between targets, and what is left without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import Draws, Estimate
from crossgraft.core import Floats, Point, Treatment
from crossgraft.stats.cells.shrinkage import shrunken
from crossgraft.stats.control_noise import ColumnNoise, column_noise, summed
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix

IMMUNE = "Immune to noise of the base: both sides subtract the same answers."
NOT_IMMUNE = (
    "Not immune to noise of the base: every change of a column subtracts the same answers, and moves with them."
)
_ENOUGH = 3  # treatments a column


@dataclass(frozen=True)
class Recipient:
    """A target's mean change over treatments, raw, and drawn to the mean of all targets by what noise of the base explains."""

    target: Point
    raw: Estimate
    corrected: float
    noise: float  # standard deviation of what noise of the base adds, in points


@dataclass(frozen=True)
class BaseNoise:
    """One model's columns: variances in squared percentage points, shares in percent of all variance between cells."""

    model: str
    between: float  # variance between targets, as it is
    corrected: float  # … without noise of the base; below zero where noise explains more than there is
    share: float
    corrected_share: float
    uplift: Estimate  # mean change of all cells elsewhere
    positive: float  # % of the cells expected to be above zero, each judged by its noise and all others
    raw_positive: float  # % that are above zero as they are
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True)
class AgainstSham:
    """A treatment against a sham on the same targets: what its content adds to what its format does. Immune to the base."""

    row: Treatment
    sham: str
    where: str
    estimate: Estimate


def base_noise(draws: Draws) -> Iterator[BaseNoise]:
    """Every model whose columns have three treatments or more."""
    for model in dict.fromkeys(cell.row.model for cell in draws.cells):
        columns: dict[Point, list[ChangeCell]] = {}
        for cell in select.elsewhere(select.of_models(draws.cells)):
            if cell.row.model == model and _is_share(cell):
                columns.setdefault(cell.target, []).append(cell)
        columns = {target: cells for target, cells in columns.items() if len(cells) >= _ENOUGH}
        if len(columns) > 1:
            yield _of_model(model, columns, draws)


def _is_share(cell: ChangeCell) -> bool:
    return cell.metric.is_mean and len(cell.items) > 0


def _of_model(model: str, columns: dict[Point, list[ChangeCell]], draws: Draws) -> BaseNoise:
    shared = _noise(columns)
    means = np.array([np.mean([cell.change.mean for cell in cells]) for cells in columns.values()])
    within = float(np.mean([np.var([cell.change.mean for cell in cells], ddof=1) for cells in columns.values()]))
    sampled = within / float(np.mean([len(cells) for cells in columns.values()]))  # of a column's mean
    between = max(0.0, float(means.var(ddof=1)) - sampled)
    corrected = between - shared.between
    cells = [cell for own in columns.values() for cell in own]
    changes = np.array([cell.change.mean for cell in cells])
    errors = np.array([cell.change.error for cell in cells])
    noise = shared.apart + sampled
    kept = max(0.0, corrected) / (max(0.0, corrected) + noise) if noise.all() else np.ones(len(means))
    centre = float(means.mean())
    recipients = tuple(
        Recipient(
            target,
            draws.contrast([(cell, 1 / len(own)) for cell in own]),
            centre + float(keep) * (mean - centre),
            error,
        )
        for (target, own), mean, keep, error in zip(
            columns.items(), means.tolist(), kept, np.sqrt(shared.variance).tolist(), strict=True
        )
    )
    return BaseNoise(
        model=model,
        between=between,
        corrected=corrected,
        share=_share(between, within),
        corrected_share=_share(max(0.0, corrected), within),
        uplift=draws.contrast([(cell, 1 / len(cells)) for cell in cells]),
        positive=100 * float(shrunken(changes, errors).positive.mean()),
        raw_positive=100 * float(np.mean(changes > 0)),
        recipients=recipients,
    )


def _share(part: float, rest: float) -> float:
    return 100 * part / (part + rest) if part + rest > 0 else 0.0


def _noise(columns: dict[Point, list[ChangeCell]]) -> ColumnNoise:
    """Items of different tasks are different items, whatever their ids; items of one group are summed."""
    names = {(target.task, item) for target, cells in columns.items() for item in cells[0].items}
    place = {name: number for number, name in enumerate(sorted(names))}
    group_of: dict[tuple[str, str], tuple[str, ...]] = {name: name for name in place}
    differences = np.full((len(columns), len(place)), np.nan)
    spread: list[
        tuple[Floats, list[int]]
    ] = []  # of each column: its cells' differences (cells, items), and where the items are
    for number, (target, cells) in enumerate(columns.items()):
        first = cells[0]
        shared = [cell for cell in cells if cell.items == first.items or set(cell.items) == set(first.items)]
        at = [place[target.task, item] for item in first.items]
        each = np.array([_in_order(_differences(cell), cell, first.items) for cell in shared])
        differences[number, at] = each.mean(axis=0)
        spread.append((each, at))
        for item, group in zip(first.items, first.groups, strict=False):
            group_of[target.task, item] = (target.task, "group", group)
    labels = {group: number for number, group in enumerate(dict.fromkeys(group_of[name] for name in place))}
    groups = np.array([labels[group_of[name]] for name in place], dtype=np.intp)
    own = np.zeros((len(columns), len(labels)))
    for alone, (each, at) in zip(own, spread, strict=True):
        if len(each) > 1:
            centred = each - each.mean(axis=1, keepdims=True)
            alone[:] = _padded(summed(centred, groups[at]).var(axis=0, ddof=1) / len(each), len(labels))
    return column_noise(differences, own, groups)


def _padded(values: Floats, length: int) -> Floats:
    return np.concatenate([values, np.zeros(length - len(values))])


def _differences(cell: ChangeCell) -> Floats:
    """What the treatment changes each item by; an item that one of the two does not count moves nothing."""
    counted = (cell.treated_statistics[:, 1] > 0) & (cell.control_statistics[:, 1] > 0)
    values = _values(cell.treated_statistics) - _values(cell.control_statistics)
    return np.where(counted, values, 0.0)


def _in_order(values: Floats, cell: ChangeCell, items: Sequence[str]) -> Floats:
    """Of the cell's items, as they stand in ``items``."""
    if cell.items == items:
        return values
    place = {item: number for number, item in enumerate(cell.items)}
    return values[[place[item] for item in items]]


def _values(statistics: Floats) -> Floats:
    """The score of each item; zero of one that does not count."""
    nothing = np.zeros(len(statistics))
    return np.asarray(np.divide(statistics[:, 0], statistics[:, 1], out=nothing, where=statistics[:, 1] > 0))


def against_sham(matrix: TransferMatrix, draws: Draws) -> Iterator[AgainstSham]:
    """Every treatment with a source against the model's sham of the same source, or else against all its shams."""
    shams = [row for row in matrix.rows if row.source_variant == "sham"]
    for row in matrix.rows:
        if row.source is None or row.is_sham:
            continue
        own = [sham for sham in shams if sham.model == row.model and sham.recipe == row.recipe]
        exact = [sham for sham in own if sham.name == f"{row.name} (sham)"]
        for where, chosen in (("on the source", select.on_source), ("same task, other languages", select.same_task)):
            targets = [cell.target for cell in chosen(draws.cells_of(row))]
            weighted = _difference(row, exact or own, targets, matrix)
            if weighted:
                name = exact[0].name if exact else ", ".join(sham.name for sham in own)
                yield AgainstSham(row, name, where, draws.contrast(weighted))


def _difference(
    row: Treatment, shams: Sequence[Treatment], targets: Sequence[Point], matrix: TransferMatrix
) -> list[tuple[ChangeCell, float]]:
    """The row's cells less the mean of the shams', on targets that all of them have."""
    shared = [target for target in targets if all((treatment, target) in matrix.cells for treatment in (row, *shams))]
    if not shams:
        return []
    weighted = [(matrix.cells[row, target], 1 / len(shared)) for target in shared]
    weighted += [(matrix.cells[sham, target], -1 / len(shared) / len(shams)) for target in shared for sham in shams]
    return weighted
