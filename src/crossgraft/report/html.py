"""One HTML page that opens from disk and can be sent: no script, no other file, all data escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from crossgraft.analysis.findings import Findings
from crossgraft.report import bli, plane, roles, second, training, view
from crossgraft.report.view import About


def html(findings: Findings, about: About) -> str:
    return _template().render(
        study=findings.study,
        sentences=findings.sentences,
        first=list(view.first_rows(findings)),
        summaries=list(view.summaries(findings)),
        controls=list(view.controls(findings)),
        matrices=list(view.matrices(findings)),
        regimes=list(view.regimes(findings)),
        contrasts=list(view.contrasts(findings)),
        treatment_harm=list(view.treatment_harm(findings)),
        target_harm=list(view.target_harm(findings)),
        planes=list(plane.planes(findings)),
        axes=list(view.axes(findings)),
        training=training.shown(findings),
        training_left_out=training.left_out(findings),
        bli=list(bli.sections(findings)),
        checks=list(view.checks(findings)),
        trust_checks=view.looked_at(findings),
        luck=list(view.luck(findings)),
        recipients=list(view.recipients(findings)),
        shams=list(view.shams(findings)),
        roles=list(roles.tables(findings)),
        structure=list(roles.structure(findings)),
        second=list(second.tables(findings)),
        shape=list(second.sentences(findings)),
        gaps=view.gaps(findings),
        notes=findings.notes,
        failures=findings.failures,
        method=findings.method,
        about=about,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("crossgraft.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
