"""One HTML page that opens from disk and can be sent: no other file, no network, all data escaped.

Sentences, tables, charts and the matrix are there without a script; the scripts of ``page/`` add switches, details and sorting.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from crossgraft.analysis.answers import AnswerBook
from crossgraft.analysis.findings import Findings
from crossgraft.report.about import About
from crossgraft.report.page.matrix_svg import matrix_svg
from crossgraft.report.page.names import renamed, shortener
from crossgraft.report.page.payload import items_payload, payload
from crossgraft.report.page.rows import Rows, is_numeric
from crossgraft.report.pictures.draw import drawn
from crossgraft.report.section import Picture, Section, short
from crossgraft.report.sections import sections_of
from crossgraft.safety.escaping import in_html

_SCRIPTS = ("page.js", "tables.js", "matrix.js", "cell.js", "start.js")


def html(
    findings: Findings,
    about: About,
    answers: AnswerBook | None = None,
    sections: Sequence[Section] | None = None,
) -> str:
    """``answers`` are the items that a cell shows when it is opened; ``sections``, where they are known already."""
    sections = sections_of(findings) if sections is None else sections
    grid = next((section.grid for section in sections if section.grid), None)
    names = shortener(grid.prefix if grid else "")
    rows = Rows(sections, names)
    environment = _environment()
    environment.filters["names"] = names
    template = environment.get_template("page.html.j2")
    script = _script()
    return template.render(
        study=findings.study,
        sentences=findings.sentences,
        sections=sections,
        about=about,
        key=rows.key,
        first=rows.first,
        hidden=rows.hidden,
        drawn=lambda chart: drawn(renamed(chart, names)),
        matrix=lambda grid, model: matrix_svg(grid, model, names),
        style=Markup(_read("page.css")),  # noqa: S704 - a file of ours
        script=Markup(script),  # noqa: S704 - a file of ours
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=payload(grid, rows, names),
        items=items_payload(grid, answers),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("crossgraft.report", "page"),
        autoescape=True,
        finalize=in_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = short
    environment.tests["picture"] = lambda value: isinstance(value, Picture)
    environment.tests["numeric"] = is_numeric
    return environment


@cache
def _script() -> str:
    """The scripts as one; none of them holds data."""
    return "".join(["\n(() => {\n'use strict';\n", *map(_read, _SCRIPTS), "})();\n"])


@cache
def _read(name: str) -> str:
    return resources.files("crossgraft.report.page").joinpath(name).read_text("utf-8")
