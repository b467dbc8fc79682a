"""The first table: what helped most, what harmed most, what is typical, in a dozen rows; of methods of mapping, which is best on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.first.signals import Kind, Signal
from crossgraft.analysis.questions.effects.regimes import ALL_MODELS
from crossgraft.report.pictures.kinds import Dots, Mark
from crossgraft.report.section import Section, Table, Value, change, columns, counted, estimate, picked

PLACE = 10
_WHAT: Mapping[str, str] = {
    "same task": "source, same task in other languages",
    "all targets": "treatment, all targets",
    "other tasks": "source, other tasks",
    "target": "target, all treatments",
    "donor": "donor, against the average source",
}
_CHARTS: Mapping[Kind, str] = {
    "all targets": "Treatments, on all targets",
    "same task": "Sources, on the same task in other languages",
    "target": "Targets, under all treatments not trained on them",
}
_OF_EACH = 4  # gains, losses, and what is typical
_SHOWS = (
    "The largest significant gains and losses, and the means that are typical; a bold row of the chart is significant."
)
_IN_CHART = 24  # of the means that were tested, the largest in either direction
_NOTE = (
    "pp: percentage points against the control on the same items. Gains and losses were selected for being large: their values are "
    "shrunk, and their intervals hold for all means of the kind at once. “Measured” is the unshrunken value."
)


def sections(findings: Findings) -> Iterator[Section]:
    if findings.evidence.standings:  # embedding studies have tables of their own
        return
    rows = tuple(_rows(findings))
    if rows:
        head = columns("mean change of", "name", ("pp", "change"), "measured", ("n", "rests_on"), "verdict")
        yield Section(
            "Who helps and who is harmed",
            (Table("first", head, rows),),
            note=_NOTE,
            charts=tuple(_charts(findings)),
            shows=_SHOWS,
            explained="reading-a-report#the-first-screen",
        )


def _charts(findings: Findings) -> Iterator[Dots]:
    """Donors and recipients, the highest first; of many the highest and the lowest."""
    for kind, title in _CHARTS.items():
        of_kind = [one for one in findings.signals if one.kind == kind and np.isfinite(one.raw.error)]
        ranked = sorted(of_kind, key=lambda one: -one.named.value)
        left_out = len(ranked) - _IN_CHART
        if left_out > 0:
            ranked = [*ranked[: _IN_CHART // 2], *ranked[-_IN_CHART // 2 :]]
        if len(ranked) > 1:
            marks = tuple(
                Mark(one.name, one.named.value, one.named.low, one.named.high, strong=one.gains or one.loses)
                for one in ranked
            )
            more = f"; {left_out} between them are left out" if left_out > 0 else ""
            yield Dots(f"{title}{more}", "pp, shrunk, with simultaneous 95 % intervals", marks, _SHOWS)


def _rows(findings: Findings) -> Iterator[tuple[Value, ...]]:
    tested = [signal for signal in findings.signals if np.isfinite(signal.raw.error)]
    gains = sorted((one for one in tested if one.gains), key=lambda one: -one.named.value)
    losses = sorted((one for one in tested if one.loses), key=lambda one: one.named.value)
    best = [one for one in tested if one.kind in ("same task", "all targets")]
    high = gains[:_OF_EACH] or sorted(best, key=lambda one: -one.named.value)[:1]
    rest = [one for one in tested if one not in high]
    yield from map(_row, high)
    yield from map(_row, losses[:_OF_EACH] or sorted(rest, key=lambda one: one.named.value)[:1])
    every = {summary.model for summary in findings.regimes}
    for regime in findings.regimes:
        if regime.model == ALL_MODELS or len(every) == 1:
            mean = regime.estimate
            yield "mean", regime.words, estimate(mean), change(mean.mean), counted(mean), mean.verdict


def _row(signal: Signal) -> tuple[Value, ...]:
    return (
        _WHAT[signal.kind],
        signal.name,
        picked(signal.named),
        change(signal.raw.mean),
        counted(signal.raw),
        signal.verdict,
    )
