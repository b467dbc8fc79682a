"""Dots and bars: one row per name, with its interval."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from markupsafe import Markup

from crossgraft.analysis.wording import signed
from crossgraft.report.pictures.axes import Scale, frame, horizontal, line, name_width, shortened, text
from crossgraft.report.pictures.kinds import Dots, Mark

_WIDTH = 556.0
_PITCH = 17.0  # of rows
_TOP = 8.0


def draw_rows(chart: Dots) -> Markup:
    left = min(name_width([mark.name for mark in chart.marks]) + 10, 0.45 * _WIDTH)
    ends = [value for mark in chart.marks for value in (mark.value, mark.low, mark.high)]
    scale = Scale.of(ends, left, _WIDTH - 14, zero=True)
    bottom = _TOP + _PITCH * len(chart.marks) + 4
    rows = [
        _row(mark, _TOP + _PITCH * (number + 0.5) + 2, scale, bar=chart.bars) for number, mark in enumerate(chart.marks)
    ]
    return frame(chart.title, chart.about, _WIDTH, bottom + 34, [horizontal(scale, _TOP, bottom, chart.axis), *rows])


def _row(mark: Mark, y: float, scale: Scale, *, bar: bool) -> Markup:
    return Markup("<g><title>{}: {}</title>{}</g>").format(
        shortened(mark.name, 200), _numbers(mark), Markup("").join(_parts(mark, y, scale, bar=bar))
    )


def _parts(mark: Mark, y: float, scale: Scale, *, bar: bool) -> Iterator[Markup]:
    yield text(scale.start - 8, y + 4, shortened(mark.name), "strong" if mark.strong else "", "end")
    if bar:
        from_zero, to = sorted((scale(0.0), scale(mark.value)))
        yield Markup('<rect class="bar" x="{:g}" y="{:g}" width="{:g}" height="9"/>').format(
            from_zero, round(y - 4.5, 1), round(to - from_zero, 1)
        )
    if mark.low is not None and mark.high is not None and isfinite(mark.high - mark.low):
        yield line(scale(mark.low), y, scale(mark.high), y, "interval strong" if mark.strong else "interval")
    if not bar:
        kind = "dot strong" if mark.strong else "dot"
        yield Markup('<circle class="{}" cx="{:g}" cy="{:g}" r="3.4"/>').format(kind, scale(mark.value), y)


def _numbers(mark: Mark) -> str:
    ends = "" if mark.low is None or mark.high is None else f" [{signed(mark.low)}, {signed(mark.high)}]"
    return f"{signed(mark.value)}{ends}"
