"""Means by what source and target share."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.report.section import HIDDEN, Number, Section, Table, columns, counted, estimate, share

PLACE = 210
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
            regime.model,
            regime.regime,
            regime.words,
            estimate(regime.estimate, toned=True),
            estimate(regime.median),
            estimate(regime.trimmed),
            share(regime.positive),
            share(regime.gained),
            share(regime.harmed),
            counted(regime.estimate),
            Number(regime.estimate.cells, ""),
            Number(regime.estimate.items, ""),
        )
        for regime in findings.regimes
    )
    if rows:
        yield Section(
            "Means by what source and target share",
            (Table("regimes", _HEAD, rows),),
            note=_NOTE,
            folded=True,
            shows="Mean changes of the cells whose source and target share a task, a language, both or neither.",
            explained="reading-a-report.md#the-numbers",
        )
