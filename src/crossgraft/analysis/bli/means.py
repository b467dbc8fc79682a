"""Means over language pairs, with two intervals: for new queries on these pairs, and for new pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from crossgraft.analysis.bli.tables import PairTable, TaskTables
from crossgraft.core import Floats, Treatment
from crossgraft.metrics import METRICS
from crossgraft.stats.resampling.clusters import cluster_times, drawn_means
from crossgraft.stats.resampling.contrasts import mean_of_units

DRAWS = 1000
SEED = 0

Weighted = Sequence[tuple[Treatment, float]]
Keep = npt.NDArray[np.bool_]  # (queries,)


@dataclass(frozen=True)
class PairMean:
    """A mean over language pairs, each of equal weight, in the unit of its measure.

    ``low`` and ``high``: these pairs, new queries (clusters drawn anew, 95 %), the variance between seeds added.
    ``pairs_low`` and ``pairs_high``: new pairs (Student's, NaN for one pair); pairs that share a language are less
    independent than it takes them for.
    """

    value: float
    low: float
    high: float
    pairs_low: float
    pairs_high: float
    pairs: int
    queries: int
    concepts: int


class Means:
    """Every mean of a task, from the same draws of clusters, so that any two of them can be subtracted."""

    def __init__(self, tables: TaskTables) -> None:
        self._tables = tables
        self._times = cluster_times(tables.clusters, draws=DRAWS, rng=np.random.default_rng(SEED))
        self._times_of = lru_cache(len(tables.pairs))(lambda place: self._times[:, tables.pairs[place].clusters])
        self._measured = lru_cache(2048)(self._measure)  # all of MAP, and not all of everything
        self._drawn = lru_cache(len(tables.pairs))(self._draw)  # of one measure, and some of its queries, at a time

    def contrast(
        self,
        weighted: Weighted,
        measure: str = "MAP",
        *,
        among: Sequence[str] | None = None,
        keep: Sequence[Keep] | None = None,
    ) -> PairMean | None:
        """A weighted sum of rows, over the pairs that have them all; None where no pair does.

        ``among`` are the pairs that may count, ``keep`` the queries of each pair that do.
        """
        values, drawn, seeds, concepts = [], [], [], []
        queries = 0
        for place, table in enumerate(self._tables.pairs):
            if not all(row in table.runs for row, _ in weighted) or (among is not None and table.pair not in among):
                continue
            kept = None if keep is None else keep[place]
            parts = [(weight, self._statistics(place, row, measure, kept)) for row, weight in weighted]
            weights = np.min([rows.mean(axis=0)[:, 1] for _, rows in parts], axis=0)
            if not weights.any():
                continue
            values.append(sum(weight * _ratio(rows.mean(axis=0)) for weight, rows in parts))
            drawn.append(sum(weight * self._drawn_of(place, row, measure, kept) for row, weight in weighted))
            seeds.append(sum(weight**2 * _seed_variance(rows) for weight, rows in parts))
            concepts.append(table.clusters[weights > 0])
            queries += int(np.count_nonzero(weights))
        if not values:
            return None
        low, high = _interval(np.array(values), np.array(drawn), sum(seeds) / len(values) ** 2)
        units = mean_of_units(np.array(values))
        new_pairs = np.array([units.low, units.high] if units else [np.nan, np.nan])
        if len(weighted) == 1:  # a level is a share, a difference may have either sign
            new_pairs = np.clip(new_pairs, 0.0, 1.0)
        return PairMean(
            float(np.mean(values)),
            low,
            high,
            float(new_pairs[0]),
            float(new_pairs[1]),
            len(values),
            queries,
            len(np.unique(np.concatenate(concepts))),
        )

    def differences(self, first: Treatment, second: Treatment, measure: str = "MAP") -> Floats:
        """What each cluster adds to the mean difference over the pairs that have both: (clusters,)."""
        shared = [place for place, one in enumerate(self._tables.pairs) if {first, second} <= one.runs.keys()]
        total = np.zeros(self._tables.clusters)
        for place in shared:
            rows = [self._statistics(place, row, measure, None).mean(axis=0) for row in (first, second)]
            both = (rows[0][:, 1] > 0) & (rows[1][:, 1] > 0)
            if both.any():
                parts = [one[:, 0] * both / one[both, 1].sum() for one in rows]
                np.add.at(total, self._tables.pairs[place].clusters, (parts[0] - parts[1]) / len(shared))
        return total

    def runs(self, table: PairTable, row: Treatment, measure: str = "MAP") -> Floats:
        """The score of every run of a row on a pair: (seeds,)."""
        place = self._tables.pairs.index(table)
        return np.array([_ratio(rows) for rows in self._statistics(place, row, measure, None)])

    def against_control(self, table: PairTable, row: Treatment, measure: str = "MAP") -> tuple[float, float]:
        """The interval, for new queries, of what a row has gained over unmapped vectors on a pair."""
        place = self._tables.pairs.index(table)
        after = self._drawn_of(place, row, measure, None)
        before = drawn_means(self._times_of(place), METRICS.get(measure).statistics(table.answers))
        low, high = np.nanquantile(after - before, [0.025, 0.975])
        return float(low), float(high)

    def _drawn_of(self, place: int, row: Treatment, measure: str, keep: Keep | None) -> Floats:
        """The score of a row on a pair, the mean of its seeds, in every draw: (draws,)."""
        return self._drawn(place, measure, None if keep is None else keep.tobytes())[row]

    def _draw(self, place: int, measure: str, keep: bytes | None) -> dict[Treatment, Floats]:
        """Of all rows of a pair, in one product."""
        rows, times = list(self._tables.pairs[place].runs), self._times_of(place)
        means = np.stack([self._measured(place, row, measure).mean(axis=0) for row in rows], axis=1)
        if keep is not None:
            kept = np.frombuffer(keep, dtype=bool)
            times, means = times[:, kept], means[kept]
        return dict(zip(rows, drawn_means(times, means).T, strict=True))

    def _statistics(self, place: int, row: Treatment, measure: str, keep: Keep | None) -> Floats:
        rows = self._measured(place, row, measure)
        return rows if keep is None else rows * keep[:, None]

    def _measure(self, place: int, row: Treatment, measure: str) -> Floats:
        """Values and weights of every run: (seeds, queries, 2)."""
        metric = METRICS.get(measure)
        return np.stack([metric.statistics(record.answers) for record in self._tables.pairs[place].runs[row]])


def _ratio(rows: Floats) -> float:
    return float(rows[:, 0].sum() / rows[:, 1].sum()) if rows[:, 1].any() else float("nan")


def _seed_variance(rows: Floats) -> float:
    """The variance of the mean over seeds; one seed says nothing of it."""
    if len(rows) < 2:
        return 0.0
    return float(np.var([_ratio(row) for row in rows], ddof=1)) / len(rows)


def _interval(values: Floats, drawn: Floats, seeds: float) -> tuple[float, float]:
    """The percentile interval of the mean over pairs, widened by the variance between seeds."""
    mean = float(values.mean())
    there = ~np.isnan(drawn).all(axis=0)  # in some draws of a few queries there is none
    if not there.any():
        return float("nan"), float("nan")
    means = np.nanmean(drawn[:, there], axis=0)
    variance = float(np.var(means))
    if variance == 0:
        half = NormalDist().inv_cdf(0.975) * sqrt(seeds)
        return mean - half, mean + half
    wider = sqrt((variance + seeds) / variance)
    low, high = np.quantile(means, [0.025, 0.975])
    return mean - (mean - float(low)) * wider, mean + (float(high) - mean) * wider
