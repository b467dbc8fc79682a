"""JSON lines and the fields that must be in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crossgraft.errors import DataError, shown
from crossgraft.safety.opening import parse_json, text_lines


def json_rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Line numbers and objects; blank lines are passed over."""
    for number, line in text_lines(file):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            raise DataError(f"{file}, line {number}: {error}") from None
        if not isinstance(row, dict):
            raise DataError(f"{file}, line {number}: expected a JSON object; got {shown(line)}")
        yield number, row


def required(row: Mapping[str, Any], name: str, file: Path, number: int) -> Any:
    """The value of a field."""
    if name not in row:
        raise DataError(f"{file}, line {number}: no field {name!r}; it has {', '.join(map(shown, row)) or 'none'}")
    return row[name]
