r"""The tables of the sections as LaTeX, for a paper: booktabs, numbers aligned at the point by siunitx, texts escaped.

One file a table, to be read by ``\input``; ``preamble.tex`` loads the packages, ``all.tex`` is a document of all tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from crossgraft.report.latex.column import TexColumn, is_bold
from crossgraft.report.latex.text import fonts_for_scripts, in_tex, scripts_of
from crossgraft.report.section import Section, Table, Value
from crossgraft.safety.files import safe_name

_LONG = 40  # lines of a page
_MANY = 8  # columns from which on long titles stand on their side
_COLUMN, _PAGE = 240.0, 345.0  # points: a column of a paper, and a page of one column
_SMALLEST = 0.5  # of the size of the text; what would be smaller is set sideways
_PREAMBLE = r"""% What the tables need.
\usepackage{array,booktabs,graphicx,rotating,siunitx}
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
    preamble = _PREAMBLE + fonts_for_scripts(scripts_of(files.values()))
    return {**files, "preamble.tex": preamble, "all.tex": _document(files)}


def latex(table: Table, section: Section, label: str) -> str:
    """One table that floats, no wider than the page; a long one in several parts, each a page at most."""
    columns = _columns(table)
    kind = _kind(sum(column.width for column in columns))
    head = _row([column.head for column in columns])
    spec = "".join(column.spec for column in columns)
    caption = _caption(table, section)
    lines = [f"% {in_tex(section.note)}"] if section.note else []
    for number, rows in enumerate(_parts(columns)):
        if number:
            title = rf"\addtocounter{{table}}{{-1}}\caption{{{in_tex(table.title or section.title)} (continued).}}"
        else:
            title = rf"\caption{{{caption}}}\label{{tab:{label}}}"
        body = [_row(_cells(table, columns, row)) for row in rows]
        lines += _floating(kind, title, spec, [head, r"\midrule", *body])
    return "\n".join(lines) + "\n"


def _kind(width: float) -> str:
    """In a column of the paper, over both, or on its side."""
    return "table" if width <= _COLUMN else "table*" if width * _SMALLEST <= _PAGE else "sidewaystable*"


def _parts(columns: Sequence[TexColumn]) -> Iterator[list[int]]:
    """The rows of each part."""
    rows: list[int] = []
    lines = 0
    for row in range(len(columns[0].values)):
        needed = max(column.lines(row) for column in columns)
        if rows and lines + needed > _LONG:
            yield rows
            rows, lines = [], 0
        rows.append(row)
        lines += needed
    yield rows


def _columns(table: Table) -> list[TexColumn]:
    """Of many columns, those of numbers under a name have it on its side where one of the names is long."""
    columns = [TexColumn.of(title, values) for title, values in _by_column(table)]
    named = [each.numbers and not each.spread and " " not in each.title for each in columns]
    long = any(name and len(each.title) > each.longest for name, each in zip(named, columns, strict=True))
    if len(columns) <= _MANY or not long:
        return columns
    return [replace(each, upright=name) for name, each in zip(named, columns, strict=True)]


def _floating(kind: str, caption: str, spec: str, rows: Sequence[str]) -> Iterator[str]:
    """No wider than the room it has."""
    yield from (rf"\begin{{{kind}}}", r"\centering", caption)
    yield r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    yield from (rf"\begin{{tabular}}{{{spec}}}", r"\toprule", *rows, r"\bottomrule")
    yield from (r"\end{tabular}}", rf"\end{{{kind}}}")


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _caption(table: Table, section: Section) -> str:
    """What the table is and how it is marked. The note of a section is about its page, and only a comment in the file."""
    parts = [table.title or section.title, table.note]
    if any(is_bold(value) for row in table.shown for value in row):
        parts.append("Bold: the interval excludes zero")
    if table.leaders:
        parts.append("Bold: the best. Dagger: not significantly different from the best")
    if table.left_out:
        parts.append(f"{table.left_out} more rows are in {table.name}.csv")
    return in_tex(". ".join(part.rstrip(".") for part in parts if part) + ".")


def _by_column(table: Table) -> Iterator[tuple[str, list[Value]]]:
    """What is on a page, column by column."""
    rows = list(table.shown)
    for place, title in enumerate(table.titles):
        yield title, [row[place] for row in rows]


def _cells(table: Table, columns: Sequence[TexColumn], row: int) -> list[str]:
    """The cells of a row: in bold where it is the best, with a dagger at its name where it does not differ from the best."""
    best = row in table.leaders[:1]
    cells = [column.cell(row, best=best) for column in columns]
    if row in table.leaders[1:] and not columns[0].numbers:
        cells[0] += r"$^\dagger$"
    return cells


def _document(files: Iterable[str]) -> str:
    inputs = "\n".join(rf"\input{{{name.removesuffix('.tex')}}}\clearpage" for name in files)
    return f"\\documentclass{{article}}\n\\input{{preamble}}\n\\begin{{document}}\n{inputs}\n\\end{{document}}\n"
