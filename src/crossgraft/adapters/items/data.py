"""JSONL files, read with an eye on every line: what is broken is named by file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossgraft.errors import DataError, shown
from crossgraft.safety.opening import lines_of, open_bytes, parse_json

_LONGEST_MESSAGE = 500  # characters: values of rows may have millions
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_STEPS = re.compile(r"([^.\[\]]+)((?:\.[^.\[\]]+|\[-?\d+\])+)")  # choices[0], answers.text, turns[-1].content
_STEP = re.compile(r"\.([^.\[\]]+)|\[(-?\d+)\]")


@dataclass(frozen=True)
class Row:
    """One JSON object with where it stands."""

    file: Path
    line: int
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        """The value of a field, or what lies in it: ``choices[0]``, ``answers.text``, ``messages[-1].content``."""
        if name in self.values:
            return self.values[name]
        path = _STEPS.fullmatch(name)
        if path is None or path[1] not in self.values:
            raise self.error(f"no field {name!r}; it has {', '.join(map(shown, self.values)) or 'none'}")
        value = self.values[path[1]]
        for key, index in _STEP.findall(path[2]):
            try:
                value = value[key if key else int(index)]
            except (LookupError, TypeError):
                raise self.error(f"no {name!r}: {path[1]!r} holds {str(self.values[path[1]])[:80]!r}") from None
        return value

    def fill(self, template: str) -> str:
        """The template with each ``{field}`` (or ``{choices[0]}``) replaced by the row's value; ``{{`` is a brace."""

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
