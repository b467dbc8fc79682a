"""Methods against one another on the same queries, adjusted for how many are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from crossgraft.analysis.mappings.means import SEED, Means, PairMean
from crossgraft.analysis.mappings.tables import TaskTables
from crossgraft.core import Floats, Treatment
from crossgraft.stats.multiplicity import bonferroni, holm
from crossgraft.stats.resampling.clusters import exchanges, sign_flips

_FLIPS = 9_999
_A_COMPARISON = 200  # flips for each, so that adjusted p-values can be small
_MOST = 50_000
_LEVEL = 0.05  # after Holm's adjustment


@dataclass(frozen=True)
class Comparison:
    """The mean difference in score of two rows, first less second, and how likely one as large is by chance.

    ``p`` is the share of sign flips of whole clusters with a difference as large, ``holm`` and ``bonferroni`` the
    same adjusted for all comparisons of the task. They speak of new queries, for the runs that were made.
    """

    first: Treatment
    second: Treatment
    difference: PairMean
    p: float
    holm: float
    bonferroni: float

    @property
    def is_told(self) -> bool:
        """Whether the two rows differ significantly after correction for all comparisons."""
        return self.holm <= _LEVEL


def comparisons(tables: TaskTables, means: Means) -> tuple[Comparison, ...]:
    """Rows that had the same dictionary, and those that had none with every other one."""
    pairs = [
        (first, second, difference)
        for first, second in combinations(tables.rows, 2)
        if _comparable(tables, first, second) and (difference := means.contrast([(first, 1.0), (second, -1.0)]))
    ]
    if not pairs:
        return ()
    p = _p_values(means, [(first, second) for first, second, _ in pairs])
    return tuple(
        Comparison(first, second, difference, *map(float, values))
        for (first, second, difference), values in zip(
            pairs, np.stack([p, holm(p), bonferroni(p)], axis=1), strict=True
        )
    )


def _p_values(means: Means, pairs: Sequence[tuple[Treatment, Treatment]]) -> Floats:
    """Of differences of means by flipped signs; of other scores by exchanged statistics, which is the same but slower."""
    flips = min(_MOST, max(_FLIPS, _A_COMPARISON * len(pairs)))
    if means.is_mean:
        differences = np.stack([means.differences(first, second) for first, second in pairs], axis=1)
        return sign_flips(differences, flips=flips, rng=np.random.default_rng(SEED))
    return np.array(
        [
            exchanges([*means.statistics(*pair)], means.aggregate, flips=flips, rng=np.random.default_rng(SEED))
            for pair in pairs
        ]
    )


def _comparable(tables: TaskTables, first: Treatment, second: Treatment) -> bool:
    return first.recipe == second.recipe or uses_dictionary(tables, first) != uses_dictionary(tables, second)


def uses_dictionary(tables: TaskTables, row: Treatment) -> bool:
    return any("dictionary_pairs" in run.provenance for table in tables.pairs for run in table.runs.get(row, ()))
