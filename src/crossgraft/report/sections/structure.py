"""The two-way model of every model, whether transfer is mutual, and patterns beyond both."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.roles.asymmetry import Asymmetry
from crossgraft.analysis.roles.patterns import Pattern
from crossgraft.analysis.roles.two_way import TwoWay
from crossgraft.report.section import Interval, Section, Table, Value, columns, percent

PLACE = 100
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
            "Structure of the matrix", tuple(table for table in tables if table.rows), note=_NOTE, folded=True
        )


def _two_way(one: TwoWay) -> tuple[Value, ...]:
    shares = map(percent, (one.explained, one.sources, one.targets))
    return one.model, *shares, _plain(one.correlation, one.low, one.high), one.why


def _asymmetry(one: Asymmetry) -> tuple[Value, ...]:
    shown = one.ranking if one.index is not None and one.index >= _NOTICEABLE else None
    return one.model, str(one.pairs), _plain(one.index, one.low, one.high), percent(shown), one.why


def _pattern(one: Pattern) -> tuple[Value, ...]:
    if one.share is None:
        return one.model, f"none: {one.why}", *(percent(None) for _ in range(3)), "–"
    names = (", ".join(map(str, points[:3])) for points in (one.sources, one.targets))
    words = " → ".join(names) if one.real else "none larger than chance and item noise"
    return one.model, words, percent(one.share), percent(one.shuffled), percent(one.noise), f"{one.p:.3f}"


def _plain(value: float | None, low: float | None, high: float | None) -> Interval:
    if value is None:
        return Interval(None)
    ends = "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
    return Interval(value, low, high, text=f"{value:.2f}{ends}")
