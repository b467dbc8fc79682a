"""Means by regime, a line per model and regime."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.report.figures.dots import ROW, dot, name_lines
from crossgraft.report.figures.style import MARKERS, Drawing, Style


def drawings(findings: Findings, style: Style) -> Iterator[Drawing]:
    means = sorted(findings.regimes, key=lambda mean: [one.regime for one in findings.regimes].index(mean.regime))
    if not means:
        return
    models = list(dict.fromkeys(mean.model for mean in findings.regimes))
    figure, axes = style.blank(0.7 + ROW * len(means))
    for y, mean in enumerate(means):
        dot(axes, y, mean.estimate, MARKERS[models.index(mean.model) % len(MARKERS)])
    alone = len(models) == 1
    names = [style.label(mean.words if alone else f"{mean.regime}, {mean.model}") for mean in means]
    name_lines(axes, names, "Means by regime")
    yield Drawing("regimes", figure)
