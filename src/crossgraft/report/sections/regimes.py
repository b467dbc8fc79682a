"""Means by what source and target share."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.report.section import HIDDEN, Number, Section, Table, columns, counted, estimate, share

PLACE = 50
_HEAD = columns(
    "model",
    "regime",
    "meaning",
    ("mean, pp", "mean"),
    "median",
    ("trimmed mean", "trimmed"),
    ("above zero", "positive"),
    ("gain more than 1", "gained"),
    ("lose 1 or more", "harmed"),
    ("from", "rests_on"),
    (HIDDEN, "cells"),
    (HIDDEN, "items"),
)
_NOTE = (
    "All changes on a target are taken against the same answers of the base, so noise in the base's score moves them together. Shares are of "
    "cells as measured; with fewer than ten cells, counts. Lose 1 or more: among cells whose base is above chance."
)


def sections(findings: Findings) -> Iterator[Section]:
    rows = tuple(
        (
            one.model,
            one.regime,
            one.words,
            estimate(one.estimate, toned=True),
            estimate(one.median),
            estimate(one.trimmed),
            share(one.positive),
            share(one.gained),
            share(one.harmed),
            counted(one.estimate),
            Number(one.estimate.cells, ""),
            Number(one.estimate.items, ""),
        )
        for one in findings.regimes
    )
    if rows:
        yield Section("Means by what source and target share", (Table("regimes", _HEAD, rows),), note=_NOTE)
