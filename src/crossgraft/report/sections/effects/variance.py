"""Shares of variance: is it the model, the source or the target?"""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.variance.components import VarianceFit, VarianceShare
from crossgraft.analysis.wording import signed
from crossgraft.report.pictures.kinds import Dots, Mark
from crossgraft.report.section import HIDDEN, Interval, Number, Section, Table, Value, columns, decimals

PLACE = 260
_HEAD = columns(
    (HIDDEN, "fit"),
    "factor",
    "levels",
    ("variance, pp²", "raw_pp2"),
    ("of which noise", "noise_pp2"),
    "share",
    ("95 % for new levels", ""),
    ("remark", "note"),
    (HIDDEN, "component_pp2"),
)


def sections(findings: Findings) -> Iterator[Section]:
    found = findings.variance
    if found is None:
        return
    fits = [(found.crossed, found.notes), (found.nested, ())]
    tables = tuple(_table(fit, notes) for fit, notes in fits if fit is not None)
    note = f"None: {found.why}." if found.why else ""
    yield Section(
        "Shares of variance: model, source or target",
        tables,
        note=note,
        charts=tuple(_bars(fit) for fit, _ in fits if fit is not None),
        folded=True,
        shows="Which factor the differences between cells belong to, noise taken out.",
        explained="statistics",
    )


def _bars(fit: VarianceFit) -> Dots:
    marks = tuple(
        Mark(
            share.factor,
            100 * share.share,
            None if share.low is None else 100 * share.low,
            None if share.high is None else 100 * share.high,
        )
        for share in fit.shares
    )
    return Dots(
        f"{fit.name.capitalize()}: {fit.words}", "% of the variance, with 95 % for new levels", marks, bars=True
    )


def _table(fit: VarianceFit, notes: tuple[str, ...]) -> Table:
    fixed = "; ".join(
        f"{one.name} {signed(one.effect.value)} [{signed(one.effect.low)}, {signed(one.effect.high)}] pp"
        for one in fit.fixed
    )
    remarks = [
        f"From {fit.cells} cells, all except those on the treatment's own source",
        f"Fixed effects: {fixed}" if fixed else "",
    ]
    note = ". ".join(filter(None, [*remarks, *notes]))
    rows = tuple(_row(fit.name, share) for share in fit.shares)
    return Table("variance", _HEAD, rows, f"{fit.name.capitalize()}: {fit.words}", f"{note}.")


def _row(fit: str, variance_share: VarianceShare) -> tuple[Value, ...]:
    ends = (
        "–"
        if variance_share.low is None or variance_share.high is None
        else f"[{variance_share.low:.0%}, {variance_share.high:.0%}]"
    )
    share = Interval(variance_share.share, variance_share.low, variance_share.high, text=f"{variance_share.share:.0%}")
    return (
        fit,
        variance_share.factor,
        str(variance_share.levels),
        decimals(variance_share.raw, 3),
        decimals(variance_share.noise, 3),
        share,
        ends,
        variance_share.note,
        Number(variance_share.component, ""),
    )
