"""Dots with intervals: one line per name, zero marked, what excludes zero filled."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from matplotlib.axes import Axes

from crossgraft.analysis.intervals.estimate import Estimate
from crossgraft.report.figures.style import BETTER, PLAIN, WORSE

_COLOURS = {"better": BETTER, "worse": WORSE, "not distinguishable": PLAIN}
ROW = 0.16  # inches


def dot(axes: Axes, y: float, estimate: Estimate, marker: str = "o") -> None:
    """An estimate without an interval is a dot alone."""
    colour = _COLOURS[estimate.verdict]
    if isfinite(estimate.high - estimate.low):
        axes.plot([estimate.low, estimate.high], [y, y], color=colour, linewidth=0.8)
    filled = colour if estimate.verdict != "not distinguishable" else "#ffffff"
    axes.plot(estimate.mean, y, marker, color=colour, markerfacecolor=filled, markersize=3.5, markeredgewidth=0.8)


def name_lines(axes: Axes, names: Sequence[str], title: str) -> None:
    """Names from the top, and a line at zero."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.axvline(0, color="#999999", linewidth=0.5, zorder=0)
    axes.set_xlabel("change, pp")
    axes.set_title(title, loc="left")
    axes.tick_params(axis="y", length=0)
