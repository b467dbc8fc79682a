"""The paper's figures beside ours: each its own way, on grids of which the truth is known."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.paper.authors import SideBySide, adjusted_scores, pareto_points, scores, side_by_side
from crossgraft.analysis.questions.paper.typology import typology
from crossgraft.analysis.questions.paper.uriel import SETS, installed
from crossgraft.analysis.questions.roles.consistency import consistencies
from crossgraft.core import Labels
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=2, tasks=4, languages=4, seeds=1, items=200, target=3.0)
LABELS = Labels(translated={"task0": "no", "task1": "no", "task2": "human", "task3": "machine"})


@pytest.fixture(scope="module")
def matrix() -> TransferMatrix:
    return GRID.matrix(1)


@pytest.fixture(scope="module")
def table(matrix: TransferMatrix) -> dict[str, SideBySide]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {row.what: row for row in side_by_side(Draws(matrix), LABELS)}


def of(matrix: TransferMatrix, regime: str) -> list[ChangeCell]:
    return [cell for cell in matrix.cells.values() if cell.regime == regime]


def source_language(cell: ChangeCell) -> str:
    assert cell.row.source is not None
    return cell.row.source.lang


def test_regimes_are_means_and_shares_over_all_cells(matrix: TransferMatrix, table: dict[str, SideBySide]) -> None:
    changes = np.array([cell.change.mean for cell in of(matrix, "MT-CL")])

    mean, gains, harm = (
        table[f"{what} same task, other languages"]
        for what in ("mean change", "cells that gain", "cells that are harmed")
    )

    assert mean.authors == pytest.approx(changes.mean())
    assert mean.ours == pytest.approx(np.median(changes))
    assert gains.authors == pytest.approx(100 * (changes > 0).mean())
    assert harm.authors == pytest.approx(100 * (changes <= -1).mean())


def test_of_a_grid_in_which_nothing_transfers_the_paper_counts_many_gains_and_we_few() -> None:
    rows = {row.what: row for row in side_by_side(Draws(replace(GRID, target=0.0).matrix(2)), Labels())}
    gains = rows["cells that gain other tasks, other languages"]

    assert gains.authors is not None
    assert gains.ours is not None
    assert gains.authors > 30
    assert gains.ours < 10


def test_a_score_is_the_mean_over_models_of_each_models_mean(matrix: TransferMatrix) -> None:
    cells = [cell for cell in of(matrix, "MT-CL") if source_language(cell) == "de"]
    by_model: dict[str, list[float]] = {}
    for cell in cells:
        by_model.setdefault(cell.row.model, []).append(cell.change.mean)

    found = scores(of(matrix, "MT-CL"), source_language)["de"]

    assert found == pytest.approx(np.mean([np.mean(values) for values in by_model.values()]))


def test_the_easiest_recipient_looks_a_bad_donor_to_the_paper_only() -> None:
    """Changes are exactly those of the target: no language gives anything, and the easiest one is never its own target."""
    matrix = GRID.matrix(1)
    easy = {language: 2.0 * n for n, language in enumerate(("ar", "bn", "de", "en"))}
    cells = [replace(cell, change=replace(cell.change, mean=easy[cell.target.lang])) for cell in of(matrix, "MT-CL")]

    theirs = scores(cells, source_language)
    ours = adjusted_scores(cells, lambda point: point.lang, donors=True)

    assert theirs["en"] == pytest.approx(2)
    assert theirs["ar"] == pytest.approx(4)
    assert np.ptp(list(ours.values())) == pytest.approx(0, abs=1e-9)


def test_the_index_is_that_of_consistency(matrix: TransferMatrix, table: dict[str, SideBySide]) -> None:
    one = next(found for found in consistencies(Draws(matrix), LABELS) if found.regime == "CT-CL")
    row = table["consistency of models other tasks, other languages"]

    assert one.noise is not None
    assert (row.authors, row.ours) == (one.index, one.noise.rho)


def dominated(point: tuple[float, float], others: Sequence[tuple[float, float]]) -> bool:
    return any(x >= point[0] and y >= point[1] and (x, y) != point for x, y in others)


def test_the_front_is_of_points_that_no_other_of_the_model_beats_on_both(matrix: TransferMatrix) -> None:
    points = pareto_points(Draws(matrix))

    assert len(points) == 2 * 16
    for model in ("model0", "model1"):
        own = [point for point in points if point.model == model]
        values = [(point.near, point.off) for point in own]
        assert [point.on_front for point in own] == [not dominated(value, values) for value in values]
        assert all(0 <= point.probability <= 1 for point in own)


def test_curated_and_translated_tasks_rank_donors(matrix: TransferMatrix, table: dict[str, SideBySide]) -> None:
    near = of(matrix, "MT-CL")
    curated, translated = (
        scores([cell for cell in near if cell.target.task in tasks], source_language)
        for tasks in (("task0", "task1"), ("task2", "task3"))
    )
    row = table["rank correlation of donor languages, curated with translated"]

    expected = spearmanr([curated[name] for name in curated], [translated[name] for name in curated]).statistic
    assert row.authors == pytest.approx(expected)
    assert "4 languages" in row.why


def test_every_row_says_why_the_two_differ_or_are_missing(table: dict[str, SideBySide]) -> None:
    assert all(row.why for row in table.values())
    assert all(np.isfinite(value) for row in table.values() for value in (row.authors, row.ours) if value is not None)


def test_a_grid_of_one_point_has_a_table_without_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = side_by_side(Draws(SyntheticGrid(models=1, tasks=1, languages=1, seeds=1, items=20).matrix(1)), LABELS)

    assert [row.what for row in rows] == [
        f"{what} on its own task and language" for what in ("mean change", "cells that gain", "cells that are harmed")
    ]


def test_two_donors_have_no_adjusted_score() -> None:
    """Each target language knows the other one only."""
    rows = side_by_side(Draws(replace(GRID, languages=2).matrix(1)), Labels())
    donor = next(row for row in rows if row.what == "ar as donor language")

    assert donor.authors is not None
    assert donor.ours is None
    assert donor.why == "with 2 donors each target knows one of them only"


def test_the_distance_of_languages_is_that_of_typology(matrix: TransferMatrix, table: dict[str, SideBySide]) -> None:
    name, words = next(iter(SETS.items())) if installed() else ("", "plain facts")
    one = typology(Draws(matrix), name)
    row = table[f"rank correlation of change with distance of languages ({words}{' by lang2vec' if name else ''})"]

    assert one.rho is not None
    assert (row.authors, row.ours) == (one.rho, one.beyond)
