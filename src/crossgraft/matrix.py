"""Records → labels and arrays → changes in percentage points. Rows are treatments, columns targets.

Missing stays missing: a cell without a record is NaN, and a record that has no control of the
same kind is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import erfc, sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from crossgraft.core import Cell, Floats, Job, Labels, Point, Record, Regime, Treatment
from crossgraft.errors import MissingExtra
from crossgraft.metrics import METRICS, Metric
from crossgraft.stats.bootstrap import joint_item_bootstrap
from crossgraft.stats.cells import Change, SeedNoise, paired_change
from crossgraft.stats.moderate import moderated

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
    groups: tuple[str, ...]  # of each item; none where items stand alone
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
    "p",
    "discordant",
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
        cell.change.p,
        cell.change.discordant,
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
        measured: dict[tuple[Treatment, Point], _Measured] = {}
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
                measured[row, target] = _Measured(METRICS.get(asked[0][1].metric), pairs)
        noise = _seed_noise(measured)
        cells = {(row, target): _change_cell(row, target, one, noise) for (row, target), one in measured.items()}
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
                    change = _change_cell(job.treatment, cell.target, _Measured(metric, [pair]), {}).change
                    yield ControlCheck(job.treatment.model, cell.target, job.treatment.variant, change)


def _same_items(treatment: Treatment, target: Point, pair: _Pair) -> _Pair | Gap:
    before, after = pair.control.answers.items, pair.treated.answers.items
    if before == after:
        return pair
    shared = len(set(before) & set(after))
    reason = f"the control has {len(before)} items, the treatment {len(after)}, {shared} of them shared: a change needs the same items"
    return Gap(treatment, target, "refused", reason)


class _Measured:
    """The seeds of a cell as arrays: statistics (seeds, items, k), and the aggregate of each seed, before and after."""

    def __init__(self, metric: Metric, pairs: Sequence[_Pair]) -> None:
        self.metric = metric
        self.pairs = pairs
        self.treated = np.stack([metric.statistics(pair.treated.answers) for pair in pairs])
        self.control = np.stack([metric.statistics(pair.control.answers) for pair in pairs])
        self.after = metric.aggregate(self.treated.sum(axis=1))  # (seeds,)
        self.before = metric.aggregate(self.control.sum(axis=1))

    @property
    def seed_changes(self) -> Floats:
        return np.asarray(self.after - self.before)


def _seed_noise(measured: Mapping[tuple[Treatment, Point], _Measured]) -> dict[tuple[Treatment, Point], SeedNoise]:
    """The variance between seeds of every cell that has several, moderated among a model's cells of one task and metric.

    Three seeds tell a variance badly; all cells of a family together tell well how variances are.
    """
    families: dict[tuple[str, str, str], list[tuple[Treatment, Point]]] = {}
    for (row, target), one in measured.items():
        if len(one.pairs) > 1:
            families.setdefault((row.model, target.task, one.metric.name), []).append((row, target))
    found = {}
    for keys in families.values():
        changes = [measured[key].seed_changes for key in keys]
        counts = np.array([len(change) for change in changes])
        better = moderated(np.array([np.var(change, ddof=1) for change in changes]), counts - 1.0)
        for key, variance, df, count in zip(keys, better.variances, better.df, counts, strict=True):
            found[key] = SeedNoise(float(variance), int(count), float(df))
    return found


def _change_cell(
    row: Treatment, target: Point, one: _Measured, noises: Mapping[tuple[Treatment, Point], SeedNoise]
) -> ChangeCell:
    metric, pairs, noise = one.metric, one.pairs, noises.get((row, target))
    sign = 1.0 if metric.higher_is_better else -1.0
    scale = sign * (100.0 if metric.unit == "share" else 1.0)
    treated, control = one.treated.mean(axis=0), one.control.mean(axis=0)
    if metric.is_mean and metric.unit == "share":
        counted = (treated[:, 1] > 0) & (control[:, 1] > 0)
        groups = _groups(pairs[0].control)
        change = paired_change(
            treated[counted, 0] - control[counted, 0], noise, groups=None if groups is None else groups[counted]
        )
    else:
        change = _bootstrapped(treated, control, metric, one.seed_changes, noise)
    return ChangeCell(
        row=row,
        target=target,
        metric=metric,
        control=float(one.before.mean()),
        treated=float(one.after.mean()),
        change=_scaled(change, scale),
        seeds=tuple(pair.seed for pair in pairs),
        seed_changes=tuple(float(value) * scale for value in one.seed_changes),
        items=pairs[0].control.answers.items,
        groups=_labels(pairs[0].control),
        treated_statistics=treated,
        control_statistics=control,
        record_ids=tuple(pair.treated.id for pair in pairs),
        control_ids=tuple(dict.fromkeys(pair.control.id for pair in pairs)),
    )


def _labels(record: Record) -> tuple[str, ...]:
    """The passage or group of each item; empty where items stand alone."""
    column = record.answers.columns.get("group")
    return () if column is None else tuple(map(str, column))


def _groups(record: Record) -> npt.NDArray[np.integer] | None:
    labels = _labels(record)
    return np.unique(labels, return_inverse=True)[1] if labels else None


def _bootstrapped(
    treated: Floats, control: Floats, metric: Metric, seed_changes: Floats, noise: SeedNoise | None
) -> Change:
    """A percentile interval over items, widened by the variance between seeds."""
    rng = np.random.default_rng(0)
    draws = joint_item_bootstrap(treated[None], control[None], metric.aggregate, draws=_DRAWS, rng=rng)[:, 0]
    mean = float(seed_changes.mean())
    variance = float(np.var(draws))
    between = noise.variance / noise.seeds if noise else 0.0
    widening = np.sqrt((variance + between) / variance) if variance > 0 else 1.0
    low, high = np.quantile(draws, [0.025, 0.975])
    return Change(
        mean,
        mean - (mean - float(low)) * float(widening),
        mean + (float(high) - mean) * float(widening),
        len(treated),
        2.8 * float(np.sqrt(variance + between)),
        p=erfc(abs(mean) / sqrt(2 * (variance + between))) if variance + between > 0 else 1.0,
    )


def _scaled(change: Change, scale: float) -> Change:
    low, high = sorted((change.low * scale, change.high * scale))
    return replace(change, mean=change.mean * scale, low=low, high=high, detectable=change.detectable * abs(scale))
