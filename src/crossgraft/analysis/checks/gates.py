"""What must hold of a grid before its numbers are read: each gate is looked at, and says what it saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from crossgraft.analysis.first.floor import can_show_harm
from crossgraft.analysis.wording import listed
from crossgraft.core import Check, Point
from crossgraft.stats.matrices.outlying import far_below, usual_spread
from crossgraft.stats.multiplicity import benjamini_hochberg
from crossgraft.stats.resampling.clustered import Clustered, clustered
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix

CHANCE_FLOOR = "chance floor"
CLUSTERED = "items stand alone"
_STILL = 0.1  # percentage points: treatments that differ by no more than this on a target do not reach it
_ALARM = 0.05  # of studies without a fault, those that are warned of one
_SPREAD, _SPREAD_DF = (
    0.05,
    4.0,
)  # the base's scores in the languages of a task differ by this or more; the degrees of freedom it counts for
_DESIGN_EFFECT = 1.2  # smaller ones hardly widen an interval
_FEW = 4  # languages or treatments: fewer tell nothing
_COMMON = 0.95  # share of the items that languages of a task must have in common


def gates(matrix: TransferMatrix) -> tuple[Check, ...]:
    """All gates of all models."""
    checks: list[Check] = []
    sisters, clusters = _sisters(matrix), _clusters(matrix)
    for model, columns in _columns(matrix).items():
        checks += [_dead(model, columns), _chance(model, columns)]
        checks += [by_model[model] for by_model in (sisters, clusters) if model in by_model]
        checks += _items(model, columns)
        checks += _repeated(model, matrix)
        checks += _numerics(model, matrix)
    return tuple(checks)


def _columns(matrix: TransferMatrix) -> dict[str, dict[Point, list[ChangeCell]]]:
    """The cells of each model on each target, in the order of the rows."""
    found: dict[str, dict[Point, list[ChangeCell]]] = {row.model: {} for row in matrix.rows}
    for (row, target), cell in matrix.cells.items():
        found[row.model].setdefault(target, []).append(cell)
    return {model: columns for model, columns in found.items() if columns}


def _dead(model: str, columns: dict[Point, list[ChangeCell]]) -> Check:
    """A target on which no treatment changes anything is not measured, or cannot be."""
    return _gate(
        "dead targets",
        model,
        [target for target, cells in columns.items() if is_dead(cells)],
        "no treatment changes them by a tenth of a point",
        "every target is moved by some treatment",
    )


def is_dead(cells: Sequence[ChangeCell]) -> bool:
    """Whether treatments change a target, all of them, by the same to a tenth of a point; of few treatments that tells nothing."""
    return len(cells) >= _FEW and float(np.std([cell.change.mean for cell in cells])) < _STILL


def _chance(model: str, columns: dict[Point, list[ChangeCell]]) -> Check:
    """Where the base guesses, harm cannot be seen and gains are learned from nothing."""
    low = [target for target, cells in columns.items() if not can_show_harm(cells[0])]
    if not low and all(cells[0].chance is None for cells in columns.values()):
        return Check(CHANCE_FLOOR, fine=True, saw="these answers have no options to guess among", model=model)
    return _gate(
        CHANCE_FLOOR, model, low, "the base is within two standard errors of guessing", "the base knows every target"
    )


def _sisters(matrix: TransferMatrix) -> dict[str, Check]:
    """By model. A language far below the others of its task is more often broken data than a hard language.

    p-values are adjusted for all languages of the study, so that a study without a fault is seldom warned of one.
    """
    rows = [
        (model, {target: cells[0] for target, cells in columns.items() if target.task == task})
        for model, columns in _columns(matrix).items()
        for task in dict.fromkeys(target.task for target in columns)
    ]
    rows = [(model, own) for model, own in rows if len(own) >= _FEW]
    measured = [
        (np.array([cell.control for cell in own.values()]), np.array([_error(cell) for cell in own.values()]))
        for _, own in rows
    ]
    typical = max(_SPREAD, usual_spread(measured)) if measured else _SPREAD
    looked = {
        (model, target): float(p)
        for (model, own), (scores, errors) in zip(rows, measured, strict=True)
        for target, p in zip(own, far_below(scores, errors, typical=typical, df=_SPREAD_DF), strict=True)
    }
    adjusted = benjamini_hochberg(np.array(list(looked.values())))
    odd: dict[str, list[Point]] = {model: [] for model, _ in looked}
    for (model, target), p in zip(looked, adjusted.tolist(), strict=True):
        if p <= _ALARM:
            odd[model].append(target)
    wrong, right = "the base is far below its other languages of the task", "no language falls out of its task"
    return {model: _gate("sister languages", model, targets, wrong, right) for model, targets in odd.items()}


def _error(cell: ChangeCell) -> float:
    """Standard error of the base's score, between its items; zero where none are known."""
    if not cell.metric.is_mean:
        return 0.0
    if len(cell.items) > 1:
        scores, counted = cell.control_statistics.T[:2]
        values = np.divide(scores, counted, out=np.zeros(len(scores)), where=counted > 0)[counted > 0]
        return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    known = cell.change.n > 1 and 0 <= cell.control <= 1
    return float(np.sqrt(cell.control * (1 - cell.control) / cell.change.n)) if known else 0.0


