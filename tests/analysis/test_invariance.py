"""Row 17: what a study lists first, how it calls its models and how many threads there are change no finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.core import Point, Treatment
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(
    models=3, tasks=3, languages=4, items=60, same_task=2, source=1, target=1, model_target=0.6, cell=0.5, seed=0.7
)
NAMES = ("row", "model", "name", "regime", "over", "of", "side", "way", "target", "rankers", "level", "factor", "where")


@pytest.fixture(scope="module")
def matrix() -> TransferMatrix:
    return GRID.matrix(1)


@pytest.fixture(scope="module")
def expected(matrix: TransferMatrix) -> dict[str, float]:
    return numbers(analyse(matrix))


def numbers(findings: Findings) -> dict[str, float]:
    """Every number, by the names of what it is about and not by its place."""
    return dict(_numbers(replace(findings, evidence=Evidence(TransferMatrix((), (), {}))), ""))


def _numbers(value: Any, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, ChangeCell):  # the worst of several cells that lost alike may be any of them
        yield f"{path}.change", value.change.mean
    elif is_dataclass(value):
        for field in fields(value):
            yield from _numbers(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple):
        for place, one in enumerate(value):
            yield from _numbers(one, f"{path}[{_name(one) or place}]")
    elif isinstance(value, int | float):
        yield path, float(value)


def _name(value: Any) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], Point):
        return str(value[0])
    if not is_dataclass(value):
        return ""
    if cell := getattr(value, "cell", None):
        return f"{cell.row} on {cell.target}"
    return ", ".join(str(getattr(value, name)) for name in NAMES if hasattr(value, name))


def in_another_order(cell: ChangeCell, rng: np.random.Generator) -> ChangeCell:
    order = rng.permutation(len(cell.items))
    return replace(
        cell,
        items=tuple(cell.items[place] for place in order),
        treated_statistics=cell.treated_statistics[order],
        control_statistics=cell.control_statistics[order],
    )


def items_shuffled(matrix: TransferMatrix) -> TransferMatrix:
    """In every cell otherwise."""
    rng = np.random.default_rng(0)
    return replace(matrix, cells={place: in_another_order(cell, rng) for place, cell in matrix.cells.items()})


def cells_shuffled(matrix: TransferMatrix) -> TransferMatrix:
    places = list(matrix.cells)
    order = np.random.default_rng(0).permutation(len(places))
    return replace(matrix, cells={places[number]: matrix.cells[places[number]] for number in order})


def everything_reversed(matrix: TransferMatrix) -> TransferMatrix:
    """Models, tasks and languages listed from the last to the first."""
    return TransferMatrix(matrix.rows[::-1], matrix.columns[::-1], dict(reversed(matrix.cells.items())))


def relabelled(matrix: TransferMatrix) -> TransferMatrix:
    """Every model and task called otherwise."""

    def row(one: Treatment) -> Treatment:
        assert one.source is not None
        return replace(one, model=f"my-{one.model}", name=f"my-{one.name}", source=point(one.source))

    def point(one: Point) -> Point:
        return Point(f"my-{one.task}", one.lang)

    cells = {
        (row(one), point(target)): replace(cell, row=row(one), target=point(target))
        for (one, target), cell in matrix.cells.items()
    }
    return TransferMatrix(tuple(map(row, matrix.rows)), tuple(map(point, matrix.columns)), cells)


@pytest.mark.parametrize("turned", [items_shuffled, cells_shuffled, everything_reversed, relabelled])
def test_order_and_labels_change_no_number(
    turned: Callable[[TransferMatrix], TransferMatrix], matrix: TransferMatrix, expected: dict[str, float]
) -> None:
    found = numbers(analyse(turned(matrix)))

    found = {path.replace("my-", ""): value for path, value in found.items()}
    assert len(found) > 3000
    assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_threads_change_no_number(matrix: TransferMatrix, expected: dict[str, float]) -> None:
    with threadpool_limits(limits=2):
        found = numbers(analyse(matrix))

    assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)
