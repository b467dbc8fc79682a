"""Records → every treatment beside its control: same model, same target, same items, same numerics.

Missing stays missing, and a record that has no control of the same kind is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crossgraft.core import Answers, Cell, Floats, Job, Point, Record, Treatment
from crossgraft.metrics import METRICS, Metric
from crossgraft.stats.cells.change import Change
from crossgraft.transfer.changes import ChangeCell, Measured, Place, change_cells


@dataclass(frozen=True)
class Gap:
    """A cell without a number: not measured yet, or refused with a reason."""

    row: Treatment
    target: Point
    why: Literal["missing", "refused", "other numerics"]
    reason: str


@dataclass(frozen=True)
class ControlCheck:
    """How much the control itself moves when it is repeated, or its prompt varied harmlessly."""

    model: str
    target: Point
    variant: str
    change: Change  # in percentage points

    @property
    def is_repeat(self) -> bool:
        """The same prompts again: a change is an error of the machine, not of the prompt."""
        return self.variant.startswith("repeat")


@dataclass(frozen=True)
class _Pair:
    """One seed of a treatment, with the control it is compared with."""

    seed: int | None
    treated: Record
    control: Record


@dataclass(frozen=True)
class _Control:
    """What many treatments need of the control that they are compared with."""

    statistics: Floats
    chance: float | None
    groups: tuple[str, ...]


class Pairs:
    """Finds for every treatment its control: same model, same target, same items, same numerics."""

    def __init__(self, jobs: Sequence[Job], records: Iterable[Record]) -> None:
        self._records: dict[str, list[Record]] = {}
        for record in records:
            self._records.setdefault(record.id, []).append(record)
        self._controls: dict[tuple[str, Point], list[Record]] = {}
        self._of_controls: dict[tuple[str, int], _Control] = {}
        self._variants: list[tuple[Job, Cell, Record]] = []
        for job in jobs:
            if not job.treatment.is_control:
                continue
            for cell in job.cells:
                found = self._records.get(cell.record_id, [])
                if job.treatment.variant:
                    self._variants += [(job, cell, record) for record in found]
                else:
                    self._controls.setdefault((job.treatment.model, cell.target), []).extend(found)
        self._wanted: dict[Place, list[tuple[Job, Cell]]] = {}
        for job in jobs:
            if not job.treatment.is_control:
                for cell in job.cells:
                    self._wanted.setdefault((job.treatment.row, cell.target), []).append((job, cell))

    @property
    def rows(self) -> tuple[Treatment, ...]:
        return tuple(dict.fromkeys(row for row, _ in self._wanted))

    @property
    def columns(self) -> tuple[Point, ...]:
        return tuple(dict.fromkeys(target for _, target in self._wanted))

    def cells(self) -> tuple[dict[Place, ChangeCell], tuple[Gap, ...]]:
        """What can be compared, and what cannot, with the reason."""
        measured: dict[Place, Measured] = {}
        gaps: list[Gap] = []
        for place, asked in self._wanted.items():
            pairs = []
            for job, cell in asked:
                found = self._pair(job, cell)
                if isinstance(found, _Pair):
                    pairs.append(found)
                else:
                    gaps.append(found)
            if not pairs:
                continue
            measured[place] = _measured(METRICS.get(asked[0][1].metric), pairs, self._of_controls)
        cells, refused = compared(measured)
        return cells, (*gaps, *refused)

    def control_checks(self) -> tuple[ControlCheck, ...]:
        """The control against its own repeats and variants."""
        found = []
        for job, cell, record in self._variants:
            for control in self._controls.get((job.treatment.model, cell.target), []):
                if control.pairing == record.pairing and control.answers.items == record.answers.items:
                    measured = _measured(METRICS.get(cell.metric), [_Pair(None, record, control)], self._of_controls)
                    change = change_cells({(job.treatment, cell.target): measured})[job.treatment, cell.target].change
                    found.append(ControlCheck(job.treatment.model, cell.target, job.treatment.variant, change))
        return tuple(found)

    def _pair(self, job: Job, cell: Cell) -> _Pair | Gap:
        treatment, target = job.treatment, cell.target
        treated = self._records.get(cell.record_id)
        controls = self._controls.get((treatment.model, target), [])
        if not treated:
            return Gap(treatment, target, "missing", "not measured yet")
        if not controls:
            return Gap(treatment, target, "missing", "its control is not measured yet")
        alike = sorted(controls, key=lambda one: one.treatment.seed != treatment.seed)  # a control may have seeds too
        for record in treated:
            for control in alike:
                if record.pairing == control.pairing:
                    return _same_items(treatment, target, _Pair(treatment.seed, record, control))
        return Gap(
            treatment,
            target,
            "other numerics",
            f"measured on {treated[0].pairing}, its control on {controls[0].pairing}: numbers computed "
            "differently are not compared; run again where the control is to be, to measure it there",
        )


def compared(measured: Mapping[Place, Measured]) -> tuple[dict[Place, ChangeCell], list[Gap]]:
    """The change of every cell of which items count, and those of which none do."""
    empty = {place: one for place, one in measured.items() if np.isnan([one.before, one.after]).any()}
    gaps = [
        Gap(*place, "refused", f"none of its {len(one.items)} items counts for {one.metric.name}")
        for place, one in empty.items()
    ]
    return change_cells({place: one for place, one in measured.items() if place not in empty}), gaps


def other_items(before: Sequence[object], after: Sequence[object]) -> str:
    """Why a treatment that was measured on other items than its control is not compared with it."""
    shared = len(set(before) & set(after))
    return f"the control has {len(before)} items, the treatment {len(after)}, {shared} of them shared: a change needs the same items"


def _same_items(treatment: Treatment, target: Point, pair: _Pair) -> _Pair | Gap:
    before, after = pair.control.answers.items, pair.treated.answers.items
    if before == after:
        return pair
    return Gap(treatment, target, "refused", other_items(before, after))


def _measured(metric: Metric, pairs: Sequence[_Pair], of_controls: dict[tuple[str, int], _Control]) -> Measured:
    """``of_controls`` keeps what was computed of a control."""
    for pair in pairs:
        key = metric.name, id(pair.control)
        if key not in of_controls:
            of_controls[key] = _control(metric, pair.control.answers)
    first = of_controls[metric.name, id(pairs[0].control)]
    return Measured(
        metric,
        tuple(pair.seed for pair in pairs),
        np.stack([metric.statistics(pair.treated.answers) for pair in pairs]),
        np.stack([of_controls[metric.name, id(pair.control)].statistics for pair in pairs]),
        pairs[0].control.answers.items,
        first.groups,
        tuple(pair.treated.id for pair in pairs),
        tuple(dict.fromkeys(pair.control.id for pair in pairs)),
        first.chance,
    )


def _control(metric: Metric, answers: Answers) -> _Control:
    group = answers.columns.get("group")
    return _Control(metric.statistics(answers), chance(answers), () if group is None else tuple(map(str, group)))


def chance(answers: Answers) -> float | None:
    """What guessing would score, of multiple choice: the mean of one over the number of options."""
    if answers.kind != "choice":
        return None
    options = np.count_nonzero(~np.isnan(answers.columns["loglik"]), axis=1)
    return float(np.mean(1 / np.maximum(options, 1)))
