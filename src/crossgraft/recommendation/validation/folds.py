"""Parts of a matrix that are held out: halves of the items, single seeds, languages, tasks, and the model itself.

Of each part there is a matrix without it, and the changes that were measured in it with their errors. Halves of the items and single
seeds come from the same training runs and the same items; a language, a task or a model is held out as a target, and its cells are predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import numpy.typing as npt

from crossgraft.core import Point
from crossgraft.transfer.changes import ChangeCell, Measured, Place, change_cells
from crossgraft.transfer.matrix import TransferMatrix

_HALVINGS = 4
_SEED = 0

Result = tuple[float, float]  # a change and its standard error, in percentage points


@dataclass(frozen=True, eq=False)
class Fold:
    """What is left, and what was seen in the part that is not."""

    kind: str
    left: TransferMatrix
    held: Mapping[Place, Result]

    @property
    def targets(self) -> tuple[Point, ...]:
        return tuple(dict.fromkeys(target for _, target in self.held))


def folds(matrix: TransferMatrix, model: str) -> Iterator[Fold]:
    """Of one model; other models stay whole."""
    own = {place: cell for place, cell in matrix.cells.items() if place[0].model == model and cell.unit == "pp"
           and not place[0].is_sham}  # fmt: skip
    yield from _halves(matrix, own)
    yield from _seeds(matrix, own)
    yield from _parts(matrix, own, "a language", lambda target: target.lang)
    yield from _parts(matrix, own, "a task", lambda target: target.skill)
    if any(row.model != model for row in matrix.rows):
        yield _without(matrix, own, "the model")


def _halves(matrix: TransferMatrix, own: Mapping[Place, ChangeCell]) -> Iterator[Fold]:
    """Each half in turn, several times; the same items of a task in all its languages and treatments."""
    if not all(cell.items for cell in own.values()):
        return
    units: dict[str, list[str]] = {}
    for cell in own.values():
        units.setdefault(cell.target.task, []).extend(_units(cell))
    rng = np.random.default_rng(_SEED)
    for _ in range(_HALVINGS):
        first: dict[str, frozenset[str]] = {}
        for task, names in sorted(units.items()):
            every = sorted(set(names))
            first[task] = frozenset(rng.permutation(every)[: len(every) // 2].tolist())
        sides = [_of_half(matrix.cells, first, keep=keep) for keep in (True, False)]
        for left, held in (sides, sides[::-1]):
            results = {place: _result(held[place]) for place in own if place in held and place in left}
            if results:
                yield Fold("half of the items", replace(matrix, cells=left), results)


def _units(cell: ChangeCell) -> Sequence[str]:
    """Items of a group stay together."""
    return cell.groups or cell.items


def _of_half(
    cells: Mapping[Place, ChangeCell], first: Mapping[str, frozenset[str]], *, keep: bool
) -> dict[Place, ChangeCell]:
    """What seeds vary by is known from all items; each cell has it on top of the noise of its half."""
    masks = {
        place: np.array([(unit in first.get(cell.target.task, ())) is keep for unit in _units(cell)])
        for place, cell in cells.items()
        if cell.items
    }
    part = {place: _some_items(cells[place], mask) for place, mask in masks.items() if mask.sum() > 1}
    return {place: _with_seeds(half, cells[place]) for place, half in change_cells(part).items()}


def _some_items(cell: ChangeCell, mask: npt.NDArray[np.bool_]) -> Measured:
    return Measured(
        cell.metric,
        (None,),
        cell.treated_statistics[None, mask],
        cell.control_statistics[None, mask],
        tuple(item for item, kept in zip(cell.items, mask, strict=True) if kept),
        tuple(group for group, kept in zip(cell.groups, mask, strict=False) if kept),
        chance=cell.chance,
    )


def _with_seeds(half: ChangeCell, whole: ChangeCell) -> ChangeCell:
    moved = half.change.mean - whole.change.mean
    error = sqrt(half.change.error**2 + whole.change.seed_variance)
    return replace(
        half,
        change=replace(half.change, error=error, seed_variance=whole.change.seed_variance),
        seeds=whole.seeds,
        seed_changes=tuple(change + moved for change in whole.seed_changes),
        sampled=whole.sampled * len(whole.items) / max(1, len(half.items)),
    )


def _seeds(matrix: TransferMatrix, own: Mapping[Place, ChangeCell]) -> Iterator[Fold]:
    """Cells that have the seed and another one; the items are the same."""
    known = sorted(
        {seed for cell in own.values() if len(cell.seed_changes) > 1 for seed in cell.seeds if seed is not None}
    )
    for seed in known:
        with_it = {place: cell for place, cell in own.items() if seed in cell.seeds and len(cell.seed_changes) > 1}
        left = {**matrix.cells, **{place: _but_one(cell, cell.seeds.index(seed)) for place, cell in with_it.items()}}
        held = {place: _of_one(cell, cell.seeds.index(seed)) for place, cell in with_it.items()}
        yield Fold("a seed", replace(matrix, cells=left), held)


def _but_one(cell: ChangeCell, at: int) -> ChangeCell:
    others = tuple(change for place, change in enumerate(cell.seed_changes) if place != at)
    between = cell.change.seed_variance * len(cell.seeds) / len(others)
    error = sqrt(max(cell.change.error**2 - cell.change.seed_variance, 0.0) + between)
    change = replace(cell.change, mean=float(np.mean(others)), error=error, seed_variance=between)
    seeds = tuple(seed for place, seed in enumerate(cell.seeds) if place != at)
    return replace(cell, change=change, seeds=seeds, seed_changes=others)


def _of_one(cell: ChangeCell, at: int) -> Result:
    more = cell.change.seed_variance * (len(cell.seeds) - 1)
    return cell.seed_changes[at], sqrt(cell.change.error**2 + more)


def _parts(
    matrix: TransferMatrix, own: Mapping[Place, ChangeCell], name: str, label: Callable[[Point], str]
) -> Iterator[Fold]:
    """What the model does on all targets of one label, where there are others."""
    labels = dict.fromkeys(label(target) for _, target in own)
    for one in labels if len(labels) > 1 else ():
        yield _without(matrix, {place: cell for place, cell in own.items() if label(place[1]) == one}, name)


def _without(matrix: TransferMatrix, part: Mapping[Place, ChangeCell], kind: str) -> Fold:
    left = {place: cell for place, cell in matrix.cells.items() if place not in part}
    return Fold(kind, replace(matrix, cells=left), {place: _result(cell) for place, cell in part.items()})


def _result(cell: ChangeCell) -> Result:
    return cell.change.mean, cell.change.error
