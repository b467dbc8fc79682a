"""Gain against harm of adapters and of what was made of them against harm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.effects.remedies import LEVEL, Curve, Variant, curves
from crossgraft.analysis.wording import interval, number_of, signed
from crossgraft.report.pictures.kinds import Scatter, Spot
from crossgraft.report.section import Interval, Number, Section, Table, Value, columns, decimals, estimate

PLACE = 27
_CHARTS = 4  # adapters
_HEAD = columns(
    "model",
    "adapter",
    "remedy",
    ("gain, pp", "gain"),
    ("other targets, pp", "elsewhere"),
    ("worst of them", "worst_target"),
    ("its change, pp", "worst_change"),
    ("other targets at equal gain, pp", "excess"),
    ("p (Holm)", "p"),
)
_NOTE = (
    "Gain is on the adapter's own source, or on its task in other languages where the source is no target; other targets are those whose base is above "
    "chance. At equal gain: the change of other targets, less what the straight line from the base to the adapter has at the remedy's gain "
    "(what serving the adapter to a share of the requests would give); above zero the remedy lowers harm at equal gain. It is tested only where the "
    "adapter gains significantly. The worst target was chosen for its loss: its interval is not corrected for that."
)


def sections(findings: Findings) -> Iterator[Section]:
    found = curves(findings.evidence)
    if not found:
        return
    rows = tuple(_row(curve, variant) for curve in found for variant in (*curve.remedies, curve.whole))
    yield Section(
        "Remedies",
        (Table("remedies", _HEAD, rows),),
        sentences=tuple(_sentences(found)),
        note=_NOTE,
        charts=tuple(map(_chart, found[:_CHARTS])),
        folded=True,
        shows="What an adapter and its remedies gain, and what they do to other targets.",
        explained="recommend#remedies",
    )


def _chart(curve: Curve) -> Scatter:
    variants = (*curve.remedies, curve.whole)
    spots = tuple(Spot(name_of(variant), variant.gain.mean, variant.elsewhere.mean) for variant in variants)
    title = f"{curve.whole.row.label} of {curve.whole.row.model}"
    return Scatter(title, "gain, pp", "other targets, pp", spots, frontier=True)


def _row(curve: Curve, variant: Variant) -> tuple[Value, ...]:
    worst = variant.worst.change
    return (
        variant.row.model,
        curve.whole.row.label,
        name_of(variant),
        estimate(variant.gain),
        estimate(variant.elsewhere),
        str(variant.worst.target),
        Interval(worst.mean, worst.low, worst.high),
        estimate(variant.excess, toned=True),
        _p(variant.p),
    )


def _p(value: float | None) -> Number:
    return Number(value, "<0.001") if value is not None and value < 0.001 else decimals(value, 3)


def name_of(variant: Variant) -> str:
    """What was done, in a word or two."""
    axes = dict(variant.row.recipe)
    if variant.way == "whole":
        return "none (as trained)"
    if variant.way == "scale":
        return f"scale {axes['scale']:g}"
    if variant.way == "checkpoint":
        return f"after {axes['after']:g} epochs"
    return f"{variant.way} {variant.row.name}"


def _sentences(found: Sequence[Curve]) -> Iterator[str]:
    tested = sum(variant.excess is not None for curve in found for variant in curve.remedies)
    better = [(curve, variant) for curve in found for variant in curve.remedies if variant.is_better]
    if not tested:
        yield "No remedy could be compared at equal gain: none of the adapters gains significantly."
        return
    if not better:
        yield f"No remedy lowers harm at equal gain significantly ({number_of(tested, 'remedy') if tested == 1 else f'{tested} remedies'}, Holm, {LEVEL:.0%})."
        return
    yield (
        f"{len(better)} of {tested} remedies lower harm at equal gain significantly (Holm, {LEVEL:.0%}). The clearest: "
        f"{_told(*min(better, key=lambda pair: (pair[1].p, -pair[1].excess.mean if pair[1].excess else 0.0)))}"
    )


def _told(curve: Curve, variant: Variant) -> str:
    assert variant.excess is not None
    excess = f"{signed(variant.excess.mean)} {interval(variant.excess.low, variant.excess.high)} pp"
    return (
        f"{curve.whole.row.label} of {variant.row.model}, {name_of(variant)}: gain {signed(variant.gain.mean)} pp (as trained "
        f"{signed(curve.whole.gain.mean)}), other targets {signed(variant.elsewhere.mean)} pp ({signed(curve.whole.elsewhere.mean)}), which is "
        f"{excess} better than at equal gain on the line to the base."
    )
