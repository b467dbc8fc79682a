"""Findings as files to read and to send: one HTML page, Markdown, and every table as CSV."""

from __future__ import annotations

from pathlib import Path

from crossgraft.analysis.answers import AnswerBook
from crossgraft.analysis.findings import Findings
from crossgraft.report.about import About
from crossgraft.report.csv import as_csv, tables_csv
from crossgraft.report.html import html
from crossgraft.report.markdown import markdown
from crossgraft.report.sections import sections_of
from crossgraft.transfer.matrix import TIDY_COLUMNS


def write_report(
    findings: Findings, folder: str | Path, about: About | None = None, answers: AnswerBook | None = None
) -> tuple[Path, ...]:
    """Write ``report.html``, ``report.md`` and the tables into the folder; returns their paths.

    With ``answers`` (``analysis.answers``) a cell of the page shows its items.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    about = about or About()
    sections = sections_of(findings)  # once: some of them take a while
    texts = {
        "report.html": html(findings, about, answers, sections),
        "report.md": markdown(findings, about, sections),
        "cells.csv": cells_csv(findings),
        **tables_csv(sections),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return tuple(folder / name for name in texts)


def cells_csv(findings: Findings) -> str:
    """One row per cell of the matrix."""
    return as_csv(TIDY_COLUMNS, ([row[name] for name in TIDY_COLUMNS] for row in findings.matrix.tidy()))
