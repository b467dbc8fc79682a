"""The items that an opened cell shows, for the scripts of the page."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Any

from crossgraft.analysis.answers import AnswerBook
from crossgraft.report.grid import Grid
from crossgraft.safety.escaping import visible


def items_data(grid: Grid, answers: AnswerBook) -> dict[str, Any]:
    """The answers of every cell by its place; names and texts of items once per target."""
    rows = {row: number for number, row in enumerate(grid.rows)}
    numbers: list[dict[str, int]] = [{} for _ in grid.columns]
    cells = {}
    for (row, target), of_cell in answers.cells.items():
        column = grid.columns.index(target)
        at = (grid.models.index(row.model) * len(rows) + rows[replace(row, model="")]) * len(grid.columns) + column
        of_target = numbers[column]
        shown = [
            [
                of_target.setdefault(answer.item, len(of_target)),
                "" if answer.seed is None else answer.seed,
                *(_value(value) for value in (answer.before, answer.now)),
                visible(answer.said),
                visible(answer.says),
            ]
            for answer in of_cell.shown
        ]
        cells[str(at)] = {"shown": shown, "left": of_cell.left_out}
    texts = [answers.texts.get(column, {}) for column in grid.columns]
    return {
        "how": answers.which,
        "measured": answers.measured,
        "cells": cells,
        "names": [[visible(name) for name in of_target] for of_target in numbers],
        "texts": [
            [visible(text.get(name, "")) for name in of_target] for of_target, text in zip(numbers, texts, strict=True)
        ],
    }


def _value(value: float) -> float | None:
    return round(value, 3) if isfinite(value) else None
