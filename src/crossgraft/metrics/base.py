"""Metrics: answers → per-item sufficient statistics, and from their sums the score.

A metric is two small functions. ``statistics`` gives one row an item; ``aggregate`` turns summed
rows into the value. A mean is the special case with rows (value, 1); corpus measures (chrF,
perplexity) have other rows and aggregates. Because every score is a function of sums over items,
intervals and tests resample items, whatever the metric.

An item whose weight is 0 (an out-of-vocabulary query) counts for nothing and is reported as such.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossgraft.core import Answers, Cell, Floats, Job, Pairing, Record, Score
from crossgraft.errors import MissingExtra
from crossgraft.registry import Registry

Statistics = Callable[[Answers], Floats]  # answers of n items → (n, k)
Aggregate = Callable[[Floats], Floats]  # sums (..., k) → values (...)


def ratio(sums: Floats) -> Floats:
    """Sum of values over sum of weights; NaN where nothing has weight."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1], dtype=np.float64)


@dataclass(frozen=True)
class Metric:
    """How answers of one kind become a score; the unit and the direction belong to it."""

    name: str
    reads: str  # the kind of answers
    statistics: Statistics
    aggregate: Aggregate = ratio
    unit: str = "share"  # shares change in percentage points
    higher_is_better: bool = True
    description: str = ""
    column: str = ""  # answers without it do not have this score
    module: str = ""  # a library it needs; it belongs to the extra "generation"

    def require(self) -> None:
        """Say which extra is missing, before anything is computed."""
        if self.module and importlib.util.find_spec(self.module) is None:
            raise MissingExtra(f"the metric {self.name}", "generation")

    def applies_to(self, answers: Answers) -> bool:
        if answers.kind != self.reads or (self.column and self.column not in answers.columns):
            return False
        return not self.module or importlib.util.find_spec(self.module) is not None

    @property
    def is_mean(self) -> bool:
        return self.aggregate is ratio

    def score(self, answers: Answers) -> Score:
        rows = self.statistics(answers)
        n = len(answers)
        if self.is_mean:  # the weights of a share count lines or pairs, others are bytes
            n = round(float(rows[:, -1].sum())) if self.unit == "share" else int(np.count_nonzero(rows[:, -1]))
        return Score(self.name, float(self.aggregate(rows.sum(axis=0))), n, self.unit, self.higher_is_better)


METRICS: Registry[Metric] = Registry("metric", "crossgraft.metrics")


def mean_metric(
    name: str, *, reads: str, higher_is_better: bool = True, column: str = "", module: str = ""
) -> Callable[[Callable[[Answers], Floats]], Metric]:
    """Register a function from answers to one value an item as the mean of these values.

    A value of NaN gives the item no weight.
    """

    def register(values_of: Callable[[Answers], Floats]) -> Metric:
        def statistics(answers: Answers) -> Floats:
            values = values_of(answers)
            counted = ~np.isnan(values)
            rows = np.empty((len(values), 2))
            rows[:, 0] = np.where(counted, values, 0.0)
            rows[:, 1] = counted
            return rows

        description = (values_of.__doc__ or "").strip().partition("\n")[0]
        return METRICS.add(
            name,
            Metric(
                name,
                reads,
                statistics,
                higher_is_better=higher_is_better,
                description=description,
                column=column,
                module=module,
            ),
        )

    return register


def all_scores(answers: Answers) -> tuple[Score, ...]:
    """Every score that can be read from the answers."""
    metrics = (METRICS.get(name) for name in METRICS.names())
    return tuple(metric.score(answers) for metric in metrics if metric.applies_to(answers))


def _unparseable(answers: Answers) -> int:
    return int(METRICS.get("unparseable").statistics(answers)[:, 0].sum()) if answers.kind == "generation" else 0


def scored_record(
    job: Job,
    cell: Cell,
    answers: Answers,
    pairing: Pairing,
    *,
    timings: Mapping[str, float] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Record:
    """The record of a cell, with every score its answers can give."""
    return Record(
        id=cell.record_id,
        treatment_id=job.treatment_id,
        treatment=job.treatment,
        target=cell.target,
        item_set=cell.item_set,
        texts_id=cell.texts_id,
        answers=answers,
        pairing=pairing,
        scores=all_scores(answers),
        parse_failures=_unparseable(answers),
        timings=timings or {},
        provenance=provenance or {},
    )
