"""Metrics: answers → per-item sufficient statistics, and from their sums the score. One kind of answers a file."""

from __future__ import annotations

import crossgraft.metrics.choice
import crossgraft.metrics.generation
import crossgraft.metrics.ranking
import crossgraft.metrics.retrieval
import crossgraft.metrics.text  # noqa: F401 - each registers its metrics
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
    "mean_metric",
    "ratio",
    "scored_record",
]
