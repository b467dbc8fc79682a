"""Noise that cells share is told apart by pairs of cells."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.core import Floats
from crossgraft.stats.mixed.design import Factor
from crossgraft.stats.mixed.noise_parts import Noise, part_noise

ROWS, TASKS, LANGS = 6, 3, 4


def cells() -> tuple[Factor, Factor, Factor]:
    """One model: factors of task, column and row."""
    row, task, lang = np.unravel_index(np.arange(ROWS * TASKS * LANGS), (ROWS, TASKS, LANGS))
    return (
        Factor.of("task", task.tolist()),
        Factor.of("column", (task * LANGS + lang).tolist()),
        Factor.of("row", row.tolist()),
    )


def planted(tasks: float, columns: float, rows: float, own: float, draws: int = 20_000) -> Noise:
    rng = np.random.default_rng(0)
    noise: Floats = np.sqrt(own) * rng.standard_normal((draws, ROWS * TASKS * LANGS))
    for factor, variance in zip(cells(), (tasks, columns, rows), strict=True):
        noise += (np.sqrt(variance) * rng.standard_normal((draws, factor.levels)))[:, factor.codes]
    return part_noise(noise, *cells())


def test_each_kind_of_luck_is_found_where_it_is() -> None:
    found = planted(0.5, 0.8, 0.3, 1.2)

    assert found.tasks == pytest.approx(np.full(TASKS, 0.5), abs=0.04)
    assert found.columns == pytest.approx(np.full(TASKS * LANGS, 0.8), abs=0.05)
    assert found.rows == pytest.approx(np.full(ROWS, 0.3), abs=0.04)
    assert found.own == pytest.approx(np.full(ROWS * TASKS * LANGS, 1.2), abs=0.1)


def test_noise_of_each_cell_alone_is_its_own() -> None:
    found = planted(0.0, 0.0, 0.0, 1.0)

    assert max(found.tasks.max(), found.columns.max(), found.rows.max()) < 0.03
    assert found.own == pytest.approx(np.full(ROWS * TASKS * LANGS, 1.0), abs=0.07)


def test_a_single_cell_has_nothing_in_common_with_others() -> None:
    one = Factor.of("one", ["x"])

    found = part_noise(np.array([[1.0], [-1.0]]), one, one, one)

    assert (found.tasks[0], found.columns[0], found.rows[0], found.own[0]) == (0, 0, 0, 1)
