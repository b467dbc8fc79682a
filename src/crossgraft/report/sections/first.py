"""The first table: what helped most, what harmed most, what is typical, in a dozen rows; of methods of mapping, which is best on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from crossgraft.analysis.effects.regimes import ALL_MODELS
from crossgraft.analysis.findings import Findings
from crossgraft.analysis.first.signals import Signal
from crossgraft.report.section import Section, Table, Value, change, columns, counted, estimate, picked
from crossgraft.report.sections import standings

PLACE = 10
_WHAT: Mapping[str, str] = {
    "same task": "source, same task in other languages",
    "all targets": "treatment, all targets",
    "other tasks": "source, other tasks",
    "target": "target, all treatments",
    "donor": "donor, against the average source",
}
_OF_EACH = 4  # gains, losses, and what is typical
_NOTE = (
    "pp: percentage points against the control on the same items. Gains and losses were selected for being large: their values are "
    "shrunk, and their intervals hold for all means of the kind at once. “Measured” is the unshrunken value."
)


def sections(findings: Findings) -> Iterator[Section]:
    if findings.evidence.standings:
        yield standings.best_methods(findings.evidence.standings)
        return
    rows = tuple(_rows(findings))
    if rows:
        head = columns("mean change of", "name", ("pp", "change"), "measured", ("n", "rests_on"), "verdict")
        yield Section("What helped, what harmed, what is typical", (Table("first", head, rows),), note=_NOTE)


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
