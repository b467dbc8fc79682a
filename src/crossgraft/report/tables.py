"""The tables as CSV, with full precision."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from crossgraft.analysis.findings import Findings
from crossgraft.matrix import TIDY_COLUMNS


def cells_csv(findings: Findings) -> str:
    """One row a cell of the matrix."""
    return to_csv(TIDY_COLUMNS, ([row[name] for name in TIDY_COLUMNS] for row in findings.matrix.tidy()))


def regimes_csv(findings: Findings) -> str:
    """One row a model and regime."""
    header = ["model", "regime", "meaning", "cells", "items", "mean_pp", "low", "high", "share_positive"]
    return to_csv(
        header,
        (
            [
                one.model,
                one.regime,
                one.words,
                one.estimate.cells,
                one.estimate.items,
                one.estimate.mean,
                one.estimate.low,
                one.estimate.high,
                one.positive,
            ]
            for one in findings.regimes
        ),
    )


def axes_csv(findings: Findings) -> str:
    """One row an effect of an axis of the recipe."""
    header = ["model", "axis", "levels", "references", "outcome", "sets", "cells", "items", "difference", "low", "high"]
    return to_csv(
        header,
        (
            [
                one.model,
                one.axis,
                ", ".join(str(value) for _, value in one.levels),
                ", ".join(str(value) for _, value in one.references),
                one.outcome,
                one.sets,
                one.estimate.cells,
                one.estimate.items,
                one.estimate.mean,
                one.estimate.low,
                one.estimate.high,
            ]
            for one in findings.axes
        ),
    )


def gaps_csv(findings: Findings) -> str:
    """One row a result that is missing or refused."""
    header = ["model", "treatment", "seed", "target", "why", "reason"]
    return to_csv(
        header,
        ([gap.row.model, gap.row.label, gap.row.seed, str(gap.target), gap.why, gap.reason] for gap in findings.gaps),
    )


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
