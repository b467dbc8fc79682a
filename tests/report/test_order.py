"""The order of the page, what is folded, and how much is to be read before the folds."""

from __future__ import annotations

import re

import pytest

from crossgraft.analysis.findings import Findings, analyse
from crossgraft.report.about import About
from crossgraft.report.html import html
from crossgraft.report.page.cells import rounded
from crossgraft.report.sections import sections_of
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from pages import data_of, without_scripts

GRIDS = {
    "a strong effect": SyntheticGrid(models=3, tasks=3, languages=4, seeds=2, items=80, source=6.0, same_task=5.0),
    "a null": SyntheticGrid(models=2, tasks=3, languages=4, seeds=2, items=80),
    "one model": SyntheticGrid(models=1, tasks=3, languages=4, seeds=1, items=80, source=3.0),
}


@pytest.fixture(params=GRIDS, scope="module")
def findings(request: pytest.FixtureRequest) -> Findings:
    return analyse(GRIDS[request.param].matrix(seed=1))


def test_folded_sections_come_last(findings: Findings) -> None:
    folded = [section.folded for section in sections_of(findings)]

    assert folded == sorted(folded)
    assert 4 <= folded.count(False) <= 8


def test_the_matrix_comes_first_then_who_helps_then_what_to_train(findings: Findings) -> None:
    titles = [section.title for section in sections_of(findings)]

    wanted = ["Change on every target", "Who helps and who is harmed", "Gain against harm: what to train"]
    assert titles[:3] == wanted


def test_at_most_600_words_of_prose_come_before_the_folds(findings: Findings) -> None:
    page = without_scripts(html(findings, About()))
    before = page[page.index("<main>") : page.index('<h2 class="rest">')]

    prose = re.sub(r"<(table|svg|figure|details).*?</\1>|<[^>]*>", " ", before, flags=re.DOTALL)
    assert len(prose.split()) <= 600


def test_every_section_says_what_it_shows_in_one_sentence(findings: Findings) -> None:
    for section in sections_of(findings):
        assert section.shows, section.title
        assert len(section.shows.split()) <= 50


def test_a_cell_that_is_missing_is_missing_in_the_data_and_in_the_drawing() -> None:
    whole = GRIDS["one model"].matrix(seed=1)
    gone = next(iter(whole.cells))
    matrix = TransferMatrix(
        whole.rows, whole.columns, {place: cell for place, cell in whole.cells.items() if place != gone}
    )

    page = html(analyse(matrix), About())

    assert data_of(page)["grid"]["cells"]["change"][0] is None
    assert page.count('class="missing"') == 1


@pytest.mark.parametrize("value", [0.004, -0.004, 1e-6, -0.03, 0.0499])
def test_what_is_not_zero_is_not_zero_in_the_data(value: float) -> None:
    shown = rounded(value)

    assert shown is not None
    assert shown * value > 0
