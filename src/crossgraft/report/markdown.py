"""The report as Markdown, for a repository, an issue or a mail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crossgraft.analysis.findings import Findings
from crossgraft.report.about import About
from crossgraft.report.section import Section, Table, short
from crossgraft.report.sections import sections_of
from crossgraft.safety.escaping import in_markdown


def markdown(findings: Findings, about: About, sections: Sequence[Section] | None = None) -> str:
    """``sections``, where they are known already."""
    sections = sections_of(findings) if sections is None else sections
    return "\n".join(_lines(findings, about, sections)) + "\n"


def _lines(findings: Findings, about: About, sections: Sequence[Section]) -> Iterator[str]:
    yield f"# {in_markdown(findings.study) or 'Study'}"
    yield ""
    for sentence in findings.sentences:
        yield f"- {in_markdown(sentence)}"
    for section in sections:
        yield from _section(section)
    versions = ", ".join(f"{name} {number}" for name, number in about.versions.items())
    yield ""
    yield f"Written {about.written} by {versions}." if versions else ""


def _section(section: Section) -> Iterator[str]:
    yield ""
    yield f"## {in_markdown(section.title)}"
    if section.shows:
        yield ""
        yield in_markdown(section.shows)
    for table in section.tables:
        yield from _table(table)
    yield ""
    for sentence in section.sentences:
        yield f"- {in_markdown(sentence)}"
    if section.note:
        yield ""
        yield in_markdown(section.note)


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield ""
        yield f"### {in_markdown(table.title)}"
    if table.rows and table.most != 0:
        yield ""
        yield f"| {' | '.join(map(in_markdown, table.titles))} |"
        yield f"|{'---|' * len(table.titles)}"
        for row in table.shown:
            yield f"| {' | '.join(in_markdown(short(value)) for value in row)} |"
    if table.left_out and table.most:
        yield ""
        yield f"{table.left_out} more rows are in `{table.name}.csv`."
    if table.note:
        yield ""
        yield in_markdown(table.note)
