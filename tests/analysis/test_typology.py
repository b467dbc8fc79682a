"""Transfer against distance of languages: planted, absent, and with too few languages."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.paper.typology import FACTS, Typology, distance, typology
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=1, tasks=2, languages=8, seeds=1, items=60)


def found(matrix: TransferMatrix) -> Typology:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return typology(Draws(matrix))


def near_helps(matrix: TransferMatrix) -> TransferMatrix:
    """Every cell's change is minus the distance of its languages, in percentage points."""
    cells = {
        (row, target): replace(cell, change=replace(cell.change, mean=-distance(row.source.lang, target.lang)))
        for (row, target), cell in matrix.cells.items()
        if row.source is not None
    }
    return replace(matrix, cells=cells)


def test_planted_help_of_near_languages_is_found() -> None:
    one = found(near_helps(GRID.matrix(1)))

    assert one.rho == pytest.approx(-1)
    assert one.p is not None
    assert one.p < 0.01
    assert one.beyond is not None
    assert one.beyond < -0.3
    assert (one.pairs, one.unknown, one.why) == (8 * 7, (), "")


def test_where_nothing_transfers_distance_says_nothing() -> None:
    one = found(GRID.matrix(1))

    assert one.p is not None
    assert one.p > 0.05


def test_four_languages_have_24_relabelings_and_that_is_said() -> None:
    one = found(replace(GRID, languages=4).matrix(1))

    assert one.relabelings == 24
    assert one.why == "4 languages have 24 relabelings: p cannot be below 0.042"


def test_three_languages_are_too_few() -> None:
    one = found(replace(GRID, languages=3).matrix(1))

    assert one.rho is None
    assert one.why == "3 languages of known type are too few: four have 24 relabelings"


def test_a_language_differs_from_itself_in_nothing_and_from_none_in_more_than_all() -> None:
    assert all(distance(language, language) == 0 for language in FACTS)
    assert {distance(one, other) for one in FACTS for other in FACTS} <= {0, 0.25, 0.5, 0.75, 1}
