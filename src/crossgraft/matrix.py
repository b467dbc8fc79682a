"""Records → labels and arrays → changes in percentage points. Rows are treatments, columns targets.

Missing stays missing: a cell without a record is NaN, and a record that has no control of the
same kind is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crossgraft.core import Cell, Floats, Job, Labels, Point, Record, Regime, Treatment
from crossgraft.errors import MissingExtra
from crossgraft.metrics import METRICS, Metric
from crossgraft.stats.bootstrap import joint_item_bootstrap
from crossgraft.stats.cells import Change, paired_change

if TYPE_CHECKING:
    import pandas
    import polars

_DRAWS = 1000  # for the interval of one cell of a metric that is no mean


@dataclass(frozen=True)
class ChangeCell:
    """One treatment on one target against the control, over its seeds."""

    row: Treatment
    target: Point
    metric: Metric
    control: float
    treated: float
    change: Change  # in percentage points for shares, else in the metric's unit
    seeds: tuple[int | None, ...]
    seed_changes: tuple[float, ...]
    items: tuple[str, ...]
    treated_statistics: Floats  # (items, k), mean over the seeds
    control_statistics: Floats  # (items, k)
    record_ids: tuple[str, ...]
    control_ids: tuple[str, ...]

    @property
    def regime(self) -> Regime | None:
        return self.row.source.regime(self.target) if self.row.source else None

    @property
    def unit(self) -> str:
        return "pp" if self.metric.unit == "share" else self.metric.unit


@dataclass(frozen=True)
class Gap:
    """A cell without a number: not measured yet, or refused with a reason."""

    row: Treatment
    target: Point
    why: Literal["missing", "refused"]
    reason: str


@dataclass(frozen=True)
class ControlCheck:
    """How much the control itself moves when it is repeated, or its prompt varied harmlessly."""

    model: str
    target: Point
    variant: str
    change: Change  # in percentage points


@dataclass(frozen=True)
class TransferMatrix:
    """All cells of a study: labels, and one array a number, all of the same shape."""

    rows: tuple[Treatment, ...]
    columns: tuple[Point, ...]
    cells: Mapping[tuple[Treatment, Point], ChangeCell]
    gaps: tuple[Gap, ...] = ()
    control_checks: tuple[ControlCheck, ...] = ()
    labels: Labels = Labels()

    @classmethod
    def from_records(
        cls, jobs: Sequence[Job], records: Iterable[Record], labels: Labels | None = None
    ) -> TransferMatrix:
        """Pair what the jobs of a study asked for with what was recorded."""
        return replace(_Pairing(jobs, records).matrix(), labels=labels or Labels())

    @property
    def change(self) -> Floats:
        """Changes (rows, columns), positive when better; NaN where missing."""
        return self._array(lambda cell: cell.change.mean)

    @property
    def low(self) -> Floats:
        return self._array(lambda cell: cell.change.low)

    @property
    def high(self) -> Floats:
        return self._array(lambda cell: cell.change.high)

    @property
    def n(self) -> Floats:
        """Items a cell is based on; NaN where missing."""
        return self._array(lambda cell: float(cell.change.n))

    def _array(self, value: Any) -> Floats:
        table = np.full((len(self.rows), len(self.columns)), np.nan)
        for i, row in enumerate(self.rows):
            for j, column in enumerate(self.columns):
                cell = self.cells.get((row, column))
                if cell is not None:
                    table[i, j] = value(cell)
        return table

    def tidy(self) -> list[dict[str, Any]]:
        """One plain row a cell, for tables."""
        return [_tidy(cell) for cell in self.cells.values()]

    def to_pandas(self) -> pandas.DataFrame:
        """The tidy table as a pandas frame, if pandas is installed."""
        try:
            import pandas
        except ImportError as error:
            raise MissingExtra("to_pandas", "pandas") from error
        return pandas.DataFrame(self.tidy(), columns=TIDY_COLUMNS)

    def to_polars(self) -> polars.DataFrame:
        """The tidy table as a polars frame, if polars is installed."""
        try:
            import polars
        except ImportError as error:
            raise MissingExtra("to_polars", "polars") from error
        return polars.DataFrame(self.tidy(), schema_overrides={"regime": polars.String, "source": polars.String})


TIDY_COLUMNS = [
    "model",
    "treatment",
    "recipe",
    "source",
    "target",
    "regime",
    "metric",
    "n",
    "seeds",
    "control",
    "treated",
    "change",
    "low",
    "high",
    "unit",
    "detectable",
    "record",
    "control_record",
]


def _tidy(cell: ChangeCell) -> dict[str, Any]:
    values = [
        cell.row.model,
        cell.row.name,
        ", ".join(f"{key}={value}" for key, value in cell.row.recipe),
        str(cell.row.source) if cell.row.source else None,
        str(cell.target),
        cell.regime,
        cell.metric.name,
        cell.change.n,
        len(cell.seeds),
        cell.control,
        cell.treated,
        cell.change.mean,
        cell.change.low,
        cell.change.high,
        cell.unit,
        cell.change.detectable,
        " ".join(cell.record_ids),
        " ".join(cell.control_ids),
    ]
    return dict(zip(TIDY_COLUMNS, values, strict=True))


@dataclass(frozen=True)
class _Pair:
    """One seed of a treatment, with the control it is compared with."""

    seed: int | None
    treated: Record
    control: Record


class _Pairing:
    """Finds for every treatment its control: same model, same target, same items, same numerics."""

    def __init__(self, jobs: Sequence[Job], records: Iterable[Record]) -> None:
        self._jobs = jobs
        self._records: dict[str, list[Record]] = {}
        for record in records:
            self._records.setdefault(record.id, []).append(record)
        self._controls: dict[tuple[str, Point], list[Record]] = {}
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

    def matrix(self) -> TransferMatrix:
        wanted: dict[tuple[Treatment, Point], list[tuple[Job, Cell]]] = {}
        for job in self._jobs:
            if not job.treatment.is_control:
                for cell in job.cells:
                    wanted.setdefault((job.treatment.row, cell.target), []).append((job, cell))
        cells: dict[tuple[Treatment, Point], ChangeCell] = {}
        gaps: list[Gap] = []
        for (row, target), asked in wanted.items():
            pairs = []
            for job, cell in asked:
                found = self._pair(job, cell)
                if isinstance(found, _Pair):
                    pairs.append(found)
                else:
                    gaps.append(found)
            if pairs:
                cells[row, target] = _change_cell(row, target, METRICS.get(asked[0][1].metric), pairs)
        return TransferMatrix(
            rows=tuple(dict.fromkeys(row for row, _ in wanted)),
            columns=tuple(dict.fromkeys(target for _, target in wanted)),
            cells=cells,
            gaps=tuple(gaps),
            control_checks=tuple(self._checks()),
        )

    def _pair(self, job: Job, cell: Cell) -> _Pair | Gap:
        treatment, target = job.treatment, cell.target
        treated = self._records.get(cell.record_id)
        controls = self._controls.get((treatment.model, target), [])
        if not treated:
            return Gap(treatment, target, "missing", "not measured yet")
        if not controls:
            return Gap(treatment, target, "missing", "its control is not measured yet")
        for record in treated:
            for control in controls:
                if record.pairing == control.pairing:
                    return _same_items(treatment, target, _Pair(treatment.seed, record, control))
        return Gap(
            treatment,
            target,
            "refused",
            f"measured on {treated[0].pairing}, its control on {controls[0].pairing}: numbers computed "
            "differently are not compared; run again where the control is to be, to measure it there",
        )

    def _checks(self) -> Iterable[ControlCheck]:
        for job, cell, record in self._variants:
            for control in self._controls.get((job.treatment.model, cell.target), []):
                if control.pairing == record.pairing and control.answers.items == record.answers.items:
                    metric = METRICS.get(cell.metric)
                    pair = _Pair(None, record, control)
                    change = _change_cell(job.treatment, cell.target, metric, [pair]).change
                    yield ControlCheck(job.treatment.model, cell.target, job.treatment.variant, change)


def _same_items(treatment: Treatment, target: Point, pair: _Pair) -> _Pair | Gap:
    before, after = pair.control.answers.items, pair.treated.answers.items
    if before == after:
        return pair
    shared = len(set(before) & set(after))
    reason = f"the control has {len(before)} items, the treatment {len(after)}, {shared} of them shared: a change needs the same items"
    return Gap(treatment, target, "refused", reason)


def _change_cell(row: Treatment, target: Point, metric: Metric, pairs: Sequence[_Pair]) -> ChangeCell:
    treated = np.stack([metric.statistics(pair.treated.answers) for pair in pairs])  # (seeds, items, k)
    control = np.stack([metric.statistics(pair.control.answers) for pair in pairs])
    after = metric.aggregate(treated.sum(axis=1))  # (seeds,)
    before = metric.aggregate(control.sum(axis=1))
    sign = 1.0 if metric.higher_is_better else -1.0
    scale = sign * (100.0 if metric.unit == "share" else 1.0)
    mean_treated, mean_control = treated.mean(axis=0), control.mean(axis=0)
    if metric.is_mean and metric.unit == "share":
        counted = (mean_treated[:, 1] > 0) & (mean_control[:, 1] > 0)
        change = paired_change(mean_treated[counted, 0] - mean_control[counted, 0], after - before)
    else:
        change = _bootstrapped(mean_treated, mean_control, metric, after - before)
    return ChangeCell(
        row=row,
        target=target,
        metric=metric,
        control=float(before.mean()),
        treated=float(after.mean()),
        change=_scaled(change, scale),
        seeds=tuple(pair.seed for pair in pairs),
        seed_changes=tuple(float(one) * scale for one in after - before),
        items=pairs[0].control.answers.items,
        treated_statistics=mean_treated,
        control_statistics=mean_control,
        record_ids=tuple(pair.treated.id for pair in pairs),
        control_ids=tuple(dict.fromkeys(pair.control.id for pair in pairs)),
    )


def _bootstrapped(treated: Floats, control: Floats, metric: Metric, seed_changes: Floats) -> Change:
    """A percentile interval over items, widened by the variance between seeds."""
    rng = np.random.default_rng(0)
    draws = joint_item_bootstrap(treated[None], control[None], metric.aggregate, draws=_DRAWS, rng=rng)[:, 0]
    mean = float(seed_changes.mean())
    variance = float(np.var(draws))
    between = float(np.var(seed_changes, ddof=1)) / len(seed_changes) if len(seed_changes) > 1 else 0.0
    widening = np.sqrt((variance + between) / variance) if variance > 0 else 1.0
    low, high = np.quantile(draws, [0.025, 0.975])
    return Change(
        mean,
        mean - (mean - float(low)) * float(widening),
        mean + (float(high) - mean) * float(widening),
        len(treated),
        2.8 * float(np.sqrt(variance + between)),
    )


def _scaled(change: Change, scale: float) -> Change:
    low, high = sorted((change.low * scale, change.high * scale))
    return Change(change.mean * scale, low, high, change.n, change.detectable * abs(scale))
