r"""The tables of the sections as LaTeX, for a paper: booktabs, numbers aligned at the point by siunitx, texts escaped.

One file a table, to be read by ``\input``; ``preamble.tex`` loads the packages, ``all.tex`` is a document of all tables.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from crossgraft.report.section import Interval, Number, Picture, Section, Table, Value, short
from crossgraft.safety.escaping import in_latex
from crossgraft.safety.files import safe_name

_NUMBER = re.compile(r"([+-]?)(\d[\d,]*)(?:\.(\d+))?")
_SPREAD = re.compile(r"[\[(]")  # how what follows a number begins where it is its interval
_LONG = 45  # rows; more of them go over several pages
_PREAMBLE = r"""% What the tables need. Compile with LuaLaTeX or XeLaTeX where names are not in Latin letters.
\usepackage{booktabs,graphicx,longtable,siunitx}
\sisetup{detect-all}  % bold numbers
"""


def tables_latex(sections: Iterable[Section]) -> dict[str, str]:
    """The files by name; tables of one name are numbered in the order of the page."""
    shown = [(section, table) for section in sections for table in section.tables if table.titles and any(table.shown)]
    of_name = Counter(table.name for _, table in shown)
    numbers: Counter[str] = Counter()
    files: dict[str, str] = {}
    for section, table in shown:
        numbers[table.name] += 1
        stem = safe_name(table.name if of_name[table.name] == 1 else f"{table.name}-{numbers[table.name]}")
        files[f"{stem}.tex"] = latex(table, section, stem)
    return {**files, "preamble.tex": _PREAMBLE, "all.tex": _document(files)}


def latex(table: Table, section: Section, label: str) -> str:
    """One table that floats, no wider than the page; a long one goes over pages."""
    columns = [_Column.of(title, values) for title, values in _by_column(table)]
    body = [_row(_cells(table, columns, row)) for row in range(len(columns[0].values))]
    head = _row([column.head for column in columns])
    caption = rf"\caption{{{_caption(table, section)}}}\label{{tab:{label}}}"
    spec = "".join(column.spec for column in columns)
    lines = _long(spec, caption, head, body) if len(body) > _LONG else _floating(spec, caption, head, body)
    note = [f"% {in_latex(section.note)}"] if section.note else []
    return "\n".join([*note, *lines]) + "\n"


def _floating(spec: str, caption: str, head: str, body: Sequence[str]) -> Iterator[str]:
    yield from (r"\begin{table}", r"\centering", caption)
    yield r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    yield from (rf"\begin{{tabular}}{{{spec}}}", r"\toprule", head, r"\midrule", *body, r"\bottomrule")
    yield from (r"\end{tabular}}", r"\end{table}")


def _long(spec: str, caption: str, head: str, body: Sequence[str]) -> Iterator[str]:
    yield from (rf"\begin{{longtable}}{{{spec}}}", rf"{caption}\\", r"\toprule", head, r"\midrule", r"\endhead")
    yield from (*body, r"\bottomrule", r"\end{longtable}")


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _caption(table: Table, section: Section) -> str:
    """What the table is and how it is marked. The note of a section is about its page, and only a comment in the file."""
    parts = [table.title or section.title, table.note]
    if any(_is_bold(value) for row in table.shown for value in row):
        parts.append("Bold: the interval excludes zero")
    if table.leaders:
        parts.append("Bold: the best. Dagger: not significantly different from the best")
    if table.left_out:
        parts.append(f"{table.left_out} more rows are in {table.name}.csv")
    return in_latex(". ".join(part.rstrip(".") for part in parts if part) + ".")


def _is_bold(value: Value) -> bool:
    return isinstance(value, Picture) and value.text.startswith("**")


def _by_column(table: Table) -> Iterator[tuple[str, list[Value]]]:
    """What is on a page, column by column."""
    rows = list(table.shown)
    for place, title in enumerate(table.titles):
        yield title, [row[place] for row in rows]


def _cells(table: Table, columns: Sequence[_Column], row: int) -> list[str]:
    """The cells of a row: in bold where it is the best, with a dagger at its name where it does not differ from the best."""
    best = row in table.leaders[:1]
    cells = [column.cell(row, best=best) for column in columns]
    if row in table.leaders[1:] and not columns[0].numbers:
        cells[0] += r"$^\dagger$"
    return cells


@dataclass(frozen=True)
class _Column:
    """A column of values as it is set: texts to the left, numbers at their point, and an interval in a column of its own."""

    title: str
    values: tuple[Value, ...]
    numbers: bool
    spread: bool

    @classmethod
    def of(cls, title: str, values: Sequence[Value]) -> _Column:
        known = [short(value) for value in values if not isinstance(value, str) and _NUMBER.match(_plain(value))]
        rests = [rest for value in values if not isinstance(value, str) and (rest := _parts(value)[1])]
        numbers = bool(known) and all(_SPREAD.match(rest) for rest in rests)
        return cls(title, tuple(values), numbers, numbers and bool(rests))

    @property
    def spec(self) -> str:
        if not self.numbers:
            return "l" if any(isinstance(value, str) for value in self.values) else "r"
        found = [match for value in self.values if (match := _NUMBER.fullmatch(_parts(value)[0]))]
        sign = "+" if any(match[1] for match in found) else ""
        whole = max(len(match[2].replace(",", "")) for match in found)
        decimals = max(len(match[3] or "") for match in found)
        explicit = ",retain-explicit-plus" if sign else ""
        return f"S[table-format={sign}{whole}.{decimals}{explicit}]{'l' if self.spread else ''}"

    @property
    def head(self) -> str:
        title = in_latex(self.title)
        if self.spread:
            return rf"\multicolumn{{2}}{{c}}{{{title}}}"
        return f"{{{title}}}"

    def cell(self, row: int, *, best: bool) -> str:
        value = self.values[row]
        bold = best or _is_bold(value)
        if not self.numbers:
            return _bold(in_latex(_plain(value)), bold)
        number, rest = _parts(value)
        if not _NUMBER.fullmatch(number):
            shown = f"{{{in_latex(number)}}}"
        else:
            shown = (r"\bfseries " if bold else "") + number.replace(",", "")
        return f"{shown} & {in_latex(rest)}" if self.spread else shown


def _bold(text: str, bold: bool) -> str:
    return rf"\textbf{{{text}}}" if bold and text else text


def _plain(value: Value) -> str:
    """Its short form without the marks of Markdown."""
    return short(value)[2:-2] if _is_bold(value) else short(value)


def _parts(value: Value) -> tuple[str, str]:
    """The number a cell begins with, or the whole text; and what follows it."""
    text = _plain(value)
    match = _NUMBER.match(text) if isinstance(value, (Interval, Number, Picture)) else None
    return (match[0], text[match.end() :].strip()) if match else (text, "")


def _document(files: Iterable[str]) -> str:
    inputs = "\n".join(rf"\input{{{name.removesuffix('.tex')}}}" for name in files)
    return f"\\documentclass{{article}}\n\\input{{preamble}}\n\\begin{{document}}\n{inputs}\n\\end{{document}}\n"
