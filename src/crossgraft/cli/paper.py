"""What a paper takes from a report: tables as LaTeX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from crossgraft.analysis.findings import Findings

LATEX = click.option("--latex", is_flag=True, help="Write the tables as LaTeX as well, into tables/ beside the report.")


@dataclass(frozen=True)
class Paper:
    """What is written beside the report."""

    latex: bool = False

    def write(self, findings: Findings, folder: Path) -> list[Path]:
        return self._tables(findings, folder / "tables") if self.latex else []

    def _tables(self, findings: Findings, folder: Path) -> list[Path]:
        from crossgraft.report.latex import tables_latex
        from crossgraft.report.sections import sections_of

        files = tables_latex(sections_of(findings))
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
        return [folder / name for name in files]


NO_PAPER = Paper()
