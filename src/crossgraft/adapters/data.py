"""JSONL files, read with an eye on every line: what is broken is named by file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossgraft.errors import DataError, shown
from crossgraft.opening import lines_of, open_bytes, parse_json

_LONGEST_MESSAGE = 500  # characters: values of rows may have millions
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


@dataclass(frozen=True)
class Row:
    """One JSON object with where it stands."""

    file: Path
    line: int
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        if name not in self.values:
            raise self.error(f"no field {name!r}; it has {', '.join(map(shown, self.values)) or 'none'}")
        return self.values[name]

    def fill(self, template: str) -> str:
        """The template with each ``{field}`` replaced by the row's value; ``{{`` is a brace."""

        def value(match: re.Match[str]) -> str:
            if match[1] is None:
                return match[0][0]
            return str(self[match[1]])

        return _FIELD.sub(value, template)

    def error(self, message: str) -> DataError:
        cut = message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"
        return DataError(f"{self.file}, line {self.line}: {cut}")


def read_rows(file: Path) -> Iterator[Row]:
    """The objects of a JSON-lines file, also gzipped or alone in a zip; blank lines are passed over."""
    with open_bytes(file) as stream:
        for number, raw in enumerate(lines_of(file, stream), 1):
            row = _parse(file, number, raw)
            if row is not None:
                yield row


def _parse(file: Path, number: int, raw: bytes) -> Row | None:
    try:
        line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file}, line {number}: expected UTF-8 text; byte {error.start} of the line is {raw[error.start]:#04x}. "
            "Convert the file, for instance with iconv"
        ) from None
    if not line:
        return None
    try:
        values = parse_json(line)
    except ValueError as error:
        raise DataError(f"{file}, line {number}: {error}") from None
    if not isinstance(values, dict):
        raise DataError(f"{file}, line {number}: expected a JSON object; got {shown(line)}")
    return Row(file, number, values)
