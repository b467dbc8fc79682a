"""Methods against one another on the same queries, adjusted for how many are compared."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from crossgraft.analysis.bli.means import SEED, Means, PairMean
from crossgraft.analysis.bli.tables import TaskTables
from crossgraft.core import Treatment
from crossgraft.stats.multiplicity import bonferroni, holm
from crossgraft.stats.resampling.clusters import sign_flips

_FLIPS = 9_999
_A_COMPARISON = 200  # flips for each, so that adjusted p-values can be small
_MOST = 50_000
_LEVEL = 0.05  # after Holm's adjustment


@dataclass(frozen=True)
class Comparison:
    """The mean difference in MAP of two rows, first less second, and how likely one as large is by chance.

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
    differences = np.stack([means.differences(first, second) for first, second, _ in pairs], axis=1)
    flips = min(_MOST, max(_FLIPS, _A_COMPARISON * len(pairs)))
    p = sign_flips(differences, flips=flips, rng=np.random.default_rng(SEED))
    return tuple(
        Comparison(first, second, difference, *map(float, values))
        for (first, second, difference), values in zip(
            pairs, np.stack([p, holm(p), bonferroni(p)], axis=1), strict=True
        )
    )


def _comparable(tables: TaskTables, first: Treatment, second: Treatment) -> bool:
    return first.recipe == second.recipe or uses_dictionary(tables, first) != uses_dictionary(tables, second)


def uses_dictionary(tables: TaskTables, row: Treatment) -> bool:
    return any("dictionary_pairs" in run.provenance for table in tables.pairs for run in table.runs.get(row, ()))
