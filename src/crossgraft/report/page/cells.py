"""The cells of the matrix as flat arrays of rounded numbers, which is how a large matrix stays small."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from crossgraft.analysis.questions.paper.families import family
from crossgraft.analysis.wording import signed
from crossgraft.core import Point, Treatment
from crossgraft.report.grid import Grid, Shrunk
from crossgraft.transfer.changes import ChangeCell

_ID = 10  # letters of a record's id; `store show` takes the beginning of one
_SHORT_ID = 8  # letters, where there are many
_MANY = 20_000  # records: with more, a cell names its first one only
_ALMOST_NOTHING = 0.001  # stands for what is not zero and rounds to it, and is written ≈0


def rounded(value: float) -> float | None:
    """A change as it is written, to one digit or to two near zero; the page adds the sign.

    >>> rounded(10.06), rounded(-0.03), rounded(1e-5), rounded(float("inf"))
    (10.1, -0.03, 0.001, None)
    """
    if not isfinite(value):
        return None
    words = signed(value)
    if words == "≈0":
        return _ALMOST_NOTHING if value > 0 else -_ALMOST_NOTHING
    return float(words)


def grid_data(grid: Grid, shorten: Callable[[str], str]) -> dict[str, Any]:
    """Labels, and one array per number over models, then rows, then columns; None is missing."""
    cells = [grid.cell(model, row, column) for model in grid.models for row in grid.rows for column in grid.columns]
    known = [cell for cell in cells if cell is not None]
    seeds = sorted({seed for cell in known for seed in cell.seeds if seed is not None})
    return {
        "models": list(map(shorten, grid.models)),
        "rows": [_row(row, shorten) for row in grid.rows],
        "columns": [_column(column, shorten) for column in grid.columns],
        "metrics": list(dict.fromkeys(cell.metric.name for cell in known)),
        "units": list(dict.fromkeys(cell.unit for cell in known)),
        "deepest": [grid.deepest[unit] for unit in dict.fromkeys(cell.unit for cell in known)],
        "seeds": seeds if len(seeds) > 1 else [],
        "cells": _arrays(cells, seeds if len(seeds) > 1 else []),
        "shrunk": _shrunk(grid.shrunk, cells) if grid.shrunk else None,
        "asked": [[number for number, row in enumerate(grid.rows) if grid.has(model, row)] for model in grid.models],
        "why": _reasons(grid),
    }


def _arrays(cells: list[ChangeCell | None], seeds: list[int]) -> dict[str, list[Any]]:
    def each(value: Callable[[ChangeCell], Any]) -> list[Any]:
        return [None if cell is None else value(cell) for cell in cells]

    many = sum(len(cell.record_ids) for cell in cells if cell is not None) > _MANY
    metrics = list(dict.fromkeys(cell.metric.name for cell in cells if cell is not None))
    units = list(dict.fromkeys(cell.unit for cell in cells if cell is not None))
    return {
        "change": each(lambda cell: rounded(cell.change.mean)),
        "low": each(lambda cell: rounded(cell.change.low)),
        "high": each(lambda cell: rounded(cell.change.high)),
        "n": each(lambda cell: cell.change.n),
        "base": each(lambda cell: _level(cell, cell.control)),
        "now": each(lambda cell: _level(cell, cell.treated)),
        "metric": each(lambda cell: metrics.index(cell.metric.name)),
        "unit": each(lambda cell: units.index(cell.unit)),
        "own": each(lambda cell: int(cell.regime == "MT-ML")),
        "count": each(lambda cell: len(cell.seeds)),
        "records": each(lambda cell: _records(cell, many=many)),
        "seeds": [
            [None if cell is None else _optional(dict(zip(cell.seeds, cell.seed_changes, strict=True)).get(seed)) for cell in cells]
            for seed in seeds
        ],
    }  # fmt: skip


def _shrunk(shrunk: Shrunk, cells: list[ChangeCell | None]) -> dict[str, Any]:
    changes = [shrunk.changes.get((cell.row, cell.target), ()) if cell else () for cell in cells]
    longest = max(map(len, changes), default=0)

    def part(at: int) -> list[float | None]:
        return [rounded(change[at]) if at < len(change) else None for change in changes] if at < longest else []

    return {"name": shrunk.name, "about": shrunk.about, "value": part(0), "low": part(1), "high": part(2)}


def _records(cell: ChangeCell, *, many: bool) -> str:
    """The ids are half of the data of a large grid: there the first one stands for all, which are in ``cells.csv``."""
    if many and cell.record_ids:
        return cell.record_ids[0][:_SHORT_ID]
    return " ".join(record[:_ID] for record in cell.record_ids)


def _optional(value: float | None) -> float | None:
    return None if value is None else rounded(value)


def _level(cell: ChangeCell, value: float) -> float | None:
    """A score as it is written: per cent of a share, else three digits."""
    if not isfinite(value):
        return None
    return round(100 * value, 1) if cell.metric.unit == "share" else round(value, 3)


def _reasons(grid: Grid) -> dict[str, str]:
    """Why cells have no number, by their place; those that were never asked for are not in it."""
    places = [(model, row, column) for model in grid.models for row in grid.rows for column in grid.columns]
    return {
        str(number): grid.why(*place)
        for number, place in enumerate(places)
        if grid.cell(*place) is None and grid.has(*place[:2]) and grid.why(*place) != "not measured"
    }


def _row(row: Treatment, shorten: Callable[[str], str]) -> dict[str, str]:
    source = row.source
    return {
        "name": shorten(row.label),
        "task": shorten(source.task) if source else "",
        "language": source.lang if source else "",
        "family": family(source.lang) if source else "",
        "kind": row.source_variant,
    }


def _column(column: Point, shorten: Callable[[str], str]) -> dict[str, str]:
    return {
        "name": shorten(str(column)),
        "task": shorten(column.task),
        "language": column.lang,
        "family": family(column.lang),
    }
