"""Donors and recipients: planted orders, the paper's scheme, grids in which there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from crossgraft.analysis.external.scores import ScoreRow, matrix_of_scores
from crossgraft.analysis.findings import analyse
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.intervals.joint import Sums, joint
from crossgraft.analysis.questions.roles.asymmetry import asymmetries
from crossgraft.analysis.questions.roles.scores import IMMUNE, NEARLY, NOT_IMMUNE, NoRoles, Roles, coverage, roles
from crossgraft.analysis.questions.roles.two_way import two_way
from crossgraft.core import Point
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=2, tasks=3, languages=4, seeds=2, items=200)
POINTS = tuple(Point(task, lang) for task in ("a", "b", "c") for lang in ("de", "en", "hi"))


def scored(change: Callable[..., float], models: tuple[str, ...] = ("m",)) -> TransferMatrix:
    """A table of exact changes in points."""
    rows = [
        ScoreRow(0, model, source, target, 0.5, 0.5 + change(source, target) / 100)
        for model in models
        for source in POINTS
        for target in POINTS
    ]
    return matrix_of_scores(rows)


def of(matrix: TransferMatrix, kind: str, side: str) -> Roles:
    return next(one for one in roles(Draws(matrix)) if isinstance(one, Roles) and (one.of, one.side) == (kind, side))


def test_language_roles_come_from_the_same_task_and_task_roles_from_the_same_language() -> None:
    """What a cell of another regime does moves neither."""
    gives = {"de": 3.0, "en": 1.0, "hi": -1.0}
    gains = {"a": 0.5, "b": 2.0, "c": 4.0}

    def change(source: Point, target: Point) -> float:
        if source.regime(target) == "MT-CL":
            return gives[source.lang]
        return gains[source.task] if source.regime(target) == "CT-ML" else 9.0

    languages, tasks = (of(scored(change), kind, "donor") for kind in ("languages", "tasks"))
    assert {role.name: role.score.mean for role in languages.roles} == pytest.approx(gives)
    assert [role.name for role in languages.roles] == ["de", "en", "hi"]
    assert {role.name: role.score.mean for role in tasks.roles} == pytest.approx(gains)


def test_scores_are_means_over_models_and_not_over_cells() -> None:
    matrix = scored(lambda source, target: 1.0, ("m", "n"))
    lost = {place for place in matrix.cells if place[0].model == "n" and place[1].lang != "de"}
    cells = {
        place: replace(cell, change=replace(cell.change, mean=3.0)) if place[0].model == "n" else cell
        for place, cell in matrix.cells.items()
        if place not in lost
    }
    found = of(replace(matrix, cells=cells), "languages", "donor")

    en = next(role for role in found.roles if role.name == "en")
    assert (en.score.mean, en.by_model) == (pytest.approx(2.0), pytest.approx((1.0, 3.0)))
    assert en.low is None  # two models have one degree of freedom: their values say more than an interval


def test_a_planted_order_of_donors_is_found_with_its_probabilities() -> None:
    grid = replace(GRID, source_language=8.0, items=400, fragile=0.8)
    matrix, truth = grid.matrix(0), grid.truth(0)
    near = np.array([[s.regime(t) == "MT-CL" for t in grid.points] for s in grid.points] * grid.models)
    langs = np.array([point.lang for point in grid.points] * grid.models)
    planted = {lang: truth[near & (langs == lang)[:, None]].mean() for lang in set(langs)}
    found = of(matrix, "languages", "donor")

    assert [role.name for role in found.roles] == sorted(planted, key=lambda lang: -planted[lang])
    assert found.roles[0].first is not None
    assert found.roles[0].first > 0.9
    assert sum(role.first or 0 for role in found.roles) == pytest.approx(1)
    for role in found.roles:
        assert abs(role.score.mean - planted[role.name]) < 3 * role.score.error


def test_in_a_null_grid_the_first_donor_is_seldom_sure() -> None:
    """Nothing transfers: at most as many sure ones as chance allows, of 4 languages in each of 10 grids."""
    grid = replace(GRID, models=1, items=100)
    sure = 0
    for seed in range(10):
        sure += sum((role.first or 0) > 0.95 for role in of(grid.matrix(seed), "languages", "donor").roles)

    assert sure <= 2


def test_joint_draws_have_the_variance_that_seeds_add() -> None:
    draws = Draws(replace(GRID, seed=3.0, seeds=3).matrix(1))
    weights = np.zeros((3, len(draws.cells)))
    for weight, start in zip(weights, (0, 6, 40), strict=True):
        weight[start : start + 6] = 1 / 6
    sums = Sums(tuple(draws.cells), weights, weights > 0)
    found = joint(sums, draws)

    alone = np.stack([draws.sums(one) for one in sums], axis=1)
    by_seed = [draws.seeds(one) for one in sums]
    seeds = np.array([[one.covariance(other) for other in by_seed] for one in by_seed])
    assert np.cov(found.draws.T) == pytest.approx(np.cov(alone.T) + seeds, abs=0.15 * float(np.max(seeds)))
    assert found.points == pytest.approx([draws.contrast(one).mean for one in sums])


def test_an_unlucky_base_moves_recipients_and_no_donor_of_the_two_way_model() -> None:
    """All of a column gains five points; in the paper's scheme its own language's donors do not see that, the others do."""
    plain, lucky = (scored(lambda s, t, more=more: float(s.lang == "en") + more * (t == POINTS[0])) for more in (0, 5))
    points, takers, paper = (
        [{role.name: role.score.mean for role in of(matrix, kind, side).roles} for matrix in (plain, lucky)]
        for kind, side in (("points", "donor"), ("points", "recipient"), ("languages", "donor"))
    )

    assert points[1] == pytest.approx(points[0], abs=1e-9)
    assert takers[1][str(POINTS[0])] > takers[0][str(POINTS[0])] + 4
    assert paper[1]["de"] == pytest.approx(paper[0]["de"])
    assert paper[1]["en"] > paper[0]["en"] + 0.5


def test_scores_carry_the_remark_on_the_base() -> None:
    matrix = scored(lambda source, target: 1.0)
    remarks = [
        of(matrix, *one).remark for one in (("languages", "donor"), ("languages", "recipient"), ("points", "donor"))
    ]

    assert remarks == [NEARLY, NOT_IMMUNE, IMMUNE]


def test_scores_alone_have_roles_but_no_probability_of_ranks() -> None:
    found = of(scored(lambda source, target: 1.0 if source.lang == "de" else 0.0), "points", "donor")

    assert found.same_set is None
    assert found.roles[0].name.endswith("/de")
    assert found.roles[0].why.startswith("only scores are known")


def test_one_language_and_one_task_have_reasons_instead() -> None:
    language, task = (replace(GRID, **{name: 1}).matrix(1) for name in ("languages", "tasks"))

    missing = [[(one.of, one.why) for one in roles(Draws(m)) if isinstance(one, NoRoles)] for m in (language, task)]
    assert missing[0] == [("languages", "no cell has another language, and all else the same")]
    assert missing[1] == [("tasks", "no cell has another task, and all else the same")]


def test_one_source_is_no_donor_among_others() -> None:
    matrix = scored(lambda source, target: 1.0)
    cells = {place: cell for place, cell in matrix.cells.items() if place[0].source == POINTS[0]}
    found = roles(Draws(replace(matrix, cells=cells)))

    assert {getattr(one, "why", "") for one in found} == {"there is only one source"}


def test_a_model_with_as_many_effects_as_cells_explains_nothing() -> None:
    matrix = scored(lambda source, target: float(len(str(target)) + POINTS.index(target)))
    cells = {place: cell for place, cell in matrix.cells.items() if place[0].source == POINTS[0]}
    (found,) = two_way(Draws(replace(matrix, cells=cells)))

    assert found.explained is None
    assert "as many effects as there are cells" in found.why


def test_points_without_a_cell_between_them_are_not_ranked_together() -> None:
    """Each source has a target of its own: nothing tells a good donor from a good recipient."""
    rows = [ScoreRow(0, "m", Point("a", s), Point("b", s), 0.5, 0.6) for s in ("de", "en")]
    found = roles(Draws(matrix_of_scores(rows)))

    assert isinstance(found[-1], NoRoles)
    assert "blocks" in found[-1].why


def test_asymmetry_of_planted_matrices() -> None:
    order = {point: number for number, point in enumerate(POINTS)}

    def given_back(source: Point, target: Point) -> float:
        return float((order[source] * order[target]) % 7)

    (same,) = asymmetries(Draws(scored(given_back)))
    (opposite,) = asymmetries(Draws(scored(lambda s, t: float(order[s] - order[t]))))
    assert (same.raw, opposite.raw) == (pytest.approx(0), pytest.approx(1))
    assert (same.index, same.why) == (None, "the noise of some cells is not known")
    assert same.pairs == 36


def test_asymmetry_of_a_symmetric_truth_is_lower_without_noise() -> None:
    grid = replace(GRID, models=1, items=400, fragile=0.5)
    found = [next(iter(asymmetries(Draws(grid.matrix(seed))))) for seed in range(3)]

    assert all(one.raw is not None and one.raw > 0.1 for one in found)
    for one in found:
        assert one.low is None or one.low <= (one.index or 0.0) + 1e-9


def test_the_two_way_model_explains_what_is_additive_and_draws_cells_to_it() -> None:
    grid = replace(GRID, models=1, source=4.0, target=4.0, items=400, fragile=0.6)
    (found,) = two_way(Draws(grid.matrix(2)))
    truth = dict(zip([(r, t) for r in grid.rows(0) for t in grid.points], grid.truth(2).ravel(), strict=True))
    off = {
        name: np.mean([(getattr(one, name) - truth[one.cell.row, one.cell.target]) ** 2 for one in found.cells])
        for name in ("raw", "shrunken")
    }

    assert found.explained is not None
    assert found.explained > 0.7
    assert off["shrunken"] < off["raw"]
    assert found.low is not None
    assert found.correlation is not None
    assert found.low <= found.correlation


def test_coverage_counts_targets_that_are_surely_helped() -> None:
    grid = replace(GRID, models=1, same_task=15.0, fragile=0.5)
    found = list(coverage(Draws(grid.matrix(1))))

    assert {one.targets for one in found} == {len(grid.points) - 1}
    assert np.mean([one.helped for one in found]) == pytest.approx(3, abs=1.5)  # its task in three other languages


def test_a_null_grid_says_its_roles_without_finding_any() -> None:
    findings = analyse(replace(GRID, models=1, tasks=1, languages=1).matrix(1))

    assert all(isinstance(one, NoRoles) for one in findings.roles)
    assert findings.asymmetries == ()
