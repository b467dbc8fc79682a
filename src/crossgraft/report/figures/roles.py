"""Donors and recipients: a line per language, task or point, with its interval."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.roles.scores import Roles
from crossgraft.report.figures.dots import ROW, dot, name_lines
from crossgraft.report.figures.style import Drawing, Style

_MOST = 40  # names; of more, the first and the last


def drawings(findings: Findings, style: Style) -> Iterator[Drawing]:
    for roles in findings.roles:
        if isinstance(roles, Roles) and roles.roles:
            half = _MOST // 2
            shown = roles.roles if len(roles.roles) <= _MOST else (*roles.roles[:half], *roles.roles[-half:])
            figure, axes = style.blank(0.7 + ROW * len(shown))
            for y, role in enumerate(shown):
                dot(axes, y, role.score)
            name_lines(axes, [style.label(role.name) for role in shown], f"{roles.of.capitalize()}, {roles.side}")
            yield Drawing(f"{roles.side}s-{roles.of}".replace(" ", "-"), figure)
