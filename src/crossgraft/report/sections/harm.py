"""Gain against harm of every treatment, and the targets that lose most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from crossgraft.analysis.effects.harm import TreatmentHarm
from crossgraft.analysis.findings import Findings
from crossgraft.analysis.wording import interval, signed
from crossgraft.report.section import Interval, Section, Table, change, columns, decimals, estimate, share, short
from crossgraft.report.sections.matrices import items

PLACE = 60
_SIDE = 420.0  # of the drawing, in pixels
_MARGIN = 1.15
_LABELLED = 20  # treatments; more of them have no room for names
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
    drawing = Markup().join(_planes(findings.treatment_harm))
    yield Section("Gain and harm", (Table("harm", _TREATMENTS, rows),), note=_NOTE, drawing=drawing, folded=True)
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
    yield Section("Brittle targets", (Table("recipients", _TARGETS, targets),), note=_BRITTLE, folded=True)


def _ends(mean: float, low: float, high: float) -> Interval:
    return Interval(mean, low, high, text=f"{signed(mean)} {interval(low, high)}")


def _planes(every: Sequence[TreatmentHarm]) -> Iterator[Markup]:
    """One drawing per model: gain on the task in other languages to the right, change on other tasks upwards."""
    known = [harm for harm in every if harm.gain is not None and harm.ellipse is not None]
    for model in dict.fromkeys(one.row.model for one in known):
        group = [one for one in known if one.row.model == model]
        reach = max(_MARGIN * max(max(abs(one.off.mean), abs(one.gain.mean)) for one in group if one.gain), 1.0)
        marks = Markup("\n").join(_mark(one, _SIDE / 2 / reach, named=len(group) <= _LABELLED) for one in group)
        yield Markup(
            "<figure><figcaption>{}: change on the same task in other languages (right) and on other tasks (up); the edge is at {:.0f} pp; "
            'ellipses hold 95 %</figcaption>\n<svg viewBox="0 0 420 420" width="420" height="420" role="img" aria-label="gain and harm of {}">\n'
            '<path d="M0 210H420M210 0V420" stroke="#bbb" fill="none"/>\n{}</svg></figure>\n'
        ).format(model, reach, model, marks)


def _mark(harm: TreatmentHarm, scale: float, *, named: bool) -> Markup:
    assert harm.gain is not None
    assert harm.ellipse is not None
    x, y = round(_SIDE / 2 + scale * harm.gain.mean, 1), round(_SIDE / 2 - scale * harm.off.mean, 1)
    long, wide, angle = (
        round(scale * harm.ellipse.long, 1),
        round(scale * harm.ellipse.short, 1),
        round(-harm.ellipse.angle, 1),
    )
    label = Markup('<text x="{}" y="{}" font-size="9">{}</text>').format(x + 5, y - 4, harm.row.label) if named else ""
    gain, off = short(estimate(harm.gain)), short(estimate(harm.off))
    return Markup(
        '<g><title>{}: same task elsewhere {}, other tasks {} pp</title><ellipse cx="{}" cy="{}" rx="{}" ry="{}" transform="rotate({} {} {})" '
        'fill="#2166ac" fill-opacity=".07" stroke="#2166ac" stroke-opacity=".35"/><circle cx="{}" cy="{}" r="3" fill="#2166ac"/>{}</g>'
    ).format(harm.row.label, gain, off, x, y, long, wide, angle, x, y, x, y, label)
