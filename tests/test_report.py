from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.wording import signed
from crossgraft.core import Point, Treatment
from crossgraft.report.about import About
from crossgraft.report.html import html
from crossgraft.report.markdown import markdown
from crossgraft.report.write import write_report
from outcomes import BASE, answers, matrix_of, measured, trained
from pages import data_of, without_scripts


@pytest.fixture
def findings() -> Findings:
    other = Point("b", "de")
    return analyse(
        Evidence(
            matrix_of(
                measured(BASE, answers([0, 0, 1, 1] * 5)),
                measured(trained(), answers([1, 1, 1, 0] * 5)),
                measured(BASE, answers([1, 1, 1, 1] * 5), other),
                measured(trained(), answers([0, 0, 1, 1] * 5), other),
            ),
            "a study",
        )
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in {"meta", "br", "link", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_no_other_file(findings: Findings) -> None:
    page = html(findings, About())

    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not tags.seen & {"link", "img", "iframe"}
    assert not re.search(r"https?://|src=", without_scripts(page))
    assert not re.search(r"<script[^>]*src|fetch\(|https?://", page)


def test_every_number_of_the_heatmap_has_its_interval_and_n(findings: Findings) -> None:
    page = html(findings, About())

    for cell in findings.matrix.cells.values():
        assert f"n={cell.change.n}" in page
        assert f"[{signed(cell.change.low)}, {signed(cell.change.high)}] n=20" in page


def test_the_data_of_the_page_has_every_cell_as_it_is_written(findings: Findings) -> None:
    cells = data_of(html(findings, About()))["grid"]["cells"]

    for number, cell in enumerate(findings.matrix.cells.values()):
        assert signed(cells["change"][number]) == signed(cell.change.mean)
        assert signed(cells["low"][number]) == signed(cell.change.low)
        assert cells["n"][number] == cell.change.n


def test_every_table_of_the_page_downloads_as_its_csv_file(findings: Findings, tmp_path: Path) -> None:
    data = data_of(html(findings, About()))
    write_report(findings, tmp_path)

    assert data["files"]
    for name, text in data["files"].items():
        assert text == (tmp_path / name).read_text("utf-8")
    assert {table["file"] for table in data["tables"]} <= set(data["files"])


def test_what_comes_from_the_data_is_escaped() -> None:
    evil = Treatment("<script>alert(1)</script>", "a/en", "trained", Point("a", "en"), (), 1)
    base = Treatment(evil.model, "base", "control")
    findings = analyse(
        Evidence(matrix_of(measured(base, answers([0, 1])), measured(evil, answers([1, 1]))), "<b>study</b>")
    )

    assert "<script>" not in without_scripts(html(findings, About(spec="<script>")))
    assert "<script>" not in markdown(findings, About())


def test_what_is_missing_is_listed() -> None:
    job, _ = measured(trained(), answers([1]), Point("c", "fr"))
    matrix = matrix_of(measured(BASE, answers([0, 1])), measured(trained(), answers([1, 1])))
    findings = analyse(replace(matrix, gaps=matrix_of((job, measured(trained(), answers([1]))[1])).gaps))

    assert "not measured yet" in html(findings, About())
    assert "not measured yet" in markdown(findings, About())


def test_the_csv_has_full_precision(findings: Findings, tmp_path: Path) -> None:
    write_report(findings, tmp_path)

    rows = list(csv.DictReader(io.StringIO((tmp_path / "cells.csv").read_text())))
    cell = next(iter(findings.matrix.cells.values()))
    assert float(rows[0]["low"]) == cell.change.low
    assert rows[0]["regime"] == "MT-CL"


def test_the_report_of_an_empty_study_can_be_written(tmp_path: Path) -> None:
    job, _ = measured(trained(), answers([1]))
    from crossgraft.transfer.matrix import TransferMatrix

    files = write_report(analyse(Evidence(TransferMatrix.from_records([job], []), "empty")), tmp_path)

    assert "Nothing can be compared yet" in files[0].read_text()
    assert "nan" not in without_scripts(files[0].read_text()).lower().replace("financ", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "+0.2"), (-12.34, "-12.3"), (0.0, "0"), (-1.85e-15, "0"), (0.03, "+0.03"), (-0.004, "≈0")],
)
def test_what_is_not_zero_never_reads_as_zero(value: float, text: str) -> None:
    assert signed(value) == text


def test_findings_and_matrices_are_drawn_in_a_notebook(findings: Findings) -> None:
    page = findings._repr_html_()

    assert page.startswith(f"<p>{findings.sentences[0]}</p>".replace("'", "&#39;"))
    assert page.count("<tr>") == 1 + len(findings.matrix.rows)
    cell = next(iter(findings.matrix.cells.values()))
    assert f"{cell.change.mean:+.1f}</td>" in page


def test_names_cannot_act_in_a_notebook() -> None:
    evil = Treatment("<script>alert(1)</script>", "a/en", "trained", Point("a", "en"), (), 1)
    base = Treatment(evil.model, "base", "control")

    assert "<script>" not in matrix_of(measured(base, answers([0, 1])), measured(evil, answers([1, 1])))._repr_html_()
