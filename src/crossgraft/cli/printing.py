"""Lines of names and values, and tables, on a terminal or in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

_WIDE = 160  # columns of a table that goes to a file or a pipe


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    pairs = list(lines)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, text in pairs:
        indented = text.replace("\n", "\n" + " " * (width + 4))
        click.echo(f"  {name:<{width}}  {indented}")


def print_table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*header)
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    if table.row_count:
        Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
