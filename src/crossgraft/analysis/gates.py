"""What must hold of a grid before its numbers are read: each gate is looked at, and says what it saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.floor import can_show_harm
from crossgraft.analysis.wording import listed
from crossgraft.core import Point
from crossgraft.matrix import ChangeCell, TransferMatrix

CHANCE_FLOOR = "chance floor"
_STILL = 0.1  # percentage points: treatments that differ by no more than this on a target do not reach it
_SISTERS = 3.5  # robust standard deviations
_FEW = 4  # languages or treatments: fewer tell nothing
_COMMON = 0.95  # share of the items that languages of a task must have in common


@dataclass(frozen=True)
class Gate:
    """One thing that was looked at on a model's targets, and on which of them it is not as it should be."""

    name: str
    model: str
    targets: tuple[Point, ...]  # where it fails; none: nowhere
    saw: str

    @property
    def fine(self) -> bool:
        return not self.targets


def gates(matrix: TransferMatrix) -> tuple[Gate, ...]:
    """All gates of all models."""
    found: list[Gate] = []
    for model in dict.fromkeys(row.model for row in matrix.rows):
        columns: dict[Point, list[ChangeCell]] = {}
        for (row, target), cell in matrix.cells.items():
            if row.model == model:
                columns.setdefault(target, []).append(cell)
        if columns:
            found += [
                _dead(model, columns),
                _chance(model, columns),
                *_sisters(model, columns),
                *_items(model, columns),
            ]
            found += _repeated(model, matrix)
            found += _numerics(model, matrix)
    return tuple(found)


def _dead(model: str, columns: dict[Point, list[ChangeCell]]) -> Gate:
    """A target on which no treatment changes anything is not measured, or cannot be."""
    dead = [
        target
        for target, cells in columns.items()
        if len(cells) >= _FEW and float(np.std([cell.change.mean for cell in cells])) < _STILL
    ]
    return _gate(
        "dead targets",
        model,
        dead,
        "no treatment changes them by a tenth of a point",
        "every target is moved by some treatment",
    )


def _chance(model: str, columns: dict[Point, list[ChangeCell]]) -> Gate:
    """Where the base guesses, harm cannot be seen and gains are learned from nothing."""
    low = [target for target, cells in columns.items() if not can_show_harm(cells[0])]
    if not low and all(cells[0].chance is None for cells in columns.values()):
        return Gate(CHANCE_FLOOR, model, (), "these answers have no options to guess among")
    return _gate(
        CHANCE_FLOOR, model, low, "the base is within two standard errors of guessing", "the base knows every target"
    )


def _sisters(model: str, columns: dict[Point, list[ChangeCell]]) -> Iterator[Gate]:
    """A language far below the others of its task is more often broken data than a hard language."""
    odd = []
    looked = 0
    for task in dict.fromkeys(target.task for target in columns):
        own = {target: cells[0].control for target, cells in columns.items() if target.task == task}
        if len(own) < _FEW:
            continue
        looked += 1
        scores = np.array(list(own.values()))
        centre = float(np.median(scores))
        spread = 1.4826 * float(np.median(np.abs(scores - centre)))
        odd += [target for target, score in own.items() if spread > 0 and (centre - score) / spread > _SISTERS]
    if looked:
        yield _gate(
            "sister languages",
            model,
            odd,
            "the base is far below its other languages of the task",
            "no language falls out of its task",
        )


def _items(model: str, columns: dict[Point, list[ChangeCell]]) -> Iterator[Gate]:
    """Means over languages compare the same items, or they compare items; words of language pairs are never the same."""
    odd = []
    looked = 0
    for task in dict.fromkeys(target.task for target in columns if ":" not in target.lang):
        own = {
            target: set(cells[0].items) for target, cells in columns.items() if target.task == task and cells[0].items
        }
        if len(own) < 2:
            continue
        looked += 1
        shared = set.intersection(*own.values())
        odd += [target for target, items in own.items() if len(shared) < _COMMON * len(items)]
    if looked:
        yield _gate(
            "same items",
            model,
            odd,
            f"fewer than {_COMMON:.0%} of their items are in all languages of the task",
            "languages of a task have the same items",
        )


def _repeated(model: str, matrix: TransferMatrix) -> Iterator[Gate]:
    """The base measured again must give the same answers: what moves is the tool's own noise."""
    checks = [one for one in matrix.control_checks if one.model == model and one.variant.startswith("repeat")]
    if checks:
        moved = [one.target for one in checks if one.change.discordant or abs(one.change.mean) > 1e-9]
        most = max(one.change.discordant or 0.0 for one in checks)
        yield _gate(
            "base repeats",
            model,
            moved,
            f"the base measured again differs, on up to {most:.1%} of the items",
            "the base measured again is the same",
        )


def _numerics(model: str, matrix: TransferMatrix) -> Iterator[Gate]:
    """Results of another device, attention or number of threads than their control's are not compared."""
    mixed = dict.fromkeys(
        gap.target
        for gap in matrix.gaps
        if gap.row.model == model and gap.why == "refused" and "measured on" in gap.reason
    )
    if mixed:
        yield _gate(
            "one way of computing",
            model,
            list(mixed),
            "some results were computed otherwise than their control, and are left out",
            "",
        )


def _gate(name: str, model: str, targets: Sequence[Point], wrong: str, right: str) -> Gate:
    if not targets:
        return Gate(name, model, (), right)
    return Gate(name, model, tuple(targets), f"{listed(list(map(str, targets)))}: {wrong}")
