"""Findings as files to read and to send: one HTML page, Markdown, and the tables as CSV."""

from __future__ import annotations

from pathlib import Path

from crossgraft.analysis.findings import Findings
from crossgraft.report.bli import comparisons_csv, means_csv, pairs_csv
from crossgraft.report.html import html
from crossgraft.report.markdown import markdown
from crossgraft.report.roles import roles_csv, shrunken_csv
from crossgraft.report.second import consistency_csv, variance_csv
from crossgraft.report.tables import (
    axes_csv,
    cells_csv,
    contrasts_csv,
    gaps_csv,
    harm_csv,
    recipients_csv,
    regimes_csv,
    training_csv,
)
from crossgraft.report.view import About


def write_report(findings: Findings, folder: str | Path, about: About | None = None) -> tuple[Path, ...]:
    """Write ``report.html``, ``report.md`` and the tables into the folder; returns their paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    about = about or About()
    texts = {
        "report.html": html(findings, about),
        "report.md": markdown(findings, about),
        "cells.csv": cells_csv(findings),
        "regimes.csv": regimes_csv(findings),
        **({"variance.csv": variance_csv(findings)} if findings.variance else {}),
        **({"consistency.csv": consistency_csv(findings)} if findings.consistency else {}),
        **({"contrasts.csv": contrasts_csv(findings)} if findings.contrasts else {}),
        **({"harm.csv": harm_csv(findings)} if findings.treatment_harm else {}),
        **({"recipients.csv": recipients_csv(findings)} if findings.treatment_harm else {}),
        **({"roles.csv": roles_csv(findings)} if findings.roles else {}),
        **({"shrunken.csv": shrunken_csv(findings)} if findings.two_way else {}),
        **({"axes.csv": axes_csv(findings)} if findings.axes else {}),
        **({"training.csv": training_csv(findings)} if findings.training else {}),
        **(
            {
                "bli.csv": means_csv(findings),
                "bli-comparisons.csv": comparisons_csv(findings),
                "bli-pairs.csv": pairs_csv(findings),
            }
            if findings.bli
            else {}
        ),
        "missing.csv": gaps_csv(findings),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return tuple(folder / name for name in texts)
