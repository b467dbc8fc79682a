"""The tables of the sections as CSV, with full precision."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from crossgraft.report.section import Section, files
from crossgraft.safety.escaping import in_csv


def tables_csv(sections: Iterable[Section]) -> dict[str, str]:
    """The files by name; tables that share a file fill the columns they have."""
    found = {}
    for name, tables in files(sections).items():
        records = [record for table in tables for record in table.records()]
        header = list(dict.fromkeys(column for record in records for column in record))
        found[f"{name}.csv"] = as_csv(header, ([record.get(column) for column in header] for record in records))
    return found


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Texts that a spreadsheet would take for formulas are defused."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([in_csv(name) for name in header])
    writer.writerows([in_csv(cell) for cell in row] for row in rows)
    return text.getvalue()
