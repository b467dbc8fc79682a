"""What the page shows, as plain texts and colours: all rounding happens here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from crossgraft.analysis.estimate import SHARE_CELLS, Estimate
from crossgraft.analysis.extremes import Named
from crossgraft.analysis.findings import Findings, columns_of
from crossgraft.analysis.regimes import ALL_MODELS
from crossgraft.analysis.signals import Signal
from crossgraft.analysis.summaries import Summary
from crossgraft.analysis.wording import TINY, interval, number_of, signed
from crossgraft.core import Check
from crossgraft.matrix import ChangeCell, ControlCheck

_FULL_COLOUR = 15.0  # percentage points at which the colour is deepest
_DEEPEST = 0.6  # share of the pure colour there, so that dark text stays readable


@dataclass(frozen=True)
class About:
    """What a page says of its own making."""

    spec: str = ""
    overrides: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    written: str = ""


def estimate(one: Estimate | None) -> str:
    return f"{signed(one.mean)} {interval(one.low, one.high)}" if one else "–"


def picked(one: Named) -> str:
    """A value that is shown for being the largest or the smallest."""
    return f"{signed(one.value)} {interval(one.low, one.high)}"


def counted(one: Estimate) -> str:
    """What a mean rests on; where there are no items, what its interval is over."""
    cells = number_of(one.cells, "cell")
    if one.items:
        return f"{cells}, {number_of(one.items, 'item')}"
    return f"{cells}, {one.basis or f'no interval: {one.why}'}"


def items(cell: ChangeCell) -> str:
    return str(cell.change.n) if cell.change.n else "unknown"


def _detectable(cell: ChangeCell) -> str:
    return "–" if cell.change.why else f"{cell.change.detectable:.1f} {cell.unit}"


@dataclass(frozen=True)
class CellView:
    """One square of the heatmap."""

    text: str
    detail: str
    colour: str
    clear: bool  # its interval excludes zero
    own: bool  # trained on this very point
    small: str = ""


@dataclass(frozen=True)
class MatrixView:
    model: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[CellView, ...]], ...]


@dataclass(frozen=True)
class SummaryView:
    model: str
    treatment: str
    gain: str
    gain_is: str
    gain_n: str
    sure: str
    worst: str
    worst_n: str
    harmed: str


def summaries(findings: Findings) -> Iterator[SummaryView]:
    """Of the treatments under study."""
    yield from _summaries(findings.summaries)


def controls(findings: Findings) -> Iterator[SummaryView]:
    """Of the shams, in the same columns."""
    yield from _summaries(findings.controls)


def _summaries(summaries: Sequence[Summary]) -> Iterator[SummaryView]:
    for one in summaries:
        yield SummaryView(
            model=one.row.model,
            treatment=one.row.label,
            gain=estimate(one.gain),
            gain_is=one.gain_is,
            gain_n=counted(one.gain) if one.gain else "",
            sure=one.sure,
            worst=_worst(one),
            worst_n=f"n = {items(one.worst)}" if one.worst else "",
            harmed=_harmed(one),
        )


def _harmed(one: Summary) -> str:
    """How many of the cells that can show harm, and how many cannot."""
    seen = f"{one.harmed} of {one.cells}" if one.cells else "–"
    return f"{seen} ({one.at_chance} at chance)" if one.at_chance else seen


def _worst(one: Summary) -> str:
    """Shrunk, with the interval that holds for all cells it was picked from, and as it was measured."""
    if one.worst is None or one.worst_named is None:
        return "–"
    change, told = one.worst.change, one.worst_named
    if change.mean >= 0:
        return f"none below zero (lowest {signed(change.mean)} on {one.worst.target})"
    return f"{picked(told)} on {one.worst.target} (measured {signed(change.mean)})"


@dataclass(frozen=True)
class FirstRow:
    """One line of the first table."""

    what: str
    name: str
    change: str
    measured: str
    n: str
    verdict: str


_WHAT: Mapping[str, str] = {
    "same task": "source, same task in other languages",
    "all targets": "treatment, all targets",
    "other tasks": "source, other tasks",
    "target": "target, all treatments",
    "donor": "donor, against the average source",
}
_OF_EACH = 4  # rows in the first table: gains, losses, and what is typical


def first_rows(findings: Findings) -> Iterator[FirstRow]:
    """What helped most, what harmed most, what is typical: a dozen rows at most."""
    tested = [one for one in findings.signals if np.isfinite(one.raw.error)]
    gains = sorted((one for one in tested if one.gains), key=lambda one: -one.named.value)
    losses = sorted((one for one in tested if one.loses), key=lambda one: one.named.value)
    best = [one for one in tested if one.kind in ("same task", "all targets")]
    high = gains[:_OF_EACH] or sorted(best, key=lambda one: -one.named.value)[:1]
    rest = [one for one in tested if one not in high]
    yield from map(_first_row, high)
    yield from map(_first_row, losses[:_OF_EACH] or sorted(rest, key=lambda one: one.named.value)[:1])
    every = {one.model for one in findings.regimes}
    for regime in findings.regimes:
        if regime.model == ALL_MODELS or len(every) == 1:
            mean = regime.estimate
            yield FirstRow("mean", regime.words, estimate(mean), signed(mean.mean), counted(mean), mean.verdict)


def _first_row(one: Signal) -> FirstRow:
    return FirstRow(_WHAT[one.kind], one.name, picked(one.named), signed(one.raw.mean), counted(one.raw), one.verdict)


def cells(findings: Findings) -> Iterator[tuple[str, ...]]:
    """Every cell as a line: treatment, target, base, now, change, n, verdict, smallest change it could have shown."""
    for cell in findings.matrix.cells.values():
        change = cell.change
        verdict = "better" if change.low > 0 else "worse" if change.high < 0 else "not distinguishable"
        yield (
            cell.row.label,
            str(cell.target),
            _level(cell, cell.control),
            _level(cell, cell.treated),
            f"{signed(change.mean)} {cell.unit} {interval(change.low, change.high)}",
            items(cell),
            verdict,
            _detectable(cell),
        )


def _level(cell: ChangeCell, value: float) -> str:
    return f"{value:.1%}" if cell.metric.unit == "share" else f"{value:.3f}"


def matrices(findings: Findings) -> Iterator[MatrixView]:
    matrix = findings.matrix
    for model in dict.fromkeys(row.model for row in matrix.rows):
        columns = columns_of(matrix, model) or matrix.columns
        why = {(gap.row.row, gap.target): gap.reason for gap in matrix.gaps}
        rows = tuple(
            (row.label, tuple(_cell(matrix.cells.get((row, c)), why.get((row, c), "not measured")) for c in columns))
            for row in matrix.rows
            if row.model == model
        )
        yield MatrixView(model, tuple(map(str, columns)), rows)


def _cell(cell: ChangeCell | None, why: str) -> CellView:
    if cell is None:
        return CellView("·", why, "none", clear=False, own=False)
    change = cell.change
    levels = f"{_level(cell, cell.control)} → {_level(cell, cell.treated)}"
    seeds = f", {len(cell.seeds)} seeds" if len(cell.seeds) > 1 else ""
    detail = (
        f"{cell.row.label} on {cell.target}: {signed(change.mean, 2)} {cell.unit} {interval(change.low, change.high)}; "
        f"{cell.metric.name} {levels}; n = {items(cell)}{seeds}; could have shown {_detectable(cell)}; "
        f"record {', '.join(id[:10] for id in cell.record_ids)}"
    )
    return CellView(
        text=signed(change.mean),
        detail=detail,
        colour=_colour(change.mean),
        clear=change.low > 0 or change.high < 0,
        own=cell.regime == "MT-ML",
        small=f"{interval(change.low, change.high)} n={items(cell)}",
    )


def _colour(change: float) -> str:
    """Blue for better, orange for worse: told apart by colour-blind readers too."""
    depth = _DEEPEST * min(1.0, abs(change) / _FULL_COLOUR)
    red, green, blue = (33, 102, 172) if change > 0 else (201, 96, 16)
    mixed = (round(255 - depth * (255 - part)) for part in (red, green, blue))
    return f"rgb({', '.join(map(str, mixed))})"


@dataclass(frozen=True)
class RegimeView:
    model: str
    regime: str
    words: str
    mean: str
    median: str
    trimmed: str
    positive: str
    gained: str
    harmed: str
    n: str
    verdict: str


def regimes(findings: Findings) -> Iterator[RegimeView]:
    for one in findings.regimes:
        yield RegimeView(
            one.model,
            one.regime,
            one.words,
            estimate(one.estimate),
            estimate(one.median),
            estimate(one.trimmed),
            share(one.positive),
            share(one.gained),
            share(one.harmed),
            counted(one.estimate),
            one.estimate.verdict,
        )


def share(one: Estimate | None) -> str:
    """Percent of the cells as they were measured; of a handful of cells, how many of them."""
    if one is None:
        return "–"
    if one.cells < SHARE_CELLS:
        return f"{round(one.mean * one.cells / 100)} of {one.cells}"
    return f"{one.mean:.0f} %"


@dataclass(frozen=True)
class ContrastView:
    over: str
    mean: str
    levels: tuple[str, ...]


def contrasts(findings: Findings) -> Iterator[ContrastView]:
    """On-task less off-task, with an interval a question."""
    for one in findings.contrasts:
        levels = tuple(
            f"{interval(level.low, level.high)} ({level.units})"
            if level.low is not None and level.high is not None
            else f"none: {level.why}"
            for level in one.levels
        )
        yield ContrastView(one.over, signed(one.estimate.mean), levels)


@dataclass(frozen=True)
class HarmView:
    model: str
    name: str
    gain: str
    off: str
    harmed: str
    mass: str
    tail: str
    excess: str


def treatment_harm(findings: Findings) -> Iterator[HarmView]:
    for one in findings.treatment_harm:
        yield HarmView(
            one.row.model,
            one.row.label,
            estimate(one.gain),
            estimate(one.off),
            share(one.harmed),
            "–" if one.mass is None else f"{one.mass:.1f}",
            "–" if one.tail is None else signed(one.tail),
            estimate(one.excess),
        )


@dataclass(frozen=True)
class BrittleView:
    model: str
    target: str
    harmed: str
    tail: str
    worst: str


def target_harm(findings: Findings) -> Iterator[BrittleView]:
    for one in findings.target_harm:
        change = one.worst.change
        worst = (
            f"{one.worst.row.label}: {signed(change.mean)} {interval(change.low, change.high)}, n = {items(one.worst)}"
        )
        yield BrittleView(one.model, str(one.target), share(one.harmed), signed(one.tail), worst)


@dataclass(frozen=True)
class LuckView:
    model: str
    uplift: str
    raw_positive: str
    positive: str
    share: str
    corrected: str


def luck(findings: Findings) -> Iterator[LuckView]:
    """What the base in common does to numbers that are not immune to it."""
    for one in findings.luck:
        cells = one.uplift.cells
        few = cells < SHARE_CELLS
        yield LuckView(
            one.model,
            estimate(one.uplift),
            f"{round(one.raw_positive * cells / 100)} of {cells}" if few else f"{one.raw_positive:.0f} %",
            "–" if few else f"{one.positive:.0f} %",
            f"{one.between:.2f} pp² ({one.share:.0f} %)",
            f"{one.corrected:.2f} pp² ({one.corrected_share:.0f} %)",
        )


@dataclass(frozen=True)
class RecipientView:
    model: str
    target: str
    raw: str
    corrected: str
    luck: str


def recipients(findings: Findings) -> Iterator[RecipientView]:
    """Recipient scores of every target, the best first."""
    for one in findings.luck:
        for target in sorted(one.recipients, key=lambda target: -target.corrected):
            yield RecipientView(
                one.model, str(target.target), estimate(target.raw), signed(target.corrected), f"±{target.luck:.1f}"
            )


@dataclass(frozen=True)
class ShamView:
    model: str
    name: str
    where: str
    difference: str
    sham: str
    verdict: str


def shams(findings: Findings) -> Iterator[ShamView]:
    for one in findings.against_sham:
        yield ShamView(one.row.model, one.row.label, one.where, estimate(one.estimate), one.sham, one.estimate.verdict)


@dataclass(frozen=True)
class AxisView:
    model: str
    axis: str
    compared: str
    outcome: str
    difference: str
    n: str
    verdict: str


def axes(findings: Findings) -> Iterator[AxisView]:
    """Effects of the axes of the recipe: a level against the first one."""
    for one in findings.axes:
        levels = ", ".join(str(value) for _, value in one.levels)
        references = ", ".join(str(value) for _, value in one.references)
        found = one.estimate
        verdict = {"better": "higher", "worse": "lower"}.get(found.verdict, found.verdict)
        yield AxisView(
            one.model,
            one.axis,
            f"{levels} against {references}",
            one.outcome,
            estimate(found),
            f"{one.sets} sets, {counted(found)}",
            verdict,
        )


def checks(findings: Findings) -> Iterator[tuple[str, str, str]]:
    """The control measured again, by model and variant: on how many targets it moved, and the most."""
    groups: dict[tuple[str, str], list[ControlCheck]] = {}
    for check in findings.control_checks:
        groups.setdefault((check.model, check.variant), []).append(check)
    for (model, variant), group in groups.items():
        moved = [check for check in group if abs(check.change.mean) > TINY]
        most = max(group, key=lambda check: abs(check.change.mean))
        text = f"{signed(most.change.mean)} pp {interval(most.change.low, most.change.high)} on {most.target}, n = {most.change.n}"
        yield f"{model}: {variant}", f"{len(moved)} of {len(group)}", text if moved else "none"


def looked_at(findings: Findings) -> list[Check]:
    """Everything that had to hold, of the grid and of the numbers themselves."""
    return [*findings.gates, *findings.trust_checks]


def gaps(findings: Findings) -> list[tuple[str, str, int]]:
    """What is missing, gathered by treatment and reason: treatment, reason, how many targets."""
    counted = Counter((str(gap.row), gap.reason) for gap in findings.gaps)
    return [(row, reason, count) for (row, reason), count in counted.items()]
