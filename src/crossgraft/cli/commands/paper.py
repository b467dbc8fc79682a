"""What a paper takes from a report: tables as LaTeX, and figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import click

from crossgraft.errors import MissingExtra

if TYPE_CHECKING:
    from crossgraft.analysis.findings import Findings

F = TypeVar("F", bound=Callable[..., Any])


def paper(command: F) -> F:
    """The options for what a paper takes, as one ``Paper``."""

    @wraps(command)
    def with_paper(*, latex: bool, figures: bool, figure_width: str, **arguments: Any) -> Any:
        return command(paper=Paper(latex, figures, 1 if figure_width == "1" else 2), **arguments)

    options = (
        click.option("--latex", is_flag=True, help="Write the tables as LaTeX as well, into tables/ beside the report."),
        click.option("--figures", is_flag=True, help="Draw figures for a paper as well, into figures/ beside the report."),
        click.option(
            "--figure-width", type=click.Choice(["1", "2"]), default="2", show_default=True, help="Width of figures, in columns of a paper."
        ),
    )  # fmt: skip
    for option in reversed(options):
        with_paper = option(with_paper)
    return cast(F, with_paper)


@dataclass(frozen=True)
class Paper:
    """What is written beside the report."""

    latex: bool = False
    figures: bool = False
    columns: Literal[1, 2] = 2

    def require(self) -> None:
        """Say which extra is missing, before anything is computed."""
        if self.figures and find_spec("matplotlib") is None:
            raise MissingExtra("report --figures", "figures")

    def write(self, findings: Findings, folder: Path) -> Written:
        files: list[Path] = []
        sentences: list[str] = []
        if self.latex:
            tables = _tables(findings)
            files += _save(tables, folder / "tables")
            sentences += _engine(tables)
        if self.figures:
            from crossgraft.report.figures.write import write_figures

            drawn = write_figures(findings, folder / "figures", self.columns)
            files += drawn.files
            sentences += drawn.sentences
        return Written(files, list(dict.fromkeys(sentences)))


def _tables(findings: Findings) -> dict[str, str]:
    from crossgraft.report.latex.tables import tables_latex
    from crossgraft.report.sections import sections_of

    return tables_latex(sections_of(findings))


def _save(files: dict[str, str], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in files]


def _engine(files: dict[str, str]) -> list[str]:
    from crossgraft.report.latex.text import engine_sentence, scripts_of

    sentence = engine_sentence(scripts_of(files.values()))
    return [sentence] if sentence else []


@dataclass(frozen=True)
class Written:
    """The files, and in sentences what could not be done."""

    files: list[Path]
    sentences: list[str]


NO_PAPER = Paper()
