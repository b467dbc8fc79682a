"""Gain against harm: every treatment of a model with the ellipse that holds its true point in 95 of 100 cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.effects.harm import TreatmentHarm
from crossgraft.report.figures.style import BETTER, Drawing, Style

_NAMED = 12  # treatments; more have no room for names


def drawings(findings: Findings, style: Style) -> Iterator[Drawing]:
    known = [harm for harm in findings.treatment_harm if harm.gain is not None]
    models = list(dict.fromkeys(harm.row.model for harm in known))
    for model in models:
        own = [harm for harm in known if harm.row.model == model]
        figure, axes = style.blank(min(style.width, 3.2))
        _plane(axes, own, style)
        axes.set_title(style.label(model), loc="left")
        yield Drawing("harm" if len(models) == 1 else f"harm-{model}", figure)


def _plane(axes: Axes, every: Sequence[TreatmentHarm], style: Style) -> None:
    for harm in every:
        assert harm.gain is not None
        point = harm.gain.mean, harm.off.mean
        if harm.ellipse is not None:
            size = 2 * harm.ellipse.long, 2 * harm.ellipse.short
            outline = Ellipse(
                point, *size, angle=harm.ellipse.angle, facecolor=f"{BETTER}0c", edgecolor=f"{BETTER}55", linewidth=0.5
            )
            axes.add_patch(outline)
        axes.plot(*point, "o", color=BETTER, markersize=3)
        if len(every) <= _NAMED:
            axes.annotate(style.label(harm.row.label), point, xytext=(3, 3), textcoords="offset points", fontsize=5)
    axes.axhline(0, color="#999999", linewidth=0.5, zorder=0)
    axes.axvline(0, color="#999999", linewidth=0.5, zorder=0)
    axes.set_xlabel("same task, other languages: change, pp")
    axes.set_ylabel("other tasks: change, pp")
