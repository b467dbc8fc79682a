"""Lines over an axis, each with its name at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from math import isfinite, log2

from markupsafe import Markup

from crossgraft.report.pictures.axes import Scale, frame, horizontal, line, name_width, shortened, text, vertical
from crossgraft.report.pictures.kinds import Curves, Line

_WIDTH, _HEIGHT = 556.0, 300.0
_LEFT, _TOP, _BOTTOM, _NAMES = 44.0, 26.0, 40.0, 170.0
_BESIDE = (0.0, 4.0, -4.0, 8.0, -8.0)  # pixels
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4")  # so that lines differ without colour


def draw_curves(chart: Curves) -> Markup:
    at = log2 if chart.doubling else float
    lines = [replace(each, points=tuple((at(x), y) for x, y in each.points)) for each in chart.lines if each.points]
    x = Scale.of((point[0] for each in lines for point in each.points), _LEFT, _WIDTH - _NAMES)
    heights = (value for each in lines for value in (*(y for _, y in each.points), *chain(*each.ends)))
    y = Scale.of(heights, _HEIGHT - _BOTTOM, _TOP, zero=chart.zero)
    ticks = _ticks(chart)
    below = _named(ticks, x, chart.x) if ticks else horizontal(x, _TOP, _HEIGHT - _BOTTOM, chart.x)
    parts = [below, vertical(y, _LEFT, _WIDTH - _NAMES, chart.y)]
    parts += [_line(each, number, x, y) for number, each in enumerate(lines)]
    parts += _names(lines, x, y)
    return frame(chart.title, chart.about, _WIDTH, _HEIGHT, parts)


def _ticks(chart: Curves) -> list[tuple[float, str]]:
    """Where an axis that is not plain numbers has its names: at every value that a line has, or at its steps."""
    if chart.doubling:
        values = sorted({point[0] for each in chart.lines for point in each.points})
        return [(log2(value), f"{value:,.0f}" if value >= 10 else f"{value:g}") for value in values]
    return list(enumerate(chart.steps))


def _named(ticks: Sequence[tuple[float, str]], x: Scale, words: str) -> Markup:
    """A name that would lie on the one before is left out."""
    bottom, free = _HEIGHT - _BOTTOM, 0.0
    parts = [line(x(at), _TOP, x(at), bottom, "rule") for at, _ in ticks]
    for at, name in ticks:
        half = name_width([name]) / 2
        if x(at) - half >= free:
            parts.append(text(x(at), bottom + 13, shortened(name), "tick", "middle"))
            free = x(at) + half
    return Markup("").join([*parts, text((x.start + x.end) / 2, bottom + 28, words, "tick", "middle")])


def _line(each: Line, number: int, x: Scale, y: Scale) -> Markup:
    """With intervals a little beside one another, so that those of several lines can be told apart."""
    beside = _BESIDE[number % len(_BESIDE)] if each.ends else 0.0
    spots = [(round(x(at) + beside, 1), y(value)) for at, value in each.points]
    known = [
        (across, low, high) for (across, _), (low, high) in zip(spots, each.ends, strict=False) if isfinite(high - low)
    ]
    ends = [line(across, y(low), across, y(high), "interval") for across, low, high in known]
    ends += [Markup('<circle class="dot" cx="{:g}" cy="{:g}" r="2.6"/>').format(*spot) for spot in spots if each.ends]
    return Markup('<g><title>{}</title><path class="curve" stroke-dasharray="{}" d="M{}"/>{}</g>').format(
        shortened(each.name, 200),
        _DASHES[number % len(_DASHES)],
        "L".join(f"{across:g} {up:g}" for across, up in spots),
        Markup("").join(ends),
    )


def _names(lines: Sequence[Line], x: Scale, y: Scale) -> Iterator[Markup]:
    """At the ends of the lines, each at least a line's height below the one before."""
    least = _TOP
    for each in sorted(lines, key=lambda each: y(each.points[-1][1])):
        least = max(least, y(each.points[-1][1]) + 4)
        yield text(x.end + 6, least, shortened(each.name, 29), "name")
        least += 12
