"""A table of shades, with the number in each cell where there is room."""

from __future__ import annotations

from markupsafe import Markup

from crossgraft.report.pictures.axes import frame, name_width, shortened, text
from crossgraft.report.pictures.kinds import Heat

_WIDTH = 900.0
_ROW = 20.0
_NAME = 26  # letters of a column's name
_WIDEST, _NARROWEST = 56.0, 14.0
_NUMBERED = 32.0  # pixels of a cell that has room for its number
_DEEPEST = 0.62  # opacity of the highest value, so that dark text stays readable


def draw_heat(chart: Heat) -> Markup:
    left = name_width(chart.rows) + 10
    cell = max(_NARROWEST, min(_WIDEST, (_WIDTH - left) / max(1, len(chart.columns))))
    top = name_width(chart.columns, _NAME) + 10
    known = [value for row in chart.values for value in row if value is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    parts = [
        Markup('<text transform="translate({:g} {:g}) rotate(-90)" class="tick">{}</text>').format(
            round(left + cell * (number + 0.5) + 4, 1), top - 5, shortened(name, _NAME)
        )
        for number, name in enumerate(chart.columns)
    ]
    for down, (name, values) in enumerate(zip(chart.rows, chart.values, strict=True)):
        y = top + _ROW * down
        parts.append(text(left - 6, y + 14, shortened(name), "", "end"))
        for across, value in enumerate(values):
            words = f"{shortened(name, 100)}, {shortened(chart.columns[across], 100)}"
            parts.append(_cell(words, value, (left + cell * across, y, cell), (low, high), chart.digits))
    return frame(
        chart.title, chart.about, left + cell * len(chart.columns) + 4, top + _ROW * len(chart.rows) + 6, parts
    )


def _cell(
    words: str, value: float | None, where: tuple[float, float, float], ends: tuple[float, float], digits: int
) -> Markup:
    x, y, width = where
    if value is None:
        return Markup('<g><title>{}: missing</title><path class="missing" d="M{:g} {:g}l{:g} {:g}"/></g>').format(
            words, round(x + 2, 1), y + _ROW - 3, round(width - 4, 1), 5 - _ROW
        )
    low, high = ends
    depth = _DEEPEST * (value - low) / (high - low) if high > low else _DEEPEST / 2
    number = text(x + width / 2, y + 14, f"{value:.{digits}f}", "number", "middle") if width >= _NUMBERED else ""
    return Markup(
        '<g><title>{}: {}</title><rect class="shade" x="{:g}" y="{:g}" width="{:g}" height="{:g}" fill-opacity="{:.2f}"/>{}</g>'
    ).format(words, f"{value:.{digits}f}", round(x, 1), y, round(width - 1, 1), _ROW - 1, depth, number)
