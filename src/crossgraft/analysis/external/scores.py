"""Scores without per-item outcomes → a transfer matrix whose cells have no items.

The noise of the items is bounded by the binomial distribution: two scores p and q on the same n items differ with a variance of at
most p(1 - p)/n + q(1 - q)/n, as long as right answers before and after are not negatively correlated. To this the variance
between seeds is added, moderated among a model's cells of one task. Without the number of items nothing bounds the noise, so a
cell has no interval: its seeds answer the same items, and know nothing of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from crossgraft.analysis.wording import TINY
from crossgraft.core import Labels, Point, Treatment
from crossgraft.errors import DataError
from crossgraft.metrics.base import Metric
from crossgraft.stats.cells.change import Change, SeedNoise
from crossgraft.stats.cells.student import quantile, satterthwaite, two_sided
from crossgraft.transfer.changes import ChangeCell, Place, moderated_noise
from crossgraft.transfer.matrix import Gap, TransferMatrix

_AGREE = (
    0.5  # percentage points: a change further than this from treated less base is of another unit, or of other runs
)
NO_COUNT = "the number of items per score is not known, so nothing bounds its noise; add a column n, or name it (items=COLUMN, items=400)"


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
    cells = {place: _cell(place, seeds, noise.get(place), measure) for place, seeds in known.items()}
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
    """A change that is zero up to rounding is neither a gain nor a loss."""
    return 0.0 if abs(change) < TINY else change


def _noise(known: Mapping[Place, _Seeds]) -> dict[Place, SeedNoise]:
    """Variances between seeds, moderated among a model's cells of one task."""
    families: dict[tuple[str, str], dict[Place, SeedNoise]] = {}
    for (row, target), seeds in known.items():
        if seeds.variance is not None:
            alone = SeedNoise(seeds.variance, len(seeds.seeds), len(seeds.seeds) - 1.0)
            families.setdefault((row.model, target.task), {})[row, target] = alone
    return {
        place: noise
        for family in families.values()
        for place, noise in moderated_noise(family).items()
        if noise.variance > TINY**2
    }


def _cell(place: Place, seeds: _Seeds, noise: SeedNoise | None, metric: Metric) -> ChangeCell:
    return ChangeCell(
        row=place[0],
        target=place[1],
        metric=metric,
        control=seeds.base,
        treated=seeds.score,
        change=_with_noise(seeds, noise),
        seeds=seeds.seeds,
        seed_changes=seeds.changes,
        items=(),
        groups=(),
        treated_statistics=np.empty((0, 2)),
        control_statistics=np.empty((0, 2)),
        record_ids=(f"line {seeds.row.line}",),
        control_ids=(),
    )


def _with_noise(seeds: _Seeds, noise: SeedNoise | None) -> Change:
    """The binomial bound on the noise of the items, and what seeds add; Student's interval by Satterthwaite's degrees of freedom."""
    items = seeds.row.items
    if not items:
        return Change(seeds.change, -inf, inf, inf, 0, inf, why=NO_COUNT)
    between = noise.variance / noise.seeds if noise else 0.0
    variance = binomial(seeds.score, items) + binomial(seeds.base, items) + between
    df = satterthwaite(variance, between**2 / noise.df if noise else 0.0)
    error = sqrt(variance)
    half = quantile(df) * error
    return Change(
        seeds.change,
        seeds.change - half,
        seeds.change + half,
        error,
        items,
        half + quantile(df, 0.8) * error,
        two_sided(seeds.change, error, df),
        seed_variance=between,
        df=df,
    )


def binomial(score: float, items: int) -> float:
    """The variance (pp²) of a share of n items; one more right and one more wrong keep it above zero at 0 and 1."""
    share = (score * items + 1) / (items + 2)
    return 1e4 * share * (1 - share) / items


def _metric(name: str) -> Metric:
    """A score as it was told: there are no answers it could be computed from."""

    def statistics(_: object) -> np.ndarray:
        raise DataError(f"the score {name!r} was read from a table, which has no answers of items; this needs them")

    return Metric(name, "scores", statistics, description="read from a table")
