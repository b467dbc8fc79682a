"""What is missing, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.wording import number_of
from crossgraft.report.section import Section, Table, columns

PLACE = 60
_NAMED = 6  # lines on the page
_HEAD = columns("model", "treatment", "seed", "target", ("status", "why"), "reason")


def sections(findings: Findings) -> Iterator[Section]:
    counted = Counter((str(gap.row), gap.reason) for gap in findings.matrix.gaps)
    lines = [f"{row}: {reason} ({number_of(count, 'target')})" for (row, reason), count in counted.items()]
    lines += [f"failed: {failure}" for failure in findings.evidence.failures]
    rows = tuple(
        (gap.row.model, gap.row.label, str(gap.row.seed or ""), str(gap.target), gap.why, gap.reason)
        for gap in findings.matrix.gaps
    )
    shows = (
        f"{number_of(len(rows), 'result')} missing or refused."
        if lines
        else "Every cell of the study has been measured."
    )
    yield Section(
        "What is missing",
        (Table("missing", _HEAD, rows, most=0),),
        tuple(lines[:_NAMED]) + ((f"{len(lines) - _NAMED} more are in missing.csv",) if len(lines) > _NAMED else ()),
        shows=shows,
        explained="results#the-store",
    )
