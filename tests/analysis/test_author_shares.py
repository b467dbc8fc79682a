"""Shares of variance the authors' way and ours: the nested fit counts interactions as main effects, and says so."""

from __future__ import annotations

import pytest

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import analyse
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.paper.author_shares import shares_side_by_side
from crossgraft.analysis.questions.paper.authors import SideBySide
from crossgraft.analysis.questions.variance.components import Variance, VarianceFit, variance
from crossgraft.core import Labels
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=4, tasks=3, languages=3, items=300, seeds=2, target=1.5, model_target=2)


@pytest.fixture(scope="module")
def fits() -> Variance:
    return variance(Draws(GRID.matrix(2)), Labels(), count=10)


@pytest.fixture(scope="module")
def rows(fits: Variance) -> dict[str, SideBySide]:
    return {row.what: row for row in shares_side_by_side(Draws(GRID.matrix(2)), Labels(), fits)}


def share(fit: VarianceFit | None, *factors: str) -> float:
    assert fit is not None
    return 100 * sum(one.share for one in fit.shares if one.factor in factors)


def test_theirs_is_the_nested_share_and_ours_the_crossed_one(fits: Variance, rows: dict[str, SideBySide]) -> None:
    target = rows["share of variance: target, all transfer"]

    assert target.authors == pytest.approx(share(fits.nested, "model × target"))
    assert target.ours == pytest.approx(share(fits.crossed, "target", "target task", "target language"))


def test_the_row_says_how_much_of_it_is_the_interaction(fits: Variance, rows: dict[str, SideBySide]) -> None:
    target = rows["share of variance: target, all transfer"]
    interaction = share(fits.crossed, "model × target", "model × target task")

    assert target.authors is not None
    assert target.ours is not None
    assert target.authors > target.ours + interaction / 2 > target.ours + 10
    assert f"one model only is in it, {interaction:.0f} % by ours" in target.why


def test_theirs_adds_up_to_everything(rows: dict[str, SideBySide]) -> None:
    for over in ("all transfer", "same task, other languages", "other tasks, other languages"):
        own = [row.authors for what, row in rows.items() if what.endswith(over)]
        assert sum(value for value in own if value is not None) == pytest.approx(100)


def test_a_task_that_source_and_target_share_is_neither_s(rows: dict[str, SideBySide]) -> None:
    regime = "same task, other languages"
    parts = {name: rows[f"share of variance: {name}, {regime}"] for name in ("source", "target", "the task")}

    assert parts["source"].ours is not None
    assert parts["source"].ours < 10
    assert parts["the task"].authors is None
    assert "neither's" in parts["the task"].why


def test_a_regime_too_small_to_fit_has_a_row_that_says_so() -> None:
    draws = Draws(SyntheticGrid(models=2, tasks=2, languages=2, items=60, seeds=1).matrix(1))

    found = {row.what: row for row in shares_side_by_side(draws, Labels(), variance(draws, Labels(), count=10))}

    assert "it takes 12 cells" in found["shares of variance, other tasks, same language"].why


def test_they_stand_in_the_page_of_the_authors_figures() -> None:
    findings = analyse(
        Evidence(SyntheticGrid(models=2, tasks=2, languages=3, items=60, seeds=1).matrix(1), as_published=True)
    )

    assert any(row.what == "share of variance: target, all transfer" for row in findings.authors)
