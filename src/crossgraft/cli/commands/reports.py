"""``report`` and ``read``: pages and tables from a store, and from scores measured elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossgraft.cli.commands.paper import NO_PAPER, Paper, Written
from crossgraft.cli.commands.paper import paper as paper_options
from crossgraft.cli.options import AS_JSON, OUT, overrides, study_of
from crossgraft.cli.printing import echo, print_table
from crossgraft.cli.watching import changes, progress
from crossgraft.errors import StoreError
from crossgraft.safety.files import safe_name, why

if TYPE_CHECKING:
    from crossgraft.analysis.answers import AnswerBook, Which
    from crossgraft.analysis.findings import Findings
    from crossgraft.report.about import About


@dataclass(frozen=True)
class Report:
    """What a report is written from, and where; ``answers`` are the items that its page shows."""

    findings: Findings
    about: About
    folder: Path
    answers: AnswerBook | None = None

    def write(self, paper: Paper) -> tuple[Sequence[Path], Written]:
        from crossgraft.report.write import write_report

        try:
            files = write_report(self.findings, self.folder, self.about, self.answers)
            return files, paper.write(self.findings, self.folder)
        except OSError as error:
            raise StoreError(f"cannot write the report: {why(error)}; --to names another folder") from error

    def show(self, *, as_json: bool, cells: bool = False, paper: Paper = NO_PAPER) -> None:
        """Write it, and print its sentences with the first table, or with all cells."""
        files, beside = self.write(paper)
        if as_json:
            names = [str(file) for file in (*files, *beside.files)]
            echo(
                json.dumps({"sentences": self.findings.sentences, "files": names, "notes": beside.sentences}, indent=1)
            )
        else:
            _print(self.findings, cells=cells)
            echo("\n".join(["", *beside.sentences, f"open {files[0]}"]))


@click.command(short_help="Write the report of a study.")
@click.argument("study", default="")
@OUT
@overrides
@click.option("--to", type=click.Path(path_type=Path), help="Folder for the report.  [default: OUT/reports/STUDY]")
@click.option(
    "--items",
    type=click.Choice(["none", "flips", "all"]),
    default="flips",
    show_default=True,
    help="Items that a cell of the page shows with both answers: none, those that changed, or all.",
)
@paper_options
@click.option("--watch", is_flag=True, help="Write the report anew whenever records land, until Ctrl-C.")
@AS_JSON
def report(
    study: str,
    out: Path,
    sets: tuple[str, ...],
    limit: int | None,
    to: Path | None,
    items: Which,
    paper: Paper,
    watch: bool,
    as_json: bool,
) -> None:
    """Write the report of STUDY: a spec file, or the name of a study in the store.

    One HTML page, the same as Markdown, and the tables as CSV.
    """
    from crossgraft.runs.campaign import title

    paper.require()
    name = title(study_of(Path(study), sets, limit)) if study.endswith(".toml") else study
    if not watch:
        report_of(name, out, to, items).show(as_json=as_json, paper=paper)
        return
    if as_json:
        raise click.UsageError("expected --watch or --json; both came: --json prints one report, --watch never ends")
    echo("watching the store; Ctrl-C ends it")
    for _ in changes(out):
        current = report_of(name, out, to, items)
        echo(f"{progress(current.findings)}: wrote {current.write(paper)[0][0]}")


@click.command(short_help="Report results that were measured elsewhere.")
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=NAME",
    help="Where TABLE has what, such as score=acc_norm or source=train_task/train_language; repeatable.",
)
@click.option("--to", type=click.Path(path_type=Path), help="Folder for the report.  [default: reports/TABLE]")
@paper_options
@AS_JSON
def read(table: Path, columns: tuple[str, ...], to: Path | None, paper: Paper, as_json: bool) -> None:
    """Write the report of a TABLE of items or of scores that were measured elsewhere.

    With a row per item (columns model, treatment, target, item, score; also seed, source, group, chance) TABLE is a CSV or
    Parquet file, and the report is that of a study. The base is where the treatment is empty or "base".

    Of scores TABLE is a CSV with a line a cell (columns model, source, target, score, base; also seed, or sd and seeds, and n),
    or with a column a target, named like xnli/sw; or the table that the authors of "Donors and Recipients" released.
    Scores are shares from 0 to 1. Give the number of items behind a score (--column items=400): without it nothing can be
    called significant. Without outcomes of items some things cannot be said; the report says which.
    """
    from crossgraft.analysis.external.outcomes import read_findings
    from crossgraft.report.about import About

    paper.require()
    folder = to or Path("reports") / safe_name(table.stem)
    Report(read_findings(table, columns), About(), folder).show(as_json=as_json, paper=paper)


def report_of(name: str, out: Path, to: Path | None, items: Which = "flips") -> Report:
    """The report of a study in the store."""
    from datetime import UTC, datetime
    from importlib.metadata import version

    from crossgraft.analysis.answers import answer_book
    from crossgraft.analysis.results import load_findings, require_study
    from crossgraft.report.about import About
    from crossgraft.runs.storage.store import Store

    store = Store(out)
    manifest = require_study(store, name)
    findings = load_findings(store, manifest.name)
    versions = {package: version(package) for package in ("crossgraft", "numpy")}
    about = About(manifest.spec, manifest.overrides, versions, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    folder = to or out / "reports" / safe_name(manifest.name)
    return Report(findings, about, folder, answer_book(store, findings.matrix, items))


def print_base_scores(name: str, out: Path, *, as_json: bool) -> None:
    """The scores of a study's base, where there is nothing to compare it with."""
    from crossgraft.analysis.questions.base.scores import base_scores
    from crossgraft.runs.storage.store import Store

    scores = list(base_scores(Store(out), name))
    if as_json:
        entries = [{"target": str(score.target), "metric": score.metric.name, "value": score.value, "low": score.low,
                 "high": score.high, "n": score.n, "chance": score.chance} for score in scores]  # fmt: skip
        echo(json.dumps(entries, indent=1))
        return
    header = ("target", "metric", "score", "95 % interval", "n", "chance", "verdict")
    print_table(header, (score.texts for score in scores))


def _print(findings: Findings, *, cells: bool = False) -> None:
    from crossgraft.core import REGIME_WORDS
    from crossgraft.report.section import counted, estimate, short
    from crossgraft.report.sections.answer import first, matrices

    echo("\n".join(findings.sentences))
    if not cells:
        for table in (table for section in first.sections(findings) for table in section.tables):
            print_table(table.titles, (tuple(map(short, row)) for row in table.shown))
        return
    print_table(matrices.CELL_TITLES, matrices.cell_lines(findings))
    for check in findings.evidence.checks:
        if check.name == "near-ties":
            echo(f"{check.name}: {check.saw}")
    shared = [regime for regime in findings.regimes if regime.regime in REGIME_WORDS]
    rows = ((one.words, short(estimate(one.estimate)), counted(one.estimate)) for one in shared)
    print_table(("targets", "mean change (pp)", "cells"), rows)
