"""Tables as TOML text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def tables(table: Mapping[str, Any]) -> list[str]:
    """The lines of sections, each of plain keys or of tables."""
    lines = []
    for section, content in table.items():
        nested = content and all(isinstance(value, dict) for value in content.values())
        if nested:
            for name, values in content.items():
                lines += ["", f"[{section}.{_text(name)}]", *pairs(values)]
        elif content:
            lines += ["", f"[{section}]", *pairs(content)]
    return lines


def pairs(table: Mapping[str, Any]) -> list[str]:
    """A line a key."""
    return [f"{key(name)} = {value(one)}" for name, one in table.items()]


def key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _text(name)


def value(data: Any) -> str:
    if isinstance(data, Mapping):
        return f"{{ {', '.join(pairs(data))} }}"
    if isinstance(data, list | tuple):
        return f"[{', '.join(map(value, data))}]"
    return _text(data) if isinstance(data, str) else json.dumps(data)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
