"""Every treatment against the sham: what its content adds to its format."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.report.section import Section, Table, columns, estimate

PLACE = 220
_HEAD = columns("model", "treatment", ("on", "where"), ("difference from the sham, pp", "difference"), "sham")
_NOTE = (
    "A sham has the same format and random answers, so the difference is the effect of the content. The base cancels."
)


def sections(findings: Findings) -> Iterator[Section]:
    rows = tuple(
        (sham.row.model, sham.row.label, sham.where, estimate(sham.estimate, toned=True), sham.sham)
        for sham in findings.against_sham
    )
    if rows:
        yield Section(
            "Against the sham",
            (Table("sham", _HEAD, rows),),
            note=_NOTE,
            folded=True,
            shows="What the content of a source adds to its format.",
            explained="reading-a-report#the-numbers",
        )
