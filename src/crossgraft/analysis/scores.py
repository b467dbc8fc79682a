"""Scores without per-item outcomes → a transfer matrix: what seeds say of their noise is kept, what items would say is not there.

The cells have no items. Their change has an interval over seeds, whose variances are moderated among a model's cells of one
task, as those of measured cells are; without several seeds it has none, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from crossgraft.analysis.wording import TINY
from crossgraft.changes import ChangeCell, Place
from crossgraft.core import Labels, Point, Treatment
from crossgraft.errors import DataError
from crossgraft.matrix import Gap, TransferMatrix
from crossgraft.metrics.base import Metric
from crossgraft.stats.cells import Change, SeedNoise
from crossgraft.stats.moderate import moderated

_AGREE = (
    0.5  # percentage points: a change further than this from treated less base is of another unit, or of other runs
)
_ONE_SEED = "one seed, and no items: nothing tells its noise"
_STILL = "its seeds do not differ, which says nothing of their noise"


@dataclass(frozen=True)
class ScoreRow:
    """One line of a table: a treatment on a target, by one seed or as the mean of several."""

    line: int
    model: str
    source: Point
    target: Point
    base: float  # in [0, 1]
    score: float  # in [0, 1]
    change: float | None = None  # percentage points; else it is computed
    sd: float | None = None  # of the change between seeds, percentage points
    seeds: int = 1  # how many the line is the mean of
    seed: int | None = None
    items: int = 0  # 0: not known


@dataclass(frozen=True)
class _Seeds:
    """A cell before its noise is judged: change in points, variance between seeds in points², how many seeds."""

    row: ScoreRow
    change: float
    base: float
    score: float
    variance: float | None
    seeds: tuple[int | None, ...]
    changes: tuple[float, ...]


def matrix_of_scores(
    rows: Iterable[ScoreRow], metric: str = "score", gaps: Sequence[Gap] = (), labels: Labels | None = None
) -> TransferMatrix:
    """Every model, source and target of the rows; the lines of a cell must be different seeds."""
    places: dict[Place, list[ScoreRow]] = {}
    for row in rows:
        treatment = Treatment(row.model, str(row.source), "trained", row.source)
        places.setdefault((treatment, row.target), []).append(row)
    known: dict[Place, _Seeds] = {}
    refused: list[Gap] = []
    for place, lines in places.items():
        odd = next((line for line in lines if _disagrees(line)), None)
        if odd:
            refused.append(Gap(*place, "refused", _disagreement(odd)))
        else:
            known[place] = _together(place, lines)
    noise = _noise(known)
    measure = _metric(metric)
    cells = {place: _cell(place, one, noise.get(place), measure) for place, one in known.items()}
    columns = tuple(dict.fromkeys(target for _, target in places))
    return TransferMatrix(
        tuple(dict.fromkeys(row for row, _ in places)), columns, cells, (*gaps, *refused), labels=labels or Labels()
    )


def _disagrees(row: ScoreRow) -> bool:
    return row.change is not None and abs(row.change - 100 * (row.score - row.base)) > _AGREE


def _disagreement(row: ScoreRow) -> str:
    return (
        f"line {row.line}: the change is {row.change:g} points, but the score less the base is "
        f"{100 * (row.score - row.base):g}: one of them is in another unit, or of other runs"
    )


def _together(place: Place, lines: Sequence[ScoreRow]) -> _Seeds:
    """One line with what it says of its seeds, or a line a seed."""
    first = lines[0]
    if len({line.seed for line in lines}) < len(lines):
        raise DataError(
            f"expected one line a model, source, target and seed; lines {', '.join(str(line.line) for line in lines[:4])} are all "
            f"{place[0]} on {place[1]}: remove one, or name the column that tells them apart with seed=COLUMN"
        )
    changes = tuple(_zero(_change(line)) for line in lines)
    if len(lines) == 1:
        variance = None if first.sd is None or first.seeds < 2 else first.sd**2
        seeds: tuple[int | None, ...] = (None,) * first.seeds if first.seeds > 1 else (first.seed,)
        own = changes if first.seeds == 1 else ()
        return _Seeds(first, changes[0], first.base, first.score, variance, seeds, own)
    base, score = (float(np.mean([getattr(line, name) for line in lines])) for name in ("base", "score"))
    variance = float(np.var(changes, ddof=1))
    return _Seeds(
        first, _zero(float(np.mean(changes))), base, score, variance, tuple(line.seed for line in lines), changes
    )


def _change(row: ScoreRow) -> float:
    return row.change if row.change is not None else 100 * (row.score - row.base)


def _zero(change: float) -> float:
    """What rounding left of a zero is none: neither a gain nor a loss."""
    return 0.0 if abs(change) < TINY else change


def _noise(known: Mapping[Place, _Seeds]) -> dict[Place, SeedNoise]:
    """Variances between seeds, moderated among a model's cells of one task."""
    families: dict[tuple[str, str], list[Place]] = {}
    for (row, target), one in known.items():
        if one.variance is not None:
            families.setdefault((row.model, target.task), []).append((row, target))
    found = {}
    for places in families.values():
        variances = np.array([known[place].variance for place in places], dtype=np.float64)
        counts = np.array([len(known[place].seeds) for place in places])
        better = moderated(variances, counts - 1.0)
        for place, variance, df, count in zip(places, better.variances, better.df, counts, strict=True):
            if variance > TINY**2:
                found[place] = SeedNoise(float(variance), int(count), float(df))
    return found


def _cell(place: Place, one: _Seeds, noise: SeedNoise | None, metric: Metric) -> ChangeCell:
    return ChangeCell(
        row=place[0],
        target=place[1],
        metric=metric,
        control=one.base,
        treated=one.score,
        change=_over_seeds(one, noise),
        seeds=one.seeds,
        seed_changes=one.changes,
        items=(),
        groups=(),
        treated_statistics=np.empty((0, 2)),
        control_statistics=np.empty((0, 2)),
        record_ids=(f"line {one.row.line}",),
        control_ids=(),
    )


def _over_seeds(one: _Seeds, noise: SeedNoise | None) -> Change:
    """Student's interval over seeds; without noise that is known it is unbounded."""
    if noise is None:
        why = _ONE_SEED if one.variance is None else _STILL
        return Change(one.change, -inf, inf, one.row.items, inf, why=why)
    error = float(np.sqrt(noise.variance / noise.seeds))
    finite = np.isfinite(noise.df)
    quantile = float(stdtrit(noise.df, 0.975)) if finite else float(ndtri(0.975))
    reach = float(stdtrit(noise.df, 0.8)) if finite else float(ndtri(0.8))
    size = -abs(one.change) / error
    p = 2 * (float(stdtr(noise.df, size)) if finite else float(stdtr(1e9, size)))
    half = quantile * error
    return Change(one.change, one.change - half, one.change + half, one.row.items, half + reach * error, p)


def _metric(name: str) -> Metric:
    """A score as it was told: there are no answers it could be computed from."""

    def statistics(_: object) -> np.ndarray:
        raise DataError(f"the score {name!r} was read from a table: expected answers of items, and there are none")

    return Metric(name, "scores", statistics, description="read from a table")
