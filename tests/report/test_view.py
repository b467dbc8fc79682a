"""What is chosen on the page is in its address: a reload keeps it, and a link shows a colleague the same view."""

from __future__ import annotations

from pathlib import Path

import pytest

from chromium import CHROMIUM, Browser
from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import analyse
from crossgraft.report.write import write_report
from crossgraft.transfer.synthetic import SyntheticGrid

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome is on the path"),
]
STATE = (
    "[...document.querySelectorAll('select')].map((menu) => menu.value).concat(document.querySelector('.box canvas').toDataURL(), "
    "[...document.querySelectorAll('tbody tr')].filter((row) => !row.hidden).map((row) => row.textContent), "
    "[...document.querySelectorAll('input')].map((input) => input.value))"
)
CHOOSE = """(() => {
  const chosen = { model: '1', shown: 'seed1', order: 'effect' };
  for (const [name, value] of Object.entries(chosen)) {
    const menu = document.querySelector(`select[name=${name}]`);
    menu.value = value;
    menu.dispatchEvent(new Event('change'));
  }
  const table = document.querySelector('table.harm'), filter = table.closest('.table').querySelector('input');
  filter.value = 'task1 model0';
  filter.dispatchEvent(new Event('input'));
  for (const _ of [1, 2]) table.querySelectorAll('th button')[2].click();
})()"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    grid = SyntheticGrid(models=2, tasks=3, languages=5, seeds=2, items=60, source=3.0, task_pair=3.0)
    write_report(analyse(Evidence(grid.matrix(seed=1), "a study")), folder)
    return folder / "report.html"


def test_a_reload_keeps_switches_sorting_and_filters(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.ask(CHOOSE)
    chosen = browser.ask(STATE)

    browser.ask("document.documentElement.dataset.ready = ''")
    browser.call("Page.reload")
    browser.ready()

    assert browser.ask(STATE) == chosen
    assert browser.errors == []


def test_a_link_shows_the_same_view(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.ask(CHOOSE)
    chosen, link = browser.ask(STATE), browser.ask("location.hash")

    browser.open(report, link)

    assert browser.ask(STATE) == chosen


@pytest.mark.parametrize("fragment", ["#model=gone&shown=%00&sort0=99&filter1=zzz&sort2=x", "#%E0%A4%A", "#<script>"])
def test_a_link_to_another_report_shows_the_page(browser: Browser, report: Path, fragment: str) -> None:
    browser.open(report, fragment)

    assert browser.ask("document.querySelector('select[name=model]').value") == "0"
    assert browser.errors == []


def test_a_fresh_page_has_nothing_in_its_address(browser: Browser, report: Path) -> None:
    browser.open(report)

    assert browser.ask("location.hash") == ""
