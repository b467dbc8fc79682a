"""The two-way model of every model, whether transfer is mutual, and patterns beyond both."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.roles.asymmetry import Asymmetry
from crossgraft.analysis.questions.roles.patterns import Pattern
from crossgraft.analysis.questions.roles.two_way import TwoWay
from crossgraft.report.section import Interval, Section, Table, Value, columns, percent

PLACE = 250
_NOTICEABLE = 0.05  # an asymmetry of which it is worth saying what it is made of
_TWO_WAY = columns(
    "model",
    ("R², donors and recipients", "r2"),
    ("R², donors", "r2_donors"),
    ("R², recipients", "r2_recipients"),
    ("correlation of donors and recipients", "correlation"),
    "remark",
)
_ASYMMETRY = columns("model", "pairs", ("asymmetry", "asymmetry"), ("of which a ranking", "ranking"), "remark")
_PATTERN = columns(
    "model",
    ("strongest pattern", "pattern"),
    ("share of the residual", "share"),
    ("by chance up to", "chance"),
    ("by item noise up to", "noise"),
    "p",
)
_NOTE = (
    "R²: share of the variance between cells, noise included. Asymmetry, noise subtracted: 0 is mutual transfer, 1 is one-way; a ranking means "
    "that some points give more than they take, the rest runs in cycles. Patterns: sources that help some targets more than the two-way "
    "model predicts. Cells: those of treatments with one known source, except on the source itself; patterns: those trained in this study."
)


def sections(findings: Findings) -> Iterator[Section]:
    tables = (
        Table("two_way", _TWO_WAY, tuple(map(_two_way, findings.two_way)), "Two-way model"),
        Table("asymmetry", _ASYMMETRY, tuple(map(_asymmetry, findings.asymmetries)), "Mutual or one-way"),
        Table("patterns", _PATTERN, tuple(map(_pattern, findings.patterns)), "Patterns beyond donors and recipients"),
    )
    if any(table.rows for table in tables):
        yield Section(
            "Structure of the matrix",
            tuple(table for table in tables if table.rows),
            note=_NOTE,
            folded=True,
            shows="What donors and recipients explain of the matrix, and whether transfer is mutual.",
            explained="statistics",
        )


def _two_way(way: TwoWay) -> tuple[Value, ...]:
    shares = map(percent, (way.explained, way.sources, way.targets))
    return way.model, *shares, _plain(way.correlation, way.low, way.high), way.why


def _asymmetry(asymmetry: Asymmetry) -> tuple[Value, ...]:
    shown = asymmetry.ranking if asymmetry.index is not None and asymmetry.index >= _NOTICEABLE else None
    return (
        asymmetry.model,
        str(asymmetry.pairs),
        _plain(asymmetry.index, asymmetry.low, asymmetry.high),
        percent(shown),
        asymmetry.why,
    )


def _pattern(pattern: Pattern) -> tuple[Value, ...]:
    if pattern.share is None:
        return pattern.model, f"none: {pattern.why}", *(percent(None) for _ in range(3)), "–"
    names = (", ".join(map(str, points[:3])) for points in (pattern.sources, pattern.targets))
    words = " → ".join(names) if pattern.real else "none larger than chance and item noise"
    return (
        pattern.model,
        words,
        percent(pattern.share),
        percent(pattern.shuffled),
        percent(pattern.noise),
        f"{pattern.p:.3f}",
    )


def _plain(value: float | None, low: float | None, high: float | None) -> Interval:
    if value is None:
        return Interval(None)
    ends = "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
    return Interval(value, low, high, text=f"{value:.2f}{ends}")
