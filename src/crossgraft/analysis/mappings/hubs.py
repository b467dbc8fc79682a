"""Hubs of the mapped spaces: target words that are near to very many queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.mappings.tables import TaskTables
from crossgraft.core import Treatment


@dataclass(frozen=True)
class Hubs:
    """Means over the runs of a row, or of unmapped vectors, and the largest hub of them all."""

    row: Treatment
    neighbours: int  # of a query that are counted
    skewness: float  # of how many queries a target word is near to; 0 where all are near to as many
    never: float  # share of the target words that are near to no query
    hub: str
    pair: str  # where the hub was seen
    share: float  # of the queries of the pair that have it among their neighbours


def hubs(tables: TaskTables) -> Iterator[Hubs]:
    """One a row whose runs all counted; the control comes last."""
    for row in (*tables.rows, tables.pairs[0].control.treatment.row):
        runs = [(table.pair, run.provenance.get("hubness")) for table in tables.pairs for run in table.runs_of(row)]
        counted = [(pair, seen) for pair, seen in runs if seen and seen["queries"]]
        if runs and len(counted) == len(runs):
            pair, largest = max(counted, key=lambda one: one[1]["largest"] / one[1]["queries"])
            yield Hubs(
                row,
                largest["k"],
                float(np.mean([seen["skewness"] for _, seen in counted])),
                float(np.mean([seen["never"] for _, seen in counted])),
                largest["hub"],
                pair,
                largest["largest"] / largest["queries"],
            )
