"""Names as the page writes them: without what all tasks share, and no longer than a page can bear."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from crossgraft.safety.escaping import visible

T = TypeVar("T")

_LONGEST = 120  # letters of a name
_WORD = re.compile(rf"\S{{{_LONGEST + 1},}}")  # what no line can be broken in


def shortener(prefix: str) -> Callable[[str], str]:
    """Removes the prefix from every name in a text, and the end of words that are too long.

    >>> shortener("almanac/")("train almanac/sums/en")
    'train sums/en'
    """
    shared = re.compile(rf"(?<![\w/]){re.escape(prefix)}(?=\w)") if prefix else None

    def shorten(words: str) -> str:
        words = visible(shared.sub("", words) if shared else words)
        return _WORD.sub(lambda long: f"{long[0][: _LONGEST - 1]}…", words)

    return shorten


def renamed(chart: T, shorten: Callable[[str], str]) -> T:
    """The chart with all its texts shortened."""
    if isinstance(chart, str):
        return shorten(chart)  # type: ignore[return-value]
    if isinstance(chart, tuple):
        return tuple(renamed(part, shorten) for part in chart)  # type: ignore[return-value]
    if is_dataclass(chart):
        changed: dict[str, Any] = {field.name: renamed(getattr(chart, field.name), shorten) for field in fields(chart)}
        return replace(chart, **changed)  # type: ignore[type-var]
    return chart
