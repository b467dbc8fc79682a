"""Numbers as a reader sees them: changes with their sign, what is not zero never as zero."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf, isnan

_NAMED = 4  # names in a sentence
TINY = 1e-9  # changes smaller than this many percentage points are zero


def signed(value: float, digits: int = 1) -> str:
    """A change with its sign; what is not zero never reads as zero, and nothing has more than two digits.

    >>> signed(0.25), signed(0.0), signed(-0.02), signed(0.000001), signed(1e-12)
    ('+0.2', '0', '-0.02', '≈0', '0')
    """
    if isnan(value):
        return "–"
    if abs(value) < TINY:
        return "0"
    if round(value, max(digits, 2)) == 0:
        return "≈0"
    while round(value, digits) == 0:
        digits += 1
    return f"{value:+.{digits}f}"


def number_of(count: int, noun: str) -> str:
    """
    >>> number_of(1, "item"), number_of(2, "item"), number_of(1066, "item")
    ('1 item', '2 items', '1,066 items')
    """
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are.

    >>> listed(["a", "b"]), listed("abcdef")
    ('a, b', 'a, b, c, d and 2 more')
    """
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def interval(low: float, high: float) -> str:
    """Format an interval; an unbounded one prints as "[no interval]"."""
    return "[no interval]" if isinf(high - low) else f"[{signed(low)}, {signed(high)}]"
