"""Where a method is good: by how frequent the source word is, and whether its translation is spelt the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.mappings.means import Keep, Means, PairMean
from crossgraft.analysis.mappings.tables import TaskTables
from crossgraft.core import Treatment

FREQUENCY = "frequency"  # column: the rank of the source word in its vocabulary, from 1
IDENTICAL = "identical"  # column: whether the source word is one of its translations
BY_FREQUENCY = "frequency of the source word"
_BANDS = {"1-1K": (0, 1_000), "1K-5K": (1_000, 5_000), "5K-20K": (5_000, 20_000), "20K+": (20_000, np.inf)}


@dataclass(frozen=True)
class Part:
    """The MAP of a row on part of the queries."""

    row: Treatment
    by: str
    part: str
    mean: PairMean


def parts(tables: TaskTables, means: Means) -> tuple[Part, ...]:
    """Every row on every part; none where the answers do not tell."""
    return tuple(
        Part(row, by, part, mean)
        for by, part, keep in _splits(tables)
        for row in tables.rows
        if (mean := means.contrast([(row, 1.0)], keep=keep))
    )


def _splits(tables: TaskTables) -> Iterator[tuple[str, str, list[Keep]]]:
    if all(FREQUENCY in table.answers.columns for table in tables.pairs):
        for words, (low, high) in _BANDS.items():
            keep = [_between(table.answers.columns[FREQUENCY], low, high) for table in tables.pairs]
            if any(one.any() for one in keep):
                yield BY_FREQUENCY, words, keep
    if all(IDENTICAL in table.answers.columns for table in tables.pairs):
        same = [np.asarray(table.answers.columns[IDENTICAL], dtype=bool) for table in tables.pairs]
        if any(one.any() for one in same):
            yield "spelling", "the same", same
            yield "spelling", "different", [~one for one in same]


def _between(ranks: np.ndarray[tuple[int, ...], np.dtype[np.float64]], low: float, high: float) -> Keep:
    """Above the lower end, up to and with the upper one; NaN (unknown words) in none."""
    return np.asarray((ranks > low) & (ranks <= high))
