"""Shares of variance: is it the model, the source or the target?"""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.variance.components import VarianceFit, VarianceShare
from crossgraft.analysis.wording import signed
from crossgraft.report.section import HIDDEN, Interval, Number, Section, Table, Value, columns, decimals

PLACE = 110
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
    yield Section("Shares of variance: model, source or target", tables, note=note, folded=True)


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
    rows = tuple(_row(fit.name, one) for one in fit.shares)
    return Table("variance", _HEAD, rows, f"{fit.name.capitalize()}: {fit.words}", f"{note}.")


def _row(fit: str, one: VarianceShare) -> tuple[Value, ...]:
    ends = "–" if one.low is None or one.high is None else f"[{one.low:.0%}, {one.high:.0%}]"
    share = Interval(one.share, one.low, one.high, text=f"{one.share:.0%}")
    return (
        fit,
        one.factor,
        str(one.levels),
        decimals(one.raw, 3),
        decimals(one.noise, 3),
        share,
        ends,
        one.note,
        Number(one.component, ""),
    )
