"""The gain–harm plane of a model as an SVG drawing: one point a treatment, with the ellipse of its uncertainty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.harm import TreatmentHarm
from crossgraft.report.view import estimate

SIDE = 420.0  # of the drawing, in pixels
_MARGIN = 1.15


@dataclass(frozen=True)
class Mark:
    """A treatment: where it is drawn, how wide its ellipse, and what it says when pointed at."""

    x: float
    y: float
    long: float
    short: float
    angle: float
    label: str
    detail: str


@dataclass(frozen=True)
class PlaneView:
    model: str
    reach: str  # percentage points from the middle to the edge
    marks: tuple[Mark, ...]


def planes(findings: Findings) -> Iterator[PlaneView]:
    """One a model: gain on the task in other languages to the right, change on other tasks upwards."""
    known = [one for one in findings.treatment_harm if one.gain is not None and one.ellipse is not None]
    for model in dict.fromkeys(one.row.model for one in known):
        group = [one for one in known if one.row.model == model]
        reach = max(_MARGIN * max(max(abs(one.off.mean), abs(one.gain.mean)) for one in group if one.gain), 1.0)
        yield PlaneView(model, f"{reach:.0f}", tuple(_mark(one, SIDE / 2 / reach) for one in group))


def _mark(one: TreatmentHarm, scale: float) -> Mark:
    assert one.gain is not None
    assert one.ellipse is not None
    return Mark(
        x=round(SIDE / 2 + scale * one.gain.mean, 1),
        y=round(SIDE / 2 - scale * one.off.mean, 1),
        long=round(scale * one.ellipse.long, 1),
        short=round(scale * one.ellipse.short, 1),
        angle=round(-one.ellipse.angle, 1),
        label=one.row.label,
        detail=f"{one.row.label}: same task elsewhere {estimate(one.gain)}, other tasks {estimate(one.off)} pp",
    )
