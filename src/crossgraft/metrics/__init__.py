"""Metrics: answers → per-item sufficient statistics, and from their sums the score. One kind of answers a file."""

from __future__ import annotations

from crossgraft.metrics import choice, generation, ranking, text
from crossgraft.metrics.base import (
    METRICS,
    Aggregate,
    Metric,
    Statistics,
    all_scores,
    mean_metric,
    ratio,
    scored_record,
)

__all__ = [
    "METRICS",
    "Aggregate",
    "Metric",
    "Statistics",
    "all_scores",
    "choice",
    "generation",
    "mean_metric",
    "ranking",
    "ratio",
    "scored_record",
    "text",
]
