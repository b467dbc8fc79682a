"""Which rows of a table are in the page as HTML, which only as data, and by what they are sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import isfinite
from typing import Any

from crossgraft.report.section import HIDDEN, Interval, Number, Picture, Section, Table, Value, short

_LINE = 48  # letters
_FIRST = 25  # rows in HTML, where the section asks for no other number


class Rows:
    """The tables of a page by a key; ``shorten`` makes names as the page writes them."""

    def __init__(self, sections: Iterable[Section], shorten: Callable[[str], str]) -> None:
        self.sections = tuple(sections)
        self._shorten = shorten
        self._keys: dict[int, int] = {}
        self.tables = [
            table
            for section in self.sections
            if section.grid is None
            for table in section.tables
            if table.rows and table.most != 0
        ]
        self._keys = {id(table): number for number, table in enumerate(self.tables)}

    def key(self, table: Table) -> int:
        return self._keys[id(table)]

    def first(self, table: Table) -> Iterator[tuple[Value, ...]]:
        return islice(table.shown, _count(table))

    def hidden(self, table: Table) -> int:
        return len(table.rows) - min(_count(table), len(table.rows))

    def data(self) -> list[dict[str, Any]]:
        """Of every table: its file, the rows that are not in HTML, and what each shown column is sorted by."""
        return [
            {
                "file": f"{table.name}.csv",
                "rest": [[self._cell(value) for value in _shown(table, row)] for row in table.rows[_count(table) :]],
                "keys": [[_sorted_by(value) for value in _shown(table, row)] for row in table.rows],
            }
            for table in self.tables
        ]

    def _cell(self, value: Value) -> list[str] | str:
        """A text; a number or interval with its tone."""
        if isinstance(value, Picture):
            return value.text
        words = self._shorten(short(value))
        return [words, value.tone] if isinstance(value, (Interval, Number)) and is_numeric(value) else words


def is_numeric(value: Value) -> bool:
    """A number that stays in one line; a sentence in the place of one does not."""
    return isinstance(value, (Interval, Number)) and len(short(value)) <= _LINE


def _count(table: Table) -> int:
    return _FIRST if table.most is None else table.most


def _shown(table: Table, row: Sequence[Value]) -> Iterator[Value]:
    return (value for column, value in zip(table.columns, row, strict=True) if column.title is not HIDDEN)


def _sorted_by(value: Value) -> float | None:
    """Texts are sorted as they stand in the page."""
    if isinstance(value, str) or value.value is None or not isfinite(value.value):
        return None
    return float(f"{value.value:.6g}")
