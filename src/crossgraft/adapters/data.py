"""JSONL files, read with an eye on every line: what is broken is named by file and line."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossgraft.errors import DataError

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


@dataclass(frozen=True)
class Row:
    """One JSON object with where it stands."""

    file: Path
    line: int
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        if name not in self.values:
            raise self.error(f"no field {name!r}; it has {', '.join(map(repr, self.values))}")
        return self.values[name]

    def fill(self, template: str) -> str:
        """The template with each ``{field}`` replaced by the row's value; ``{{`` is a brace."""

        def value(match: re.Match[str]) -> str:
            if match[1] is None:
                return match[0][0]
            return str(self[match[1]])

        return _FIELD.sub(value, template)

    def error(self, message: str) -> DataError:
        return DataError(f"{self.file}, line {self.line}: {message}")


def read_rows(file: Path) -> Iterator[Row]:
    """The objects of a JSON-lines file, also gzipped; blank lines are passed over."""
    if not file.is_file():
        raise DataError(f"no such file: {file}")
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as stream:
        for number, raw in enumerate(stream, 1):
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
        values = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{file}, line {number}: not valid JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(values, dict):
        raise DataError(f"{file}, line {number}: expected a JSON object; got {line[:60]!r}")
    return Row(file, number, values)
