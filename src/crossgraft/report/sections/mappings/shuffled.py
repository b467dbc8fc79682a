"""Embedding studies: methods fitted on a shuffled dictionary, against chance and against the real dictionary."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.mappings.standings import level
from crossgraft.analysis.wording import number_of
from crossgraft.core import SHUFFLED
from crossgraft.report.section import Interval, Section, Table, columns, decimals

PLACE = 34
_NOTE = (
    "The same methods, fitted on the same words of the training dictionary matched at random, anew for every seed. Chance: the expected score of words or "
    "documents in random order, and of classes given as often as they were but to random items. Brackets: 95 % for new items, the variance "
    "between seeds added. A score above chance is what a task yields without a translation, such as by the frequency of words."
)


def sections(findings: Findings) -> Iterator[Section]:
    controls = findings.evidence.shuffled
    scores = {
        (task.task, one.row.label): one.mean.value for task in findings.evidence.standings for one in task.standings
    }
    head = columns(
        "task",
        "method",
        "measure",
        ("with a shuffled dictionary", "score"),
        ("n", "rests_on"),
        "chance",
        "verdict",
        ("with the real dictionary", "real"),
    )
    rows = tuple(
        (
            control.task,
            control.row.label,
            control.metric,
            Interval(control.mean.value, control.mean.low, control.mean.high, text=level(control.mean)),
            f"{number_of(control.mean.pairs, 'pair')}, {control.mean.queries:,} items",
            decimals(control.chance, 4),
            control.verdict,
            decimals(scores.get((control.task, control.row.label.replace(SHUFFLED, ""))), 3),
        )
        for control in controls
    )
    if rows:
        yield Section(
            "With a shuffled dictionary",
            (Table("shuffled", head, rows),),
            note=_NOTE,
            folded=True,
            shows="What a method reaches from a dictionary whose pairs are wrong: it should be at chance.",
            explained="embeddings",
        )
