"""Outcomes of items that were measured elsewhere → a transfer matrix, as from our own records.

A row of the table is one item: ``model``, ``treatment``, ``target`` (task/language), ``item`` and ``score`` (from 0 to 1, higher is
better), and where they are known ``seed``, ``source``, ``variant``, ``group`` (items of one passage) and ``chance`` (of a target).
Rows whose treatment is empty or "base" are the base. Nothing is taken for a source that no column calls one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TypeVar, cast, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.external.outcome_table import (
    Coded,
    Codes,
    OutcomeColumns,
    columns_of,
    header_of,
    is_parquet,
    labels,
    shares,
    together,
)
from crossgraft.analysis.external.score_table import read_table
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.core import Floats, Kind, Point, SourceVariant, Treatment
from crossgraft.errors import CrossgraftError, DataError, SpecError, shown
from crossgraft.metrics.base import Metric
from crossgraft.transfer.changes import Measured, Place
from crossgraft.transfer.matrix import Gap, TransferMatrix
from crossgraft.transfer.pairing import compared, other_items

_Value = TypeVar("_Value")
_BASE = ("", "base")
_NO_SOURCE = (
    "no treatment says what it was trained on, so there are no regimes: add a column source, or name it with source=COLUMN "
    "(source=treatment where treatments are called like their source)"
)


def matrix_from_outcomes(table: object, named: Iterable[str] = ()) -> TransferMatrix:
    """The matrix of a table with a row per item; ``named`` are texts FIELD=COLUMN.

    The table is a pandas or polars frame, a pyarrow table, a mapping of names to arrays, or the path of a CSV or Parquet file. A
    treatment meets the base of its seed, else the base without a seed, else the only base of its model and target. A missing
    score (NaN) is an item that does not count. Rows are counted from 1, without the header; a cell names the first of each run.

    >>> right = {"model": ["m"] * 4, "treatment": ["", "", "a", "a"], "target": ["qa/de"] * 4, "item": [1, 2, 1, 2]}
    >>> matrix_from_outcomes({**right, "score": [0, 1, 1, 1]}).change.tolist()
    [[50.0]]
    """
    path = Path(table) if isinstance(table, str | PathLike) else None
    try:
        return _matrix(_Rows.of(*columns_of(path or table, named)))
    except CrossgraftError as error:
        if path is None:
            raise
        raise DataError(f"{path}: {error}") from error


def read_findings(path: Path, named: Sequence[str] = ()) -> Findings:
    """What a table says: of items where it has a column for them, else of scores."""
    matrix = read_matrix(path, named)
    if not _has_items(path, named):
        return analyse(Evidence(matrix, path.stem, as_published=True))
    sourced = any(row.source for row in matrix.rows)
    return analyse(Evidence(matrix, path.stem, notes=() if sourced else (_NO_SOURCE,)))


def read_matrix(path: Path, named: Sequence[str] = ()) -> TransferMatrix:
    """The matrix of a table of items or of scores; of items, some must have a base."""
    if not _has_items(path, named):
        return read_table(path, named)
    matrix = matrix_from_outcomes(path, named)
    if not matrix.cells:
        gap = matrix.gaps[0]
        raise DataError(
            f"{path}: no treatment can be compared with its base, the first, {gap.row} on {gap.target}: {gap.reason}"
        )
    return matrix


def _has_items(path: Path, named: Sequence[str]) -> bool:
    if is_parquet(path) or any(text.startswith("item=") for text in named):
        return True
    try:
        header = header_of(path)
    except DataError:
        return False  # whoever reads scores says what is wrong with the file
    return OutcomeColumns.item in header or (OutcomeColumns.treatment in header and OutcomeColumns.source not in header)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The table as arrays, one element per row; no number means that the column is not there, or empty."""

    models: Coded
    treatments: Coded
    sources: Coded
    variants: Coded
    seeds: Coded
    targets: Coded
    items: Coded
    groups: Coded
    scores: Floats
    chances: Floats
    metric: str

    @classmethod
    def of(cls, table: pa.Table, present: Mapping[str, list[str]], columns: OutcomeColumns) -> _Rows:
        none = Coded(np.full(table.num_rows, -1, dtype=np.int64), ())

        def optional(name: str) -> Coded:
            return labels(table, present[name]) if name in present else none

        def required(name: str) -> Coded:
            coded = labels(table, present[name], empty=("",))
            if (coded.codes < 0).any():
                raise DataError(
                    f"row {coded.row(-1)}, {getattr(columns, name)}: expected a name or a number; it is empty"
                )
            return coded

        (score,) = present["score"]
        return cls(
            models=required("model"),
            treatments=optional("treatment" if "treatment" in present else "source"),
            sources=optional("source"),
            variants=optional("variant"),
            seeds=optional("seed"),
            targets=required("target"),
            items=required("item"),
            groups=optional("group"),
            scores=shares(table, score),
            chances=shares(table, present["chance"][0]) if "chance" in present else np.full(table.num_rows, np.nan),
            metric=score,
        )


