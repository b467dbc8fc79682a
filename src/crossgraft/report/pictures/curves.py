"""Lines over an axis, each with its name at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log2

from markupsafe import Markup

from crossgraft.report.pictures.axes import Scale, frame, horizontal, line, shortened, text, vertical
from crossgraft.report.pictures.kinds import Curves, Line

_WIDTH, _HEIGHT = 556.0, 300.0
_LEFT, _TOP, _BOTTOM, _NAMES = 44.0, 26.0, 40.0, 170.0
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4")  # so that lines differ without colour


def draw_curves(chart: Curves) -> Markup:
    at = log2 if chart.doubling else float
    lines = [Line(each.name, tuple((at(x), y) for x, y in each.points)) for each in chart.lines if each.points]
    x = Scale.of((point[0] for each in lines for point in each.points), _LEFT, _WIDTH - _NAMES)
    y = Scale.of((point[1] for each in lines for point in each.points), _HEIGHT - _BOTTOM, _TOP)
    below = _doublings(chart, x) if chart.doubling else horizontal(x, _TOP, _HEIGHT - _BOTTOM, chart.x)
    parts = [below, vertical(y, _LEFT, _WIDTH - _NAMES, chart.y)]
    parts += [_line(each, number, x, y) for number, each in enumerate(lines)]
    parts += _names(lines, x, y)
    return frame(chart.title, chart.about, _WIDTH, _HEIGHT, parts)


def _doublings(chart: Curves, x: Scale) -> Markup:
    """A tick at every value that a line has."""
    values = sorted({point[0] for each in chart.lines for point in each.points})
    bottom = _HEIGHT - _BOTTOM
    ticks = [line(x(log2(value)), _TOP, x(log2(value)), bottom, "rule") for value in values]
    ticks += [text(x(log2(value)), bottom + 13, f"{value:,.0f}", "tick", "middle") for value in values]
    return Markup("").join([*ticks, text((x.start + x.end) / 2, bottom + 28, chart.x, "tick", "middle")])


def _line(each: Line, number: int, x: Scale, y: Scale) -> Markup:
    points = "L".join(f"{x(at):g} {y(value):g}" for at, value in each.points)
    return Markup('<g><title>{}</title><path class="curve" stroke-dasharray="{}" d="M{}"/></g>').format(
        shortened(each.name, 200), _DASHES[number % len(_DASHES)], points
    )


def _names(lines: Sequence[Line], x: Scale, y: Scale) -> Iterator[Markup]:
    """At the ends of the lines, each at least a line's height below the one before."""
    least = _TOP
    for each in sorted(lines, key=lambda each: y(each.points[-1][1])):
        least = max(least, y(each.points[-1][1]) + 4)
        yield text(x.end + 6, least, shortened(each.name, 26), "name")
        least += 12
