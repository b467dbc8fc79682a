"""The page in a real browser: nothing fails, every switch works by mouse and by keyboard, numbers equal the CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import CHROMIUM, Browser
from crossgraft.analysis.answers import AnswerBook, Answered, CellAnswers
from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.wording import signed
from crossgraft.core import Point, Treatment
from crossgraft.report.write import write_report
from crossgraft.transfer.synthetic import SyntheticGrid
from outcomes import answers, matrix_of, measured

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome is on the path"),
]
BOX = "document.querySelector('.box')"
PANEL = "document.querySelector('.panel').textContent"


@pytest.fixture(scope="module")
def findings() -> Findings:
    grid = SyntheticGrid(models=2, tasks=3, languages=5, seeds=2, items=60, source=3.0, task_pair=3.0)
    return analyse(Evidence(grid.matrix(seed=1), "a study"))


@pytest.fixture(scope="module")
def folder(findings: Findings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(findings, folder, answers=book(findings))
    return folder


def book(findings: Findings, text: str = "what is 1 + 1?") -> AnswerBook:
    cell = next(iter(findings.matrix.cells.values()))
    shown = CellAnswers((Answered("i0", 1, 0.0, 1.0, "three", "two"),), 4)
    return AnswerBook(
        "flips", {(cell.row, cell.target): shown}, len(findings.matrix.cells), {cell.target: {"i0": text}}
    )


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Browser]:
    browser.open(folder / "report.html")
    yield browser
    assert browser.errors == []


def choose(page: Browser, name: str, value: str) -> None:
    page.ask(
        f"(() => {{ const menu = document.querySelector('select[name={name}]'); menu.value = '{value}'; "
        "menu.dispatchEvent(new Event('change')); })()"
    )


def picture(page: Browser) -> Any:
    return page.ask("document.querySelector('.box canvas').toDataURL()")


def test_the_page_opens_without_an_error_or_a_request(page: Browser) -> None:
    assert page.ask("document.querySelectorAll('.box canvas').length") == 1
    assert page.ask("getComputedStyle(document.querySelector('.static')).display") == "none"


@pytest.mark.parametrize(
    ("name", "value"),
    [("model", "1"), ("shown", "seed1"), ("shown", "shrunk"), ("shown", "now"), ("shown", "base")]
    + [("order", order) for order in ("language", "family", "effect")],
)
def test_every_switch_changes_the_picture(page: Browser, name: str, value: str) -> None:
    before = picture(page)

    choose(page, name, value)

    assert picture(page) != before


def test_a_switch_works_by_keyboard(page: Browser) -> None:
    before = picture(page)
    page.ask("document.querySelector('select[name=model]').focus()")

    page.press("ArrowDown")

    page.wait("document.querySelector('select[name=model]').value === '1'")
    assert picture(page) != before


def test_a_cell_by_keyboard_has_the_numbers_of_the_csv(page: Browser, folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((folder / "cells.csv").read_text("utf-8"))))
    wide = page.ask("document.querySelectorAll('svg.matrix text[transform]').length") // 2
    page.ask(f"{BOX}.focus()")

    for row in rows[:wide]:  # the first treatment, from left to right
        told = page.ask(PANEL)
        low, high = (signed(float(row[end])) for end in ("low", "high"))
        assert f"{signed(float(row['change']))} pp [{low}, {high}]" in told
        assert f"n = {row['n']}, {row['seeds']} seeds" in told
        assert f"base {float(row['control']):.1%}".replace("%", " %") in told
        page.press("ArrowRight")


def test_enter_opens_the_cell_with_its_items_and_escape_closes_it(page: Browser, findings: Findings) -> None:
    cell = next(iter(findings.matrix.cells.values()))
    page.ask(f"{BOX}.focus()")

    page.press("Enter")

    page.wait("document.querySelectorAll('dialog .item').length > 0")
    opened = page.ask("document.querySelector('dialog').textContent")
    assert f"{signed(cell.change.mean)} pp" in opened
    assert "seed 2" in opened
    assert "what is 1 + 1?" in opened
    assert "base: three" in opened
    assert "now: two" in opened
    assert "4 more are left out" in opened
    page.press("Escape")
    page.wait("!document.querySelector('dialog')")


def test_a_click_opens_the_cell_it_is_on(page: Browser) -> None:
    x, y = page.middle(".box")

    page.click(x, y)

    page.wait("!!document.querySelector('dialog[open]')")
    title = page.ask("document.querySelector('dialog h3').textContent")
    assert page.ask(PANEL).startswith(title)


def test_columns_sort_both_ways_with_missing_values_last(page: Browser) -> None:
    column = "[...document.querySelectorAll('table.harm tbody tr')].map((row) => parseFloat(row.cells[2].textContent))"
    head = "document.querySelectorAll('table.harm th button')[2].click()"
    page.ask(head)
    rising = page.ask(column)
    page.ask(head)

    assert rising == sorted(rising)
    assert page.ask(column) == sorted(rising, reverse=True)


def test_a_filter_leaves_the_rows_that_have_its_words(page: Browser) -> None:
    page.ask(
        "(() => { const filter = document.querySelector('table.harm').closest('.table').querySelector('input'); window.holder = filter.closest('.table'); "
        "filter.value = 'task1 model0'; filter.dispatchEvent(new Event('input')); })()"
    )

    shown = page.ask(
        "[...holder.querySelectorAll('tbody tr')].filter((row) => !row.hidden).map((row) => row.textContent)"
    )
    assert shown
    assert all("task1" in row and "model0" in row for row in shown)


def test_a_table_saves_the_csv_file(page: Browser, folder: Path) -> None:
    page.ask(
        "window.saved = []; const made = URL.createObjectURL; URL.createObjectURL = (blob) => { saved.push(blob); return made(blob); };"
    )

    page.ask("document.querySelector('table.first').closest('.table').querySelector('.tools button').click()")

    assert page.ask("saved[0].text()") == (folder / "first.csv").read_text("utf-8")


def test_the_theme_changes_by_a_button(page: Browser) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    before, drawn = page.ask(paper), picture(page)

    page.ask("document.querySelector('#theme').click()")

    assert page.ask(paper) != before
    assert picture(page) != drawn


def test_a_print_is_on_white_paper_with_every_matrix_drawn(page: Browser) -> None:
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.call("Emulation.setEmulatedMedia", media="print", features=dark)

    assert page.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    shown = (
        "[...document.querySelectorAll('svg.matrix')].filter((one) => one.getBoundingClientRect().height > 0).length"
    )
    assert page.ask(shown) == 2


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_no_wider_than_the_window(browser: Browser, folder: Path, width: int) -> None:
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    browser.open(folder / "report.html")
    browser.ask("document.querySelectorAll('details').forEach((one) => (one.open = true))")

    assert browser.ask("document.documentElement.scrollWidth") <= width


def test_nothing_of_a_hostile_study_acts_or_breaks_the_page(browser: Browser, tmp_path: Path) -> None:
    evil = (
        "</script><script>window.acted = 1</script><img src=x onerror=window.acted=1>\"'`\u202e${1}{{ 7 * 7 }}"
        + "x" * 10_000
    )
    source = Point(f"{evil[:80]}", "en")
    base, row = Treatment(evil, "base", "control"), Treatment(evil, evil, "trained", source, (), 1)
    pairs = [measured(base, answers([0, 1] * 9), source), measured(row, answers([1, 1] * 9), source)]
    findings = analyse(Evidence(matrix_of(*pairs), evil, notes=[evil]))
    write_report(findings, tmp_path / "report", answers=book(findings, evil))

    browser.open(tmp_path / "report/report.html")
    browser.ask("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    browser.ask(f"{BOX}.focus()")
    browser.press("Enter")

    browser.wait("!!document.querySelector('dialog[open]')")
    assert browser.ask("window.acted === undefined")
    assert browser.ask("document.documentElement.scrollWidth") <= 1280
    assert browser.errors == []


def test_without_a_script_sentences_matrix_and_tables_are_there(browser: Browser, folder: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.call("Page.navigate", url=(folder / "report.html").as_uri())
    browser.wait("document.querySelectorAll('footer').length === 1")

    assert browser.ask("document.querySelector('svg.matrix').getBoundingClientRect().height > 100")
    assert browser.ask("document.querySelectorAll('table.first tbody tr').length > 3")