@dataclass(frozen=True, eq=False)
class _Run:
    """One treatment, or the base, with one seed on one target: the rows that say so, in the order of the table."""

    treatment: Treatment
    target: Point
    rows: npt.NDArray[np.intp]

    @property
    def name(self) -> str:
        return f"#{self.rows[0] + 1}"


@dataclass
class _Bases:
    """The runs of the base by seed, for one model and target."""

    by_seed: dict[int | None, _Run] = field(default_factory=dict)

    def of(self, seed: int | None) -> _Run | str:
        """The base that a treatment with this seed is compared with, or why it has no base."""
        if not self.by_seed:
            return "the table has no base for this model and target"
        run = self.by_seed.get(seed, self.by_seed.get(None))
        if run is None and len(self.by_seed) == 1:
            (run,) = self.by_seed.values()
        seeds = ", ".join(map(str, self.by_seed))
        return run or f"the base has the seeds {seeds}, none of them {seed if seed is not None else 'without a seed'}"


def _matrix(rows: _Rows) -> TransferMatrix:
    bases: dict[tuple[str, Point], _Bases] = {}
    places: dict[Place, list[_Run]] = {}
    for run in _runs(rows):
        if run.treatment.is_control:
            bases.setdefault((run.treatment.model, run.target), _Bases()).by_seed[run.treatment.seed] = run
        else:
            places.setdefault((run.treatment.row, run.target), []).append(run)
    _need_both(rows, places, bases)
    metric = Metric(rows.metric, "outcomes", _no_answers, description="read from a table")
    gaps: list[Gap] = []
    measured: dict[Place, Measured] = {}
    for place, treated in places.items():
        found = _cell(rows, metric, treated, bases.get((place[0].model, place[1]), _Bases()), gaps)
        if found is not None:
            measured[place] = found
    cells, refused = compared(measured)
    columns = tuple(dict.fromkeys(target for _, target in places))
    return TransferMatrix(tuple(dict.fromkeys(row for row, _ in places)), columns, cells, (*gaps, *refused))


def _need_both(rows: _Rows, places: Mapping[Place, object], bases: Mapping[tuple[str, Point], object]) -> None:
    if not bases:
        raise DataError(
            "expected rows of the base, whose treatment is empty or 'base'; every row has a treatment, such as "
            f"{rows.treatments.values[0]!r}"
        )
    if not places:
        raise DataError("expected rows with a treatment beside those of the base; every row is of the base")


def _runs(rows: _Rows) -> Iterator[_Run]:
    """In the order in which they begin in the table."""
    arm = together(rows.treatments.codes, rows.sources.codes, rows.variants.codes)
    arms, arm = _different([_arm(rows, int(row)) for row in np.unique(arm, return_index=True)[1]], arm)
    _one_source_each(arms)
    targets = [_point(rows.targets, code, "target") for code in range(len(rows.targets.values))]
    written = together(rows.seeds.codes)
    seeds, seed_of = _different([_seed(rows.seeds, code) for code in rows.seeds.numbers], written)
    run = together(rows.models.codes, arm, seed_of, rows.targets.codes)
    _no_item_twice(rows, run)
    _one_group_each(rows)
    order = np.argsort(run, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(run[order])) + 1)
    for part in sorted(parts, key=lambda part: int(part[0])):
        first = int(part[0])
        model, seed = rows.models[int(rows.models.codes[first])], seeds[seed_of[first]]
        yield _Run(replace(arms[arm[first]], model=model, seed=seed), targets[rows.targets.codes[first]], part)


def _different(values: Sequence[_Value], codes: Codes) -> tuple[list[_Value], Codes]:
    """Values that were written in two ways ("" and "base", 1 and 1.0) under one number."""
    numbers: dict[_Value, int] = {}
    new = np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)
    return list(numbers), new[codes]


def _arm(rows: _Rows, row: int) -> Treatment:
    """What a row says of its treatment, but for model and seed."""
    name, taught, variant = (
        column[int(column.codes[row])] for column in (rows.treatments, rows.sources, rows.variants)
    )
    source = None if taught in _BASE else _point(rows.sources, int(rows.sources.codes[row]), "source")
    if name in _BASE:
        if source or variant:
            raise DataError(
                f"row {row + 1}: expected a treatment, or a base without source and variant; got no treatment with {shown(taught or variant)}"
            )
        return Treatment("", "base", "control")
    if variant not in get_args(SourceVariant):
        raise DataError(f"row {row + 1}: expected a variant 'sham' or 'format-only', or none; got {shown(variant)}")
    full = name if not variant or name.endswith(f"({variant})") else f"{name} ({variant})"
    kind: Kind = "trained" if source or variant else "given"
    return Treatment("", full, kind, source, source_variant=cast(SourceVariant, variant))


def _one_source_each(arms: Iterable[Treatment]) -> None:
    sources: dict[str, Point | None] = {}
    for arm in arms:
        first = sources.setdefault(arm.name, arm.source)
        if first != arm.source:
            raise DataError(
                f"expected one source per treatment; {shown(arm.name)} has {first or 'none'} and {arm.source or 'none'}: give it two names"
            )


