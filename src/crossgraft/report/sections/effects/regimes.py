"""Means by what source and target share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.effects.scales import AtSize, scales
from crossgraft.report.pictures.kinds import Curves, Line
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
_SIZES = columns(
    "regime", "meaning", ("billions of parameters", "billions"), "models", ("mean, pp", "mean"), ("from", "rests_on")
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
    sizes = tuple(scales(findings.evidence.draws, findings.matrix.labels))
    if rows:
        yield Section(
            "Means by what source and target share",
            (Table("regimes", _HEAD, rows), *([_sizes(sizes)] if sizes else [])),
            charts=(_curves(sizes),) if sizes else (),
            note=_NOTE,
            folded=True,
            shows="Mean changes of the cells whose source and target share a task, a language, both or neither.",
            explained="reading-a-report#the-numbers",
        )


def _curves(sizes: Sequence[AtSize]) -> Curves:
    lines = []
    for words in dict.fromkeys(at.words for at in sizes):
        line = [at for at in sizes if at.words == words]
        points = tuple((at.billions, at.estimate.mean) for at in line)
        lines.append(Line(words, points, tuple((at.estimate.low, at.estimate.high) for at in line)))
    about = "A vertical line is the 95 % interval over new items and seeds of these models. Models of one size are taken together."
    title = "Mean change by model size"
    return Curves(title, "billions of parameters", "pp", tuple(lines), about, doubling=True, zero=True)


def _sizes(sizes: Sequence[AtSize]) -> Table:
    rows = tuple(
        (
            at.regime,
            at.words,
            Number(at.billions, f"{at.billions:g}"),
            ", ".join(at.models),
            estimate(at.estimate, toned=True),
            counted(at.estimate),
        )
        for at in sizes
    )
    return Table("sizes", _SIZES, rows, "Mean change by model size", folded=True)
