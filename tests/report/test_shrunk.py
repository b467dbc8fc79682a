"""The shrunk changes of the page: the posterior of every cell, or what stands in for it."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft import posterior
from crossgraft.analysis.external.scores import ScoreRow, matrix_of_scores
from crossgraft.analysis.findings import analyse
from crossgraft.core import Point
from crossgraft.report.grid import Grid, Shrunk
from crossgraft.report.page.cells import grid_data, rounded
from crossgraft.report.sections.answer import matrices
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

MATRIX = SyntheticGrid(models=2, tasks=2, languages=3, items=80, seeds=2, source=3.0).matrix(seed=1)


def grid(matrix: TransferMatrix) -> Grid:
    (section,) = matrices.sections(analyse(matrix))
    assert section.grid
    return section.grid


def shrunk(matrix: TransferMatrix) -> Shrunk | None:
    return grid(matrix).shrunk


def test_a_shrunk_change_is_the_posterior_mean_with_its_interval() -> None:
    drawn, found = posterior(MATRIX), shrunk(MATRIX)

    assert found
    assert found.name == "shrunk (posterior)"
    for (row, target), (mean, low, high) in found.changes.items():
        draws = drawn.of(row, target)
        assert (mean, low, high) == pytest.approx((draws.mean(), *np.quantile(draws, [0.025, 0.975])))


def test_the_page_has_it_in_the_order_of_its_cells() -> None:
    whole = grid(MATRIX)
    places = [
        whole.cell(model, row, column) for model in whole.models for row in whole.rows for column in whole.columns
    ]
    data = grid_data(whole, str)["shrunk"]

    assert whole.shrunk
    for at, cell in enumerate(places):
        numbers = whole.shrunk.changes[cell.row, cell.target] if cell else ()
        assert [data[part][at] for part in ("value", "low", "high")] == list(map(rounded, numbers))


def test_its_numbers_are_a_csv_file() -> None:
    (section,) = matrices.sections(analyse(MATRIX))
    found = next(table for table in section.tables if table.name == "posterior")

    assert section.grid
    assert section.grid.shrunk
    first = next(iter(MATRIX.cells.values()))
    record = next(found.records())
    ends = (record[name] for name in ("posterior", "posterior_low", "posterior_high"))
    assert tuple(ends) == section.grid.shrunk.changes[first.row, first.target]
    assert record["change"] == first.change.mean


def test_a_large_grid_has_the_two_way_estimate_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrices, "_MANY", 10)
    found = shrunk(MATRIX)

    assert found
    assert found.name == "shrunk (two-way)"
    assert "would take too long" in found.about
    assert not grid_data(grid(MATRIX), str)["shrunk"]["low"]


def test_scores_with_a_bound_on_their_noise_have_the_two_way_estimate() -> None:
    points = [Point("xnli", language) for language in ("de", "sw", "tr", "zh")]
    rows = [ScoreRow(1, "m", source, target, 0.5, 0.6, items=400) for source in points for target in points]
    found = shrunk(matrix_of_scores(rows))

    assert found
    assert found.name == "shrunk (two-way)"
    assert "upper bound" in found.about


def test_scores_without_noise_are_not_shrunk() -> None:
    point, other = Point("xnli", "de"), Point("xnli", "sw")
    rows = [ScoreRow(1, "m", source, target, 0.5, 0.6) for source in (point, other) for target in (point, other)]

    assert shrunk(matrix_of_scores(rows)) is None
