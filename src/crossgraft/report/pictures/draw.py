"""A chart of any kind as SVG."""

from __future__ import annotations

from markupsafe import Markup

from crossgraft.report.pictures.curves import draw_curves
from crossgraft.report.pictures.heat import draw_heat
from crossgraft.report.pictures.kinds import Chart, Curves, Heat, Scatter
from crossgraft.report.pictures.rows import draw_rows
from crossgraft.report.pictures.scatter import draw_scatter


def drawn(chart: Chart) -> Markup:
    if isinstance(chart, Scatter):
        return draw_scatter(chart)
    if isinstance(chart, Curves):
        return draw_curves(chart)
    if isinstance(chart, Heat):
        return draw_heat(chart)
    return draw_rows(chart)
