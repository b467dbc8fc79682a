"""Everything that the command line prints: lines, names with values, tables, on a terminal or in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from crossgraft.safety.escaping import visible

_WIDE = 160  # columns of a table that goes to a file or a pipe


def echo(text: object = "", *, err: bool = False, bold: bool = False) -> None:
    """Print a text; control characters in it, such as those a terminal takes as commands, are written out."""
    shown = visible(str(text))
    click.echo(click.style(shown, bold=True) if bold else shown, err=err)


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    pairs = list(lines)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, text in pairs:
        indented = text.replace("\n", "\n" + " " * (width + 4))
        echo(f"  {name:<{width}}  {indented}")


def print_table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*header)
    for row in rows:
        table.add_row(*(visible(cell).replace("[", "\\[") for cell in row))
    if table.row_count:
        Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
