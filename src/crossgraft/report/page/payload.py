"""The data that the scripts read: the cells as flat arrays of rounded numbers, the rest of the tables, the CSV files.

It is JSON, compressed and in base64, so that nothing of it can be HTML and a large matrix stays small.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any

from crossgraft.analysis.answers import AnswerBook
from crossgraft.report.csv import tables_csv
from crossgraft.report.grid import Grid
from crossgraft.report.page.cells import grid_data
from crossgraft.report.page.items import items_data
from crossgraft.report.page.rows import Rows


def payload(grid: Grid | None, rows: Rows, shorten: Callable[[str], str]) -> str:
    on_page = {table.name for table in rows.tables} | {"matrix"}
    files = {name: text for name, text in tables_csv(rows.sections).items() if name.removesuffix(".csv") in on_page}
    data: dict[str, Any] = {"tables": rows.data(), "files": files}
    if grid is not None:
        data["grid"] = grid_data(grid, shorten)
    return _packed(data)


def items_payload(grid: Grid | None, answers: AnswerBook | None) -> str:
    """The items apart, as they may be most of the page and are read only when a cell is opened; empty where there are none."""
    return _packed(items_data(grid, answers)) if grid is not None and answers is not None and answers.cells else ""


def _packed(data: dict[str, Any]) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 9)).decode()
