"""The second simulator knows its own truth: what it draws scatters about what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft.core import Floats, Point
from other_grids import Effects, OtherGrid, Planted, as_scores

GRID = OtherGrid(models=2, tasks=2, languages=2, sources=3, items=60, effects=Effects(source=2, cell=2, same_task=3))


def errors(grid: OtherGrid, count: int) -> Floats:
    """Mean over a grid's cells of the measured change less the true one, of many grids."""
    found = []
    for seed in range(count):
        drawn = grid.draw(seed)
        found.append(
            np.mean([cell.change.mean - drawn.truth.cells[place] for place, cell in drawn.matrix.cells.items()])
        )
    return np.array(found)


@pytest.mark.parametrize("graded", [0.0, 0.6])
@pytest.mark.parametrize("passage", [1, 5])
def test_changes_scatter_about_the_truth(graded: float, passage: int) -> None:
    found = errors(replace(GRID, graded=graded, passage=passage), 60)

    assert abs(found.mean()) < 4 * found.std(ddof=1) / np.sqrt(len(found))
    assert found.std() < 3


def test_all_changes_of_a_target_share_the_base() -> None:
    """Where all treatments keep nothing of the base's view, changes of one column move together, of two less."""
    grid = replace(GRID, effects=Effects(), kept=0.0, alike=0.0, parallel=0.0, models=1, seed=0, seed_cell=0)
    changes = np.array([grid.draw(seed).matrix.change for seed in range(150)])  # (grids, sources, targets)

    column = np.corrcoef(changes[:, 0, 0], changes[:, 1, 0])[0, 1]
    row = np.corrcoef(changes[:, 0, 0], changes[:, 0, 3])[0, 1]
    assert column == pytest.approx(
        3 / 4, abs=0.15
    )  # the base's variance, over it and a third of as much for three seeds
    assert abs(row) < 0.25


def test_languages_of_an_item_and_items_of_a_passage_are_alike() -> None:
    views = replace(GRID, passage=4)._views(np.random.default_rng(0), (), np.arange(4000) // 4)

    assert np.corrcoef(views)[0, 1] == pytest.approx(0.5, abs=0.07)
    assert np.corrcoef(views[0, 0::4], views[0, 1::4])[0, 1] == pytest.approx(0.5, abs=0.1)


def test_what_is_planted_is_in_the_truth_of_every_model() -> None:
    planted = Planted(donor=2, target=-4, same_task=-5)
    drawn = OtherGrid(models=3, planted=planted).draw(1)
    grid = OtherGrid(models=3)

    donor, second = grid.row(2, 0), grid.row(2, 1)
    assert second.source is not None
    elsewhere = next(one for one in grid.points if second.source.regime(one) == "MT-CL")
    far = Point("skill3", "sw")
    assert drawn.truth.cells[donor, far] == pytest.approx(2)
    assert drawn.truth.cells[second, grid.points[-1]] == pytest.approx(-4)
    assert drawn.truth.cells[second, elsewhere] == pytest.approx(-5)
    assert drawn.truth.cells[second, far] == pytest.approx(0)


def test_missing_cells_and_items_are_missing() -> None:
    drawn = OtherGrid(missing=0.3, lacking=0.2, uneven=2).draw(0)

    assert 0.6 < len(drawn.matrix.cells) / (2 * 6 * 12) < 0.8
    assert set(drawn.truth.cells) == set(drawn.matrix.cells)
    assert len({cell.change.n for cell in drawn.matrix.cells.values()}) > 4


def test_a_table_of_scores_has_the_same_changes() -> None:
    drawn = GRID.draw(2)

    scores = as_scores(drawn)
    assert np.allclose(scores.matrix.change, drawn.matrix.change)
    assert not any(cell.items for cell in scores.matrix.cells.values())
