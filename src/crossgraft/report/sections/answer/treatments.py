"""One row per treatment, and one per control: the gain where it should gain, the worst loss elsewhere, significant losses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.first.summaries import Summary
from crossgraft.report.section import (
    Interval,
    Number,
    Section,
    Table,
    Value,
    change,
    columns,
    counted,
    estimate,
    picked,
)
from crossgraft.report.sections.answer.matrices import items

PLACE = 200
_HEAD = columns(
    "model",
    "treatment",
    ("gain, pp", "gain"),
    "where",
    ("n of the gain", "rests_on"),
    "verdict",
    ("worst elsewhere, pp", "worst"),
    ("on", "worst_target"),
    ("measured", "worst_measured"),
    ("n of the worst", "worst_items"),
    ("cells with a significant loss", "losses"),
)
_NOTE = (
    "In brackets: 95 % intervals. The worst cell elsewhere was selected among all cells of the treatment: its value is shrunk and its interval "
    "simultaneous. Significant losses: false discovery rate 5 % over all cells elsewhere whose base is above chance; a base that guesses has "
    "nothing to lose."
)
_UNTESTED = "The verdict is about the gain itself. No test compares the treatments of a model with the best one: their gains are over different targets."
_CONTROLS = "A sham is trained on random answers; format-only also has no content in its prompts. Their changes show what the format alone does."


def sections(findings: Findings) -> Iterator[Section]:
    if findings.summaries:
        yield Section(
            "What each treatment did",
            (_table(findings.summaries),),
            note=_NOTE,
            folded=True,
            shows="One row per treatment: its gain where it should gain, and its worst cell elsewhere.",
            explained="reading-a-report#the-first-screen",
        )
    if findings.controls and not findings.evidence.shuffled:
        yield Section(
            "Controls that teach the format only",
            (_table(findings.controls),),
            note=_CONTROLS,
            folded=True,
            shows="What the format alone does, without its content.",
            explained="reading-a-report#the-first-screen",
        )


def _table(summaries: Sequence[Summary]) -> Table:
    return Table("treatments", _HEAD, tuple(map(_row, summaries)), note=_UNTESTED)


def _row(summary: Summary) -> tuple[Value, ...]:
    gain = summary.gain
    return (
        summary.row.model,
        summary.row.label,
        estimate(gain),
        summary.gain_is,
        counted(gain) if gain else "",
        summary.sure,
        *_worst(summary),
        Number(summary.harmed if summary.cells else None, _losses(summary)),
    )


def _worst(summary: Summary) -> tuple[Value, ...]:
    if summary.worst is None or summary.worst_named is None:
        return Interval(None), "", change(None), ""
    measured = summary.worst.change.mean
    value = Interval(None, text="none below zero") if measured >= 0 else picked(summary.worst_named)
    return value, str(summary.worst.target), change(measured), items(summary.worst)


def _losses(summary: Summary) -> str:
    seen = f"{summary.harmed} of {summary.cells}" if summary.cells else "–"
    return f"{seen} ({summary.at_chance} at chance)" if summary.at_chance else seen