def _point(column: Coded, code: int, field: str) -> Point:
    try:
        return Point.parse(column[code])
    except SpecError as error:
        raise DataError(f"row {column.row(code)}, {field}: {error}") from error


def _seed(column: Coded, code: int) -> int | None:
    text = column[code]
    try:
        number = float(text) if text else None
        if number is None or number == int(number):
            return None if number is None else int(number)
    except (ValueError, OverflowError):
        pass
    raise DataError(f"row {column.row(code)}, seed: expected a whole number; got {shown(text)}")


def _no_item_twice(rows: _Rows, run: Codes) -> None:
    key = run * len(rows.items.values) + rows.items.codes
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(np.diff(key[order]) == 0)
    if len(again):
        same = order[key[order] == key[order[again[0]]]]
        numbers = ", ".join(str(row + 1) for row in same[:4])
        raise DataError(
            f"expected one row per model, treatment, seed, target and item; rows {numbers} are all item "
            f"{shown(rows.items[int(rows.items.codes[same[0]])])} of {rows.targets[int(rows.targets.codes[same[0]])]}: remove one, or name the "
            "column that tells them apart, such as seed=COLUMN"
        )


def _one_group_each(rows: _Rows) -> None:
    """Base and treatments must agree on which items belong together."""
    if not rows.groups.values:
        return
    item = together(rows.targets.codes, rows.items.codes)
    firsts = np.unique(together(item, rows.groups.codes), return_index=True)[1]
    firsts = firsts[np.argsort(item[firsts], kind="stable")]
    again = np.flatnonzero(np.diff(item[firsts]) == 0)
    if len(again):
        first, second = sorted(int(row) for row in firsts[again[0] : again[0] + 2])
        raise DataError(
            f"expected one group per item and target; item {shown(rows.items[int(rows.items.codes[first])])} has "
            f"{shown(rows.groups[int(rows.groups.codes[first])])} in row {first + 1} and "
            f"{shown(rows.groups[int(rows.groups.codes[second])])} in row {second + 1}"
        )


def _cell(rows: _Rows, metric: Metric, treated: Sequence[_Run], bases: _Bases, gaps: list[Gap]) -> Measured | None:
    """The seeds of a treatment on a target, on the items of the base in its order; what has no equal is a gap."""
    pairs: list[tuple[_Run, _Run, Floats]] = []
    items: Codes | None = None
    for run in treated:
        base = bases.of(run.treatment.seed)
        if isinstance(base, str):
            gaps.append(Gap(run.treatment, run.target, "missing", base))
            continue
        items = rows.items.codes[base.rows] if items is None else items
        before, after = _aligned(rows, base, items), _aligned(rows, run, items)
        if before is None or after is None:
            reason = other_items(items.tolist(), rows.items.codes[(base if before is None else run).rows].tolist())
            gaps.append(Gap(run.treatment, run.target, "refused", reason))
            continue
        pairs.append((run, base, np.stack([before, after])))
    if not pairs or items is None:
        return None
    first = pairs[0][1]
    return Measured(
        metric,
        tuple(run.treatment.seed for run, _, _ in pairs),
        np.stack([_statistics(scores[1]) for _, _, scores in pairs]),
        np.stack([_statistics(scores[0]) for _, _, scores in pairs]),
        tuple(rows.items.values[code] for code in items),
        _groups(rows, first, items),
        tuple(run.name for run, _, _ in pairs),
        tuple(dict.fromkeys(base.name for _, base, _ in pairs)),
        _chance(rows.chances[first.rows]),
    )


def _aligned(rows: _Rows, run: _Run, items: Codes) -> Floats | None:
    """The scores of a run in the order of these items; none where it has others."""
    own = rows.items.codes[run.rows]
    if np.array_equal(own, items):
        return rows.scores[run.rows]
    by_own, by_items = np.argsort(own), np.argsort(items)
    if not np.array_equal(own[by_own], items[by_items]):
        return None
    found = np.empty(len(items))
    found[by_items] = rows.scores[run.rows[by_own]]
    return found


def _statistics(scores: Floats) -> Floats:
    """Of a mean: the score, and that it counts."""
    counted = ~np.isnan(scores)
    return np.stack([np.where(counted, scores, 0.0), counted.astype(np.float64)], axis=1)


def _groups(rows: _Rows, base: _Run, items: Codes) -> tuple[str, ...]:
    """Of each item; one without a group stands alone."""
    codes = rows.groups.codes[base.rows]
    if (codes < 0).all():
        return ()
    group_of = dict(zip(rows.items.codes[base.rows].tolist(), codes.tolist(), strict=True))
    return tuple(rows.groups[group_of[item]] or f"alone: {rows.items.values[item]}" for item in items.tolist())


def _chance(levels: Floats) -> float | None:
    """The mean over the base's items, which is what guessing scores."""
    known = levels[~np.isnan(levels)]
    if not len(known):
        return None
    return float(known[0] if (known == known[0]).all() else known.mean())


def _no_answers(_: object) -> npt.NDArray[np.float64]:
    raise DataError("only the scores of items were read from a table; this needs their answers")
