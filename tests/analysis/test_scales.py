"""Effects against model size: planted growth is seen, and two sizes are no curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft.analysis.findings import analyse
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.effects.scales import scales
from crossgraft.core import Labels
from crossgraft.report.sections.effects import regimes
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

SIZES = {"model0": 0.5, "model1": 8.0, "model2": 2.0, "model3": 2.0}
MATRIX = SyntheticGrid(models=4, tasks=2, languages=3, items=200, same_task=5.0).matrix(seed=1)


def labelled(sizes: dict[str, float]) -> TransferMatrix:
    return replace(MATRIX, labels=Labels(billions=sizes))


def test_a_size_has_the_mean_of_all_cells_of_its_models_in_a_regime() -> None:
    matrix = labelled(SIZES)
    found = list(scales(Draws(matrix), matrix.labels))

    own = [at for at in found if at.regime == "MT-CL"]
    assert [(at.billions, at.models) for at in own] == [
        (0.5, ("model0",)),
        (2.0, ("model2", "model3")),
        (8.0, ("model1",)),
    ]
    cells = [cell for cell in matrix.cells.values() if cell.regime == "MT-CL" and SIZES[cell.row.model] == 2.0]
    assert own[1].estimate.mean == pytest.approx(np.mean([cell.change.mean for cell in cells]))
    assert own[1].estimate.low < own[1].estimate.mean < own[1].estimate.high


@pytest.mark.parametrize("sizes", [{}, {"model0": 0.5, "model1": 8.0}, {"model0": 1.0, "model1": 2.0, "model2": 2.0}])
def test_fewer_than_three_sizes_are_no_curve(sizes: dict[str, float]) -> None:
    matrix = labelled(sizes)

    assert not list(scales(Draws(matrix), matrix.labels))
    assert not any(section.charts for section in regimes.sections(analyse(matrix)))


def test_the_report_draws_a_line_per_regime_with_the_numbers_of_its_table() -> None:
    (section,) = regimes.sections(analyse(labelled(SIZES)))

    (chart,) = section.charts
    table = next(table for table in section.tables if table.name == "sizes")
    assert [line.name for line in chart.lines] == list(dict.fromkeys(row[1] for row in table.rows))  # type: ignore[union-attr]
    assert [y for line in chart.lines for _, y in line.points] == [row[4].value for row in table.rows]  # type: ignore[union-attr]
