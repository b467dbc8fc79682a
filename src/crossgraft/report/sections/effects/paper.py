"""The paper's figures and ours, its printed figures and what its table says of itself; only for results read from a table."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.paper.authors import SideBySide
from crossgraft.analysis.questions.paper.cell_noise import called
from crossgraft.analysis.questions.paper.flat_targets import FLAT, movements
from crossgraft.analysis.questions.paper.language_groups import group_roles
from crossgraft.analysis.questions.paper.published import Beside, beside_the_printed, missing_cells
from crossgraft.analysis.questions.paper.task_pairs import task_pairs
from crossgraft.analysis.wording import signed
from crossgraft.report.section import (
    Interval,
    Number,
    Section,
    Table,
    Value,
    change,
    columns,
    decimals,
    whole,
)

PLACE = 271
_FLATTEST = 8
_PRINTED_NOTE = (
    "Of a whole table every figure must equal the printed one. Of a part, the last column says what the missing cells must have, within the "
    "rounding of print. Harm is a loss of a point or more; where losses of exactly a point may be lost to rounding, the share is a range."
)
_PAIRS_NOTE = (
    "Cells off the source. Share: of the sum of all changes of its side, so shares add up to 100 % and may be negative. Without: the mean of "
    "the side when the target task is left out."
)
_CALLED_NOTE = (
    "Cells off the source. If nothing had changed, 5 % of the cells would be called changed by a rule that takes each by itself and has the right noise. "
    "The binomial bound is the most that items can add; how many answers change cannot be known without items."
)


def sections(findings: Findings) -> Iterator[Section]:
    if not findings.authors:
        return
    head = columns("what", "unit", "paper", "ours", ("why they differ", "why"))
    tables = (
        Table("paper", head, tuple(map(_beside, findings.authors)), "The paper's figures and ours"),
        _printed(findings),
        _pairs(findings),
        _called(findings),
        _groups(findings),
        _flat(findings),
    )
    yield Section(
        "The paper's table",
        tuple(table for table in tables if table.rows),
        folded=True,
        shows="The paper's printed figures beside those of this table.",
        explained="paper",
    )


def _beside(side: SideBySide) -> tuple[Value, ...]:
    def figure(value: float | None) -> Number:
        return Number(value, "–" if value is None else signed(value, 3) if side.unit == "pp" else f"{value:.3f}")

    return side.what, side.unit, figure(side.authors), figure(side.ours), side.why


def _printed(findings: Findings) -> Table:
    head = columns(
        "cells of",
        "figure",
        "printed",
        "here",
        ("cells here", "cells"),
        "verdict",
        ("missing cells must have", "missing"),
    )
    figures = beside_the_printed(findings.matrix)
    lacking = missing_cells(findings.matrix) if figures else {}
    note = " ".join([_PRINTED_NOTE, *(f"{model} lacks {count:,} of its cells." for model, count in lacking.items())])
    return Table("published", head, tuple(map(_print, figures)), "The printed figures and this table", note)


def _print(beside: Beside) -> tuple[Value, ...]:
    printed = beside.printed
    places = 3 if printed.figure in ("mean", "median") else 1
    unit = "pp" if places == 3 else "%"

    def figure(value: float) -> Number:
        return Number(value, signed(value, 3) if unit == "pp" else f"{value:.1f} %")

    here = figure(beside.value)
    if beside.least < beside.value:
        here = Number(beside.value, f"{beside.least:.1f} to {beside.value:.1f} %")
    must = Interval(None)
    if beside.missing:
        low, high = beside.missing
        must = Interval((low + high) / 2, low, high, text=f"{low:.3f} to {high:.3f} {unit}")
    count = f"{beside.cells:,} of {printed.cells:,}"
    return (
        printed.words,
        printed.figure,
        figure(printed.value),
        here,
        Number(beside.cells, count),
        beside.verdict or "",
        must,
    )


def _pairs(findings: Findings) -> Table:
    head = columns(
        "side",
        ("trained on", "source_task"),
        ("evaluated on", "target_task"),
        "cells",
        ("mean, pp", "mean"),
        ("median, pp", "median"),
        ("share", "share"),
        ("without", "rest"),
        ("largest model", "largest_model"),
        ("its mean, pp", "largest"),
    )
    rows = tuple(
        (
            pair.side,
            pair.source,
            pair.target,
            whole(pair.cells),
            change(pair.mean, 2),
            change(pair.median, 2),
            Number(pair.share, "–" if pair.share is None else f"{pair.share:.0f} %"),
            change(pair.rest, 2),
            pair.largest_model,
            change(pair.largest, 2),
        )
        for pair in task_pairs(findings.evidence.draws)
    )
    return Table("task_pairs", head, rows, "Which pairs of tasks carry the means", _PAIRS_NOTE)


def _called(findings: Findings) -> Table:
    head = columns(
        "noise and tests",
        "cells",
        "gains",
        "losses",
        ("model × target", "targets"),
        "most of them",
        ("of them", "in_first"),
    )
    rows = tuple(
        (
            one.rule,
            whole(one.cells),
            whole(one.gains),
            whole(one.losses),
            whole(one.targets),
            one.first,
            whole(one.in_first),
        )
        for one in called(findings.evidence.draws)
    )
    return Table("cell_noise", head, rows, "How many cells are called changed", _CALLED_NOTE)


def _groups(findings: Findings) -> Table:
    head = columns(
        "group",
        "as",
        "task",
        ("effect less that of other languages, pp", "effect"),
        "p",
        ("models above zero", "above"),
    )
    rows = tuple(
        (
            role.group,
            role.side,
            role.task or "all",
            Interval(role.mean, role.low, role.high),
            decimals(role.p, 3),
            Number(
                sum(value > 0 for value in role.by_model),
                f"{sum(value > 0 for value in role.by_model)} of {len(role.by_model)}",
            ),
        )
        for role in group_roles(findings.evidence.draws)
    )
    note = "Same task, other languages. Donors are compared on the same targets, recipients on the same sources; Student's t over models."
    return Table("language_groups", head, rows, "English and high-resource languages", note)


def _flat(findings: Findings) -> Table:
    head = columns(
        "model",
        "target",
        ("base", "base"),
        "treatments",
        ("mean, pp", "mean"),
        ("standard deviation, pp", "deviation"),
        ("largest, pp", "largest"),
    )
    found = movements(findings.evidence.draws)
    rows = tuple(
        (
            one.model,
            str(one.target),
            decimals(one.base, 3),
            whole(one.treatments),
            change(one.mean, 2),
            decimals(one.deviation),
            change(one.largest, 2),
        )
        for one in found
    )
    flat = sum(one.is_flat for one in found)
    note = f"{flat} of {len(found)} have a standard deviation under {FLAT:g} pp: no treatment reaches them."
    return Table("movements", head, rows, "Targets that hardly move, the flattest first", note, most=_FLATTEST)
