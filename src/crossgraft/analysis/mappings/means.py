"""Means over language pairs, with two intervals: for new queries on these pairs, and for new pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from crossgraft.analysis.mappings.tables import PairTable, TaskTables
from crossgraft.core import Floats, Treatment
from crossgraft.metrics import METRICS
from crossgraft.metrics.base import Aggregate
from crossgraft.stats.resampling.clusters import cluster_sums, cluster_times, drawn_scores
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

    @property
    def negated(self) -> PairMean:
        """Of a difference: the second less the first."""
        return replace(
            self,
            value=-self.value,
            low=-self.high,
            high=-self.low,
            pairs_low=-self.pairs_high,
            pairs_high=-self.pairs_low,
        )


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
        measure: str = "",
        *,
        among: Sequence[str] | None = None,
        keep: Sequence[Keep] | None = None,
    ) -> PairMean | None:
        """A weighted sum of rows, over the pairs that have them all; None where no pair does.

        ``measure`` is that of the task where none is named. ``among`` are the pairs that may count, ``keep`` the queries
        of each pair that do.
        """
        measure = measure or self._tables.measure
        values, drawn, seeds, concepts = [], [], [], []
        queries = 0
        for place, table in enumerate(self._tables.pairs):
            if not all(table.runs_of(row) for row, _ in weighted) or (among is not None and table.pair not in among):
                continue
            kept = None if keep is None else keep[place]
            parts = [(weight, self._statistics(place, row, measure, kept)) for row, weight in weighted]
            weights = np.min([_weights(measure, rows.mean(axis=0), kept) for _, rows in parts], axis=0)
            if not weights.any():
                continue
            values.append(sum(weight * _score(measure, rows.mean(axis=0)) for weight, rows in parts))
            drawn.append(sum(weight * self._drawn_of(place, row, measure, kept) for row, weight in weighted))
            seeds.append(sum(weight**2 * _seed_variance(measure, rows) for weight, rows in parts))
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

    @property
    def is_mean(self) -> bool:
        """Whether the score of the task is a mean over items, so that clusters add up to it."""
        return METRICS.get(self._tables.measure).is_mean

    @property
    def aggregate(self) -> Aggregate:
        """From sums of statistics to the score of the task."""
        return METRICS.get(self._tables.measure).aggregate

    def differences(self, first: Treatment, second: Treatment) -> Floats:
        """What each cluster adds to the mean difference over the pairs that have both: (clusters,)."""
        measure = self._tables.measure
        shared = [place for place, one in enumerate(self._tables.pairs) if {first, second} <= one.runs.keys()]
        total = np.zeros(self._tables.clusters)
        for place in shared:
            rows = [self._statistics(place, row, measure, None).mean(axis=0) for row in (first, second)]
            both = (rows[0][:, 1] > 0) & (rows[1][:, 1] > 0)
            if both.any():
                parts = [one[:, 0] * both / one[both, 1].sum() for one in rows]
                np.add.at(total, self._tables.pairs[place].clusters, (parts[0] - parts[1]) / len(shared))
        return total

    def statistics(self, first: Treatment, second: Treatment) -> Iterator[tuple[Floats, Floats]]:
        """What each cluster adds to the statistics of both, on each pair that has both: (clusters, k) twice."""
        for place, table in enumerate(self._tables.pairs):
            if {first, second} <= table.runs.keys():
                rows = [
                    self._statistics(place, row, self._tables.measure, None).mean(axis=0) for row in (first, second)
                ]
                sums = [cluster_sums(one, table.clusters, self._tables.clusters) for one in rows]
                yield sums[0], sums[1]

    def runs(self, table: PairTable, row: Treatment) -> Floats:
        """The score of every run of a row on a pair: (seeds,)."""
        place, measure = self._tables.pairs.index(table), self._tables.measure
        return np.array([_score(measure, rows) for rows in self._statistics(place, row, measure, None)])

    def against_control(self, table: PairTable, row: Treatment) -> tuple[float, float]:
        """The interval, for new queries, of what a row has gained over unmapped vectors on a pair."""
        place, measure = self._tables.pairs.index(table), self._tables.measure
        after = self._drawn_of(place, row, measure, None)
        before = self._drawn_of(place, table.control.treatment.row, measure, None)
        low, high = np.nanquantile(after - before, [0.025, 0.975])
        return float(low), float(high)

    def _drawn_of(self, place: int, row: Treatment, measure: str, keep: Keep | None) -> Floats:
        """The score of a row on a pair, the mean of its seeds, in every draw: (draws,)."""
        return self._drawn(place, measure, None if keep is None else keep.tobytes())[row]

    def _draw(self, place: int, measure: str, keep: bytes | None) -> dict[Treatment, Floats]:
        """Of all rows of a pair, in one product."""
        table, times = self._tables.pairs[place], self._times_of(place)
        rows = [table.control.treatment.row, *table.runs]
        means = np.stack([self._measured(place, row, measure).mean(axis=0) for row in rows], axis=1)
        if keep is not None:
            kept = np.frombuffer(keep, dtype=bool)
            times, means = times[:, kept], means[kept]
        return dict(zip(rows, drawn_scores(times, means, METRICS.get(measure).aggregate).T, strict=True))

    def _statistics(self, place: int, row: Treatment, measure: str, keep: Keep | None) -> Floats:
        rows = self._measured(place, row, measure)
        return rows if keep is None else rows * keep[:, None]

    def _measure(self, place: int, row: Treatment, measure: str) -> Floats:
        """The statistics of every run, values and weights if the measure is a mean: (seeds, queries, k)."""
        metric = METRICS.get(measure)
        return np.stack([metric.statistics(record.answers) for record in self._tables.pairs[place].runs_of(row)])


def _weights(measure: str, rows: Floats, keep: Keep | None) -> Floats:
    """What each item weighs in a mean; in other scores all weigh the same."""
    if METRICS.get(measure).is_mean:
        return rows[:, -1]
    return np.ones(len(rows)) if keep is None else keep.astype(np.float64)


def _score(measure: str, rows: Floats) -> float:
    return float(METRICS.get(measure).aggregate(rows.sum(axis=0)))


def _seed_variance(measure: str, rows: Floats) -> float:
    """The variance of the mean over seeds; one seed says nothing of it."""
    if len(rows) < 2:
        return 0.0
    return float(np.var([_score(measure, row) for row in rows], ddof=1)) / len(rows)


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
