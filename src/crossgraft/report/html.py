"""One HTML page that opens from disk and can be sent: no script, no other file, all data escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from crossgraft.analysis.findings import Findings
from crossgraft.report.about import About
from crossgraft.report.section import Interval, Number, Picture, short
from crossgraft.report.sections import sections_of
from crossgraft.safety.escaping import in_html


def html(findings: Findings, about: About) -> str:
    return _template().render(
        study=findings.study, sentences=findings.sentences, sections=sections_of(findings), about=about
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("crossgraft.report"),
        autoescape=True,
        finalize=in_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = short
    environment.tests["picture"] = lambda value: isinstance(value, Picture)
    environment.tests["numeric"] = lambda value: isinstance(value, (Interval, Number))
    return environment.get_template("report.html.j2")
