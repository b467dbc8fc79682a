"""Tables for papers: every row has the columns that the table declares, and no text acts as a command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crossgraft.analysis.findings import analyse
from crossgraft.analysis.results import load_findings
from crossgraft.core import Point, Treatment
from crossgraft.report.latex.tables import tables_latex
from crossgraft.report.section import Interval, Number, Section, Table, columns
from crossgraft.report.sections import sections_of
from crossgraft.runs.campaign import run as run_study
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.transfer.synthetic import SyntheticGrid
from outcomes import answers, matrix_of, measured

HOSTILE = r"50% & \input{x} #1 $x$ a_b ~^ <b>|*"
FINDINGS = analyse(SyntheticGrid(models=2, tasks=2, languages=3, items=80, same_task=6, source=3).matrix(1))


def one_table(*rows: tuple[object, ...], leaders: tuple[int, ...] = ()) -> str:
    titles = [f"c{n}" for n in range(len(rows[0]))]
    table = Table("t", columns(*titles), rows, leaders=leaders)  # type: ignore[arg-type]
    return tables_latex([Section("T", (table,))])["t.tex"]


def declared(text: str) -> int:
    """How many columns the table says it has."""
    spec = re.search(r"\\begin\{(?:tabular|longtable)\}\{(.*)\}", text)
    assert spec
    return len(re.sub(r"\[[^]]*\]|>\{[^}]*\}|\{[^}]*\}", "", spec[1]))


def rows(text: str) -> list[str]:
    inside = text.split(r"\toprule", 1)[1].split(r"\bottomrule")[0]
    return [line for line in inside.splitlines() if line.endswith(r"\\")]


def width(row: str) -> int:
    spans = [int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d)\}", row)]
    return len(re.findall(r"(?<!\\)&", row)) + 1 + sum(spans)


def unbalanced(text: str) -> bool:
    bare = re.sub(r"\\\\|\\[{}]", "", text)
    return bare.count("{") != bare.count("}")


@pytest.mark.parametrize("name", sorted(tables_latex(sections_of(FINDINGS))))
def test_every_row_has_the_columns_that_are_declared(name: str) -> None:
    text = tables_latex(sections_of(FINDINGS))[name]

    assert not unbalanced(text)
    if name not in ("preamble.tex", "all.tex"):
        assert rows(text)
        assert {width(row) for row in rows(text)} == {declared(text)}


def test_no_text_is_a_command() -> None:
    row = rows(one_table((HOSTILE, "b")))[1]

    assert row == (
        r"50\% \& \textbackslash{}input\{x\} \#1 \$x\$ a\_b \textasciitilde{}\textasciicircum{} "
        r"\textless{}b\textgreater{}\textbar{}{*} & b \\"
    )


def test_a_hostile_study_has_the_columns_it_declares() -> None:
    target = Point(HOSTILE, "de")
    pairs = [
        measured(Treatment(HOSTILE, "base", "control"), answers([0, 1] * 20), target),
        measured(Treatment(HOSTILE, "[x]\n\\end{table}", "given"), answers([1, 1] * 20), target),
    ]
    for text in tables_latex(sections_of(analyse(matrix_of(*pairs)))).values():
        assert not unbalanced(text)
        if "toprule" in text:
            assert {width(row) for row in rows(text)} == {declared(text)}


def test_numbers_stand_at_their_point_and_intervals_beside_them() -> None:
    text = one_table(("a", Interval(1.25, -10.0, 2.0)), ("b", Interval(-12.5, -20.0, -1.0)), ("c", Interval(None)))

    assert r"{lS[table-format=+2.1,retain-explicit-plus]l}" in text
    assert rows(text)[1:] == [
        r"a & +1.2 & {[}$-$10.0, +2.0{]} \\",
        r"b & -12.5 & {[}$-$20.0, $-$1.0{]} \\",
        r"c & {–} &  \\",
    ]


def test_the_best_is_bold_and_what_does_not_differ_has_a_dagger() -> None:
    values = [(name, Number(value, f"{value:.1f}")) for name, value in (("a", 0.9), ("b", 0.8), ("c", 0.1))]
    text = one_table(*values, leaders=(0, 1))

    assert rows(text)[1:] == [r"\textbf{a} & \bfseries 0.9 \\", r"b$^\dagger$ & 0.8 \\", r"c & 0.1 \\"]
    assert "Dagger: not significantly different from the best" in text


def test_clear_cells_of_a_matrix_are_bold() -> None:
    text = one_table(("a", Number(3.0, "**+3.0**")), ("b", Number(0.1, "+0.1")))

    assert rows(text)[1:] == [r"a & \bfseries +3.0 \\", r"b & +0.1 \\"]
    assert "Bold: the interval excludes zero" in text


def test_the_matrix_of_a_study_has_bold_cells_and_no_marks_of_markdown() -> None:
    text = tables_latex(sections_of(FINDINGS))["matrix-1.tex"]

    assert r"\bfseries" in text
    assert "{*}" not in text


def test_a_long_table_goes_over_pages_under_one_number() -> None:
    text = one_table(*((str(n), Number(n, str(n))) for n in range(60)))

    assert text.count(r"\begin{table}") == 2
    assert text.count(r"\label") == text.count(r"\addtocounter{table}{-1}") == text.count("(continued)") == 1
    assert all(f"\n{n} & {n} " in text for n in range(60))


def test_a_wide_table_takes_both_columns_and_a_wider_one_is_set_on_its_side() -> None:
    def width(columns: int) -> str:
        return one_table(tuple(f"a text of {n:>10}" for n in range(columns)))

    assert r"\begin{table}" in width(2)
    assert r"\begin{table*}" in width(5)
    assert r"\begin{sidewaystable*}" in width(12)


def test_a_long_text_and_a_long_title_go_over_lines() -> None:
    table = Table("t", columns("a title of several words", "b"), ((Number(1.0, "1.0"), "word " * 20),))
    text = tables_latex([Section("T", (table,))])["t.tex"]

    assert r"{\shortstack{a title of\\several\\words}}" in text
    assert r"\raggedright" in text


def test_long_names_of_many_columns_of_numbers_stand_on_their_side() -> None:
    table = Table("t", columns("a", *(f"a-long-task/l{n}" for n in range(9))), (("x", *[Number(1.0, "1.0")] * 9),))

    assert tables_latex([Section("T", (table,))])["t.tex"].count(r"\rotatebox{90}") == 9


def test_methods_are_marked_by_their_paired_test(embedding_spec: Path, tmp_path: Path) -> None:
    """The table has the marks that the test gives, whatever these are."""
    store = Store(tmp_path / "runs")
    run_study(load_study(embedding_spec, ['methods.use=["procrustes", "cca"]', "lexicon.sizes=[60]"]), store)
    findings = load_findings(store)
    text = tables_latex(sections_of(findings))["bli.tex"]

    (bli,) = findings.evidence.bli
    assert bli.against_best
    assert text.count(r"$^\dagger$") == len(bli.tied)
    assert rf"\textbf{{{bli.rows[0].row.label}}}" in text


@pytest.mark.parametrize("name", ["treatments", "roles-1"])
def test_a_table_without_a_test_of_the_best_says_so(name: str) -> None:
    text = tables_latex(sections_of(FINDINGS))[f"{name}.tex"]

    assert "No test compares" in text
    assert r"^\dagger" not in text
