"""Additions to the text of a spec: what the user wrote stays as it is, comments included."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossgraft.errors import SpecError
from crossgraft.spec import line_of, parse_toml

Key = tuple[str, ...]


@dataclass(frozen=True)
class Addition:
    """Entries that a list of the spec gets, a key that a table gets, or a table that the spec gets.

    A list that is not there yet is made of the entries.
    """

    key: Key
    value: Any
    extends: bool = False  # the value is a list, of which the one that is there lacks some entries

    def applied(self, table: dict[str, Any]) -> None:
        """Change the table as the text is to be changed."""
        for name in self.key[:-1]:
            table = table.setdefault(name, {})
        have = table.get(self.key[-1], []) if self.extends else []
        table[self.key[-1]] = [*have, *_new(self.value, have)] if self.extends else self.value


def lines_to_add(text: str, additions: Iterable[Addition]) -> str:
    """The additions as a reader would write them, each table once; lists that are there already are shown whole."""
    table, tables = parse_toml(text), dict[Key, list[str]]()
    for addition in additions:
        addition.applied(table)
        value = _in(table, addition.key)
        tables.setdefault(addition.key[:-1], []).append(f"{_name(addition.key[-1])} = {toml(value)}")
    return "\n".join(line for key, lines in tables.items() for line in (f"[{'.'.join(map(_name, key))}]", *lines))


def toml(value: Any) -> str:
    """A value on one line.

    >>> toml({"points": {"intent/sw": 3.0}})
    '{ points = { "intent/sw" = 3.0 } }'
    """
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_name(key)} = {toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def with_additions(text: str, additions: Iterable[Addition]) -> str:
    """The text of a spec with more in it. It is read again, and must say just what was meant."""
    meant = parse_toml(text)
    wanted = list(additions)
    changed = text
    for addition in wanted:
        addition.applied(meant)
        changed = _extended(changed, addition) if addition.extends else _added(changed, addition)
    try:
        right = parse_toml(changed) == meant
    except ValueError:
        right = False
    if not right:
        lines = lines_to_add(text, wanted)
        raise SpecError(f"this spec is written in a way that cannot be added to; add these lines by hand:\n{lines}")
    return changed


def _added(text: str, addition: Addition) -> str:
    """A line below the header of its table, or a table at the end."""
    *header, name = addition.key
    line = f"{_name(name)} = {toml(addition.value)}"
    lines = text.splitlines()
    at = line_of(text, tuple(header))
    is_header = at is not None and lines[at - 1].strip().startswith("[") and _has(text, tuple(header))
    if at is not None and is_header and _header_of(lines[at - 1]) == tuple(header):
        return "\n".join([*lines[:at], line, *lines[at:]]) + "\n"
    return f"{text.rstrip()}\n\n[{'.'.join(map(_name, header))}]\n{line}\n"


def _extended(text: str, addition: Addition) -> str:
    """New entries before the bracket that closes the list."""
    have = _value(text, addition.key)
    if have is None:
        return _added(text, addition)
    new = _new(addition.value, have)
    at = line_of(text, addition.key)
    if not new or at is None:
        return text
    start = sum(len(line) for line in text.splitlines(keepends=True)[: at - 1])
    end = _closing(text, text.index("=", start) + 1)
    before = text[:end].rstrip()
    comma = "" if not have or before.endswith(",") else ","
    space = " " if have else ""
    return f"{before}{comma}{space}{', '.join(map(toml, new))}{text[len(before) : end]}{text[end:]}"


def _closing(text: str, start: int) -> int:
    """Where the list that begins after ``start`` ends: brackets in texts and comments do not count."""
    depth, place, quote = 0, start, ""
    while place < len(text):
        letter = text[place]
        if quote:
            place += letter == "\\" and quote == '"'
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "#":
            place = text.find("\n", place) if "\n" in text[place:] else len(text)
        elif letter in "[]":
            depth += 1 if letter == "[" else -1
            if depth == 0:
                return place
        place += 1
    return len(text)


def _new(entries: Sequence[Any], have: Sequence[Any]) -> list[Any]:
    return [entry for entry in entries if entry not in have]


def _has(text: str, key: Key) -> bool:
    return _value(text, key) is not None


def _value(text: str, key: Key) -> Any:
    return _in(parse_toml(text), key)


def _in(value: Any, key: Key) -> Any:
    for name in key:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _header_of(line: str) -> Key:
    try:
        table = parse_toml(line)
    except ValueError:
        return ()
    names: list[str] = []
    while table:
        ((name, table),) = table.items()
        names.append(name)
    return tuple(names)


def _name(name: str) -> str:
    """A key as TOML wants it: bare where it can be."""
    return name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else toml(name)
