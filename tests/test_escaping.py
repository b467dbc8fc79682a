"""Names and texts of strangers command no terminal, compute in no spreadsheet, and turn no sentence round."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.external.score_table import read_table
from crossgraft.analysis.findings import analyse
from crossgraft.cli import main
from crossgraft.report.about import About
from crossgraft.report.html import html
from crossgraft.report.markdown import markdown
from crossgraft.report.write import cells_csv
from crossgraft.safety.escaping import in_csv, in_markdown, visible

HOSTILE = "=cmd|' /C calc'!A0\x1b]0;owned\x07\u202eolleh<img src=x onerror=alert(1)>"


def hostile_findings(folder: Path):  # type: ignore[no-untyped-def]
    rows = [["model", "source", "target", "score", "base"], [HOSTILE, "a/en", "a/de", "0.6", "0.5"]]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    (folder / "scores.csv").write_text(text.getvalue(), "utf-8")
    return analyse(Evidence(read_table(folder / "scores.csv"), f"scores {HOSTILE}"))


@pytest.mark.parametrize("character", ["\x1b", "\x07", "\r", "\x9b", "\x7f", "\u202e", "\u2066", "\udcff"])
def test_what_acts_without_being_seen_is_written_out(character: str) -> None:
    assert visible(f"a{character}b\n") == f"a\\u{ord(character):04x}b\n"


def test_json_stays_json_when_its_control_characters_are_written_out() -> None:
    assert json.loads(visible(json.dumps({"name": "a\x9b\u202e"}, ensure_ascii=False))) == {"name": "a\x9b\u202e"}


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "-1+2"])
def test_a_formula_in_a_csv_is_a_text(text: str) -> None:
    assert in_csv(text) == f"'{text}"


@pytest.mark.parametrize("value", [-0.5, 3, None, "-0.5", "+1e3", "de", ""])
def test_numbers_and_plain_texts_in_a_csv_stay(value: object) -> None:
    assert in_csv(value) == value


def test_a_text_in_markdown_stays_in_its_cell() -> None:
    assert in_markdown("a|b\n<b>![x](y)") == "a\\|b &lt;b>![x]\\(y)"


def test_a_hostile_name_acts_in_no_report(tmp_path: Path) -> None:
    findings = hostile_findings(tmp_path)
    pages = [html(findings, About(spec=f"name = '{HOSTILE}'")), markdown(findings, About())]

    for page in pages:
        assert "<img" not in page
        assert not {"\x1b", "\x07", "\u202e"} & set(page)
    cells = list(csv.DictReader(io.StringIO(cells_csv(findings))))
    assert cells[0]["model"].startswith("'=cmd")
    assert float(cells[0]["change"]) > 0


def test_a_hostile_name_acts_on_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile_findings(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["crossgraft", "read", "scores.csv"])
    with pytest.raises(SystemExit):
        main()
    monkeypatch.setattr("sys.argv", ["crossgraft", "read", f"{HOSTILE}.csv"])
    with pytest.raises(SystemExit):
        main()
    monkeypatch.setattr("sys.argv", ["crossgraft", "read", "scores.csv", f"--{HOSTILE}"])
    with pytest.raises(SystemExit):
        main()

    printed = "".join(capsys.readouterr())

    assert "\\u001b]0;owned\\u0007\\u202e" in printed
    assert not {"\x1b", "\x07", "\u202e"} & set(printed)
