"""How to read the numbers."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.report.section import Section

PLACE = 400


def sections(findings: Findings) -> Iterator[Section]:
    yield Section(
        "How to read these numbers",
        sentences=(*findings.notes, findings.method),
        folded=True,
        shows="What the intervals are about, and what they leave out.",
        explained="statistics",
    )
