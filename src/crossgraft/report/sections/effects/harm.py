"""Gain against harm of every treatment, and the targets that lose most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.intervals.estimate import Estimate
from crossgraft.analysis.questions.effects.harm import TreatmentHarm
from crossgraft.analysis.wording import interval, signed
from crossgraft.report.pictures.kinds import Scatter, Spot
from crossgraft.report.section import Interval, Section, Table, Value, change, columns, decimals, estimate, share
from crossgraft.report.sections.answer.matrices import items

PLACE = 20
_CHARTS = 3  # models with a chart
_TREATMENTS = columns(
    "model",
    "treatment",
    ("same task elsewhere, pp", "gain"),
    ("other tasks, pp", "off"),
    ("cells elsewhere that lose 1 or more", "harmed"),
    ("mean loss", "mean_loss"),
    ("worst tenth", "worst_tenth"),
    ("other tasks at equal gain on the source", "excess"),
)
_NOTE = (
    "Losses are counted on targets whose base is above chance. Mean loss: over cells elsewhere, gains counted as zero. At equal gain: "
    "deviation from the regression line of the model's treatments."
)
_TARGETS = columns(
    "model",
    "target",
    ("treatments that lose 1 pp or more", "harmed"),
    ("worst tenth, pp", "worst_tenth"),
    ("worst", "worst_treatment"),
    ("its change, pp", "worst_change"),
    ("n", "worst_items"),
)
_BRITTLE = (
    "Noise in the base's score moves all changes of a target: a target whose base scored too high looks brittle. Targets at chance are left "
    "out. Cells: all except those on the treatment's own source."
)


def sections(findings: Findings) -> Iterator[Section]:
    if not findings.treatment_harm:
        return
    rows = tuple(
        (
            harm.row.model,
            harm.row.label,
            estimate(harm.gain),
            estimate(harm.off),
            share(harm.harmed),
            decimals(harm.mass, 1),
            change(harm.tail),
            estimate(harm.excess),
        )
        for harm in findings.treatment_harm
    )
    yield Section(
        "Gain against harm: what to train",
        (Table("harm", _TREATMENTS, rows, "Gain and harm of every treatment", folded=True),),
        note=_NOTE,
        charts=tuple(_planes(findings.treatment_harm)),
        shows="To the right: gain on the same task in other languages; up: change on other tasks. Treatments on the dashed frontier are beaten in both by no other.",
        explained="recommend",
    )
    targets = tuple(
        (
            harm.model,
            str(harm.target),
            share(harm.harmed),
            change(harm.tail),
            harm.worst.row.label,
            _ends(harm.worst.change.mean, harm.worst.change.low, harm.worst.change.high),
            items(harm.worst),
        )
        for harm in findings.target_harm
    )
    yield from _brittle(targets)


def _brittle(rows: tuple[tuple[Value, ...], ...]) -> Iterator[Section]:
    yield Section(
        "Brittle targets",
        (Table("recipients", _TARGETS, rows),),
        note=_BRITTLE,
        folded=True,
        shows="Targets by how many treatments harm them.",
        explained="reading-a-report#the-numbers",
    )


def _ends(mean: float, low: float, high: float) -> Interval:
    return Interval(mean, low, high, text=f"{signed(mean)} {interval(low, high)}")


def _planes(every: Sequence[TreatmentHarm]) -> Iterator[Scatter]:
    """One chart per model: gain on the task in other languages to the right, change on other tasks upwards."""
    known = [(harm, harm.gain) for harm in every if harm.gain is not None]
    models = list(dict.fromkeys(harm.row.model for harm, _ in known))
    for model in models[:_CHARTS]:
        spots = tuple(_spot(harm, gain) for harm, gain in known if harm.row.model == model)
        more = f"; {len(models) - _CHARTS} more models are in the table" if len(models) > _CHARTS else ""
        about = f"Ellipses hold the true point in 95 of 100 cases; the dashed line is the frontier{more}."
        yield Scatter(model, "same task, other languages, pp", "other tasks, pp", spots, about, frontier=True)


def _spot(harm: TreatmentHarm, gain: Estimate) -> Spot:
    if harm.ellipse is None:
        return Spot(harm.row.label, gain.mean, harm.off.mean)
    ellipse = harm.ellipse
    return Spot(harm.row.label, gain.mean, harm.off.mean, ellipse.long, ellipse.short, ellipse.angle)