def _clusters(matrix: TransferMatrix) -> dict[str, Check]:
    """By model. Items that share a passage are right or wrong together; where the task does not say so, intervals are too narrow.

    What is looked at is the mean change of every item over models, treatments and languages, a task at a time.
    """
    found = {task: one for task, cells in _undeclared(matrix).items() if (one := _clustered_items(cells)) is not None}
    warned = {
        task: one for task, one in found.items() if one.p * len(found) <= _ALARM and one.design_effect > _DESIGN_EFFECT
    }
    gates: dict[str, Check] = {}
    for model, columns in _columns(matrix).items():
        tasks = dict.fromkeys(target.task for target in columns)
        if any(task in found for task in tasks):
            odd = [target for target in columns if target.task in warned]
            saw = "; ".join(_clustered_sentence(task, warned[task]) for task in tasks if task in warned)
            gates[model] = Check(
                CLUSTERED,
                fine=not odd,
                saw=saw or "no sign of passages that the task does not name",
                model=model,
                targets=tuple(odd),
            )
    return gates


def _undeclared(matrix: TransferMatrix) -> dict[str, list[ChangeCell]]:
    """The cells of every task that names no groups of items."""
    tasks: dict[str, list[ChangeCell]] = {}
    for (_, target), cell in matrix.cells.items():
        if cell.items and cell.metric.is_mean and cell.row.kind != "mapping":
            tasks.setdefault(target.task, []).append(cell)
    return {task: cells for task, cells in tasks.items() if not any(cell.groups for cell in cells)}


def _clustered_items(cells: Sequence[ChangeCell]) -> Clustered | None:
    sets = {cell.items for cell in cells}
    place = {item: number for number, item in enumerate(sorted({item for items in sets for item in items}))}
    places = {items: np.array([place[item] for item in items]) for items in sets}
    sums, counts = np.zeros(len(place)), np.zeros(len(place))
    for cell in cells:
        treated, control = cell.treated_statistics, cell.control_statistics
        counted = (treated[:, 1] > 0) & (control[:, 1] > 0)
        if counted.any():
            change = treated[counted, 0] / treated[counted, 1] - control[counted, 0] / control[counted, 1]
            at = places[cell.items][counted]
            sums[at] += change - change.mean()
            counts[at] += 1
    there = counts > 0
    items = [item for item, known in zip(place, there, strict=True) if known]
    return clustered(sums[there] / counts[there], items, np.random.default_rng(0))


def _clustered_sentence(task: str, found: Clustered) -> str:
    if found.groups:
        seen = f"ids share prefixes: {found.groups} groups of about {found.size:.0f} items; changes within a group"
    else:
        seen = "neighbouring items change together; changes of neighbours"
    return (
        f"items of {task} look clustered ({seen} correlate {found.correlation:.2f}): intervals are too narrow by a factor of about "
        f"{np.sqrt(found.design_effect):.1f}; name the passage field as `group` in the task"
    )


def _items(model: str, columns: dict[Point, list[ChangeCell]]) -> Iterator[Check]:
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


def _repeated(model: str, matrix: TransferMatrix) -> Iterator[Check]:
    """The base measured again must give the same answers: what moves is the tool's own noise."""
    checks = [
        control_check
        for control_check in matrix.control_checks
        if control_check.model == model and control_check.is_repeat
    ]
    if checks:
        moved = [check.target for check in checks if check.change.discordant or abs(check.change.mean) > 1e-9]
        most = max(check.change.discordant or 0.0 for check in checks)
        yield _gate(
            "base repeats",
            model,
            moved,
            f"the base measured again differs, on up to {most:.1%} of the items",
            "the base measured again is the same",
        )


def _numerics(model: str, matrix: TransferMatrix) -> Iterator[Check]:
    """Results of another device, attention or number of threads than their control's are not compared."""
    mixed = dict.fromkeys(gap.target for gap in matrix.gaps if gap.row.model == model and gap.why == "other numerics")
    if mixed:
        yield _gate(
            "one way of computing",
            model,
            list(mixed),
            "some results were computed otherwise than their control, and are left out",
            "",
        )


def _gate(name: str, model: str, targets: Sequence[Point], wrong: str, right: str) -> Check:
    if not targets:
        return Check(name, fine=True, saw=right, model=model)
    return Check(
        name, fine=False, saw=f"{listed(list(map(str, targets)))}: {wrong}", model=model, targets=tuple(targets)
    )
