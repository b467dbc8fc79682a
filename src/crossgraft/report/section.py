"""What a report is made of. A section has sentences, tables and charts; HTML, Markdown and CSV print the same sections.

A value in a table is a text, or one of three kinds that know their short form for a page and their columns for CSV:
``Interval``, ``Number`` and ``Picture``. All rounding happens here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

from markupsafe import Markup

from crossgraft.analysis.intervals.estimate import SHARE_CELLS, Estimate
from crossgraft.analysis.intervals.extremes import Named
from crossgraft.analysis.wording import interval, number_of, signed
from crossgraft.report.grid import Grid
from crossgraft.report.pictures.kinds import Chart

NOTHING = "–"


@dataclass(frozen=True)
class Interval:
    """A value with its interval; ``text`` is its short form where the usual one would not do."""

    value: float | None
    low: float | None = None
    high: float | None = None
    text: str = ""
    tone: str = ""  # better, worse

    def short(self) -> str:
        if self.text or self.value is None:
            return self.text or NOTHING
        if self.low is None or self.high is None:
            return signed(self.value)
        return f"{signed(self.value)} {interval(self.low, self.high)}"


@dataclass(frozen=True)
class Number:
    """A value without an interval, and how it is written."""

    value: float | None
    text: str
    tone: str = ""

    def short(self) -> str:
        return self.text


@dataclass(frozen=True)
class Picture:
    """A cell that is drawn: in CSV its value, in Markdown its text."""

    value: float | None
    text: str
    inside: Markup
    style: str = ""
    hint: str = ""
    tone: str = ""

    def short(self) -> str:
        return self.text


Value = str | Interval | Number | Picture


@dataclass(frozen=True)
class Column:
    """A column has a title on a page and a name in CSV; it is missing where that is empty."""

    title: str
    name: str = ""


@dataclass(frozen=True)
class Table:
    """Tables of the same name share one CSV file; ``most`` rows are on the page, all are in the file.

    ``folded``: closed on the page until it is opened, for a table behind a chart that says the same.
    ``leaders`` are the best row, where a test says which it is, and after it those that do not differ from it significantly.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    title: str = ""
    note: str = ""
    most: int | None = None
    folded: bool = False
    leaders: tuple[int, ...] = ()

    @property
    def shown(self) -> Iterator[tuple[Value, ...]]:
        """The rows of a page, without the columns that are only in CSV."""
        on_page = [place for place, column in enumerate(self.columns) if column.title is not HIDDEN]
        for row in self.rows[: self.most]:
            yield tuple(row[place] for place in on_page)

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(column.title for column in self.columns if column.title is not HIDDEN)

    @property
    def left_out(self) -> int:
        return 0 if self.most is None else max(0, len(self.rows) - self.most)

    def records(self) -> Iterator[dict[str, Any]]:
        """Every row with full precision, by the names of its columns."""
        for row in self.rows:
            record: dict[str, Any] = {}
            for column, value in zip(self.columns, row, strict=True):
                if column.name:
                    record |= in_columns(column.name, value)
            yield record


HIDDEN = "\0"  # the title of a column that is only in CSV


@dataclass(frozen=True)
class Section:
    """One question and its answer. ``folded``: closed on the page until it is opened.

    ``shows`` says in one sentence what is to be seen, ``explained`` for which argument ``crossgraft docs`` says more, ``note`` how
    it was computed. ``grid`` is the matrix, where the section is about it.
    """

    title: str
    tables: tuple[Table, ...] = ()
    sentences: tuple[str, ...] = ()
    note: str = ""
    charts: tuple[Chart, ...] = ()
    folded: bool = False
    shows: str = ""
    explained: str = ""
    grid: Grid | None = None


def in_columns(name: str, value: Value) -> dict[str, Any]:
    """An interval has three columns."""
    if isinstance(value, str):
        return {name: value}
    if isinstance(value, Interval):
        return {name: _known(value.value), f"{name}_low": _known(value.low), f"{name}_high": _known(value.high)}
    return {name: _known(value.value)}


def _known(value: float | None) -> float | None:
    """Missing is missing: neither NaN nor an infinite end of an interval."""
    return value if value is not None and isfinite(value) else None


def short(value: Value) -> str:
    return value if isinstance(value, str) else value.short()


def columns(*titles: str | tuple[str, str]) -> tuple[Column, ...]:
    """A title alone has the same name in CSV."""
    return tuple(
        Column(title, title.replace(" ", "_")) if isinstance(title, str) else Column(*title) for title in titles
    )


# the findings' own values


def estimate(one: Estimate | None, *, toned: bool = False) -> Interval:
    if one is None:
        return Interval(None)
    tone = one.verdict if toned and one.verdict != "not distinguishable" else ""
    if one.why:
        return Interval(one.mean, text=f"{signed(one.mean)} {interval(one.low, one.high)}", tone=tone)
    return Interval(one.mean, one.low, one.high, tone=tone)


def picked(named: Named) -> Interval:
    """A value that is shown for being the largest or the smallest."""
    return Interval(named.value, named.low, named.high)


def change(value: float | None, digits: int = 1) -> Number:
    return Number(value, NOTHING if value is None else signed(value, digits))


def decimals(value: float | None, digits: int = 2) -> Number:
    return Number(value, NOTHING if value is None else f"{value:.{digits}f}")


def percent(value: float | None) -> Number:
    """Of a share from 0 to 1."""
    return Number(value, NOTHING if value is None else f"{value:.0%}")


def whole(value: int) -> Number:
    return Number(value, f"{value:,}")


def share(one: Estimate | None) -> Number:
    """Percent of the cells as they were measured; of a handful of cells, how many of them."""
    if one is None:
        return Number(None, NOTHING)
    if one.cells < SHARE_CELLS:
        return Number(one.mean, f"{round(one.mean * one.cells / 100)} of {one.cells}")
    return Number(one.mean, f"{one.mean:.0f} %")


def counted(one: Estimate) -> str:
    """What a mean rests on; where there are no items, what its interval is over."""
    cells = number_of(one.cells, "cell")
    if one.items:
        return f"{cells}, {number_of(one.items, 'item')}"
    return f"{cells}, {one.basis or f'no interval: {one.why}'}"


def files(sections: Iterable[Section]) -> dict[str, list[Table]]:
    """The tables by the name of their CSV file, in the order of the page."""
    found: dict[str, list[Table]] = {}
    for section in sections:
        for table in section.tables:
            if table.rows:
                found.setdefault(table.name, []).append(table)
    return found
