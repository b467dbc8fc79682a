"""Whether a language pair can tell methods apart at all: too few queries, or nothing works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from crossgraft.analysis.mappings.means import Means
from crossgraft.analysis.mappings.tables import PairTable
from crossgraft.core import Treatment
from crossgraft.metrics import METRICS
from crossgraft.stats.cells.levels import Level, share_level

SUCCESS = 0.05  # MAP from which on a run counts as successful (Glavaš et al., 2019)
QUERIES = 200
COVERAGE = 0.5  # of a pair; with less, its MAP says little about the words that are missing


@dataclass(frozen=True)
class PairState:
    """A language pair: what its vectors and dictionaries allow, and how far the best method comes."""

    pair: str
    queries: int  # in both vocabularies
    coverage: float
    control: float  # MAP of unmapped vectors
    best: Treatment
    best_level: Level  # MAP, for new queries
    mean: float  # MAP, the mean of all methods
    weak: tuple[str, ...]  # why it is too weak for a comparison
    distances: Mapping[str, float] = field(default_factory=dict)  # of shape, by the name of the measure


def pair_state(table: PairTable, means: Means) -> PairState:
    scores = {row: float(means.runs(table, row).mean()) for row in table.runs}
    best = max(scores, key=lambda row: scores[row])
    statistics = np.mean([METRICS.get("MAP").statistics(run.answers) for run in table.runs[best]], axis=0)
    level = share_level(statistics)
    control = share_level(METRICS.get("MAP").statistics(table.answers))
    coverage = METRICS.get("coverage").score(table.answers).value
    return PairState(
        table.pair,
        control.n,
        coverage,
        control.mean,
        best,
        level,
        float(np.mean(list(scores.values()))),
        tuple(_weak(table, best, level, means)),
        dict(table.control.provenance.get("isomorphism", {})),
    )


def _weak(table: PairTable, best: Treatment, level: Level, means: Means) -> Iterator[str]:
    if level.n < QUERIES:
        yield f"{level.n} queries, fewer than {QUERIES}"
    if level.mean < SUCCESS:
        yield f"no method reaches a MAP of {SUCCESS}"
    elif means.against_control(table, best)[0] <= 0:
        yield "no method differs significantly from unmapped vectors"
