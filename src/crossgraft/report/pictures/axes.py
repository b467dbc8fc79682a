"""Scales, ticks and the frame that all charts share. Colours are classes of the page, so that a chart follows its theme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from markupsafe import Markup

from crossgraft.safety.escaping import visible

_LETTER = 6.9  # pixels, of a bold text of 11
_LONGEST = 34  # letters of a name


@dataclass(frozen=True)
class Scale:
    """From values to pixels."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def of(cls, values: Iterable[float | None], start: float, end: float, *, zero: bool = False) -> Scale:
        """Over all values, with a margin; ``zero``: with zero on it."""
        known = [value for value in values if value is not None and isfinite(value)] or [0.0]
        low, high = min(known), max(known)
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        margin = 0.04 * (high - low) or 0.5 * abs(high) or 1.0
        below = 0.0 if zero and low == 0 else margin
        above = 0.0 if zero and high == 0 and low < 0 else margin
        return cls(low - below, high + above, start, end)

    def __call__(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return round(self.start + min(1.0, max(0.0, part)) * (self.end - self.start), 1)

    @property
    def ticks(self) -> list[float]:
        """Some five round values.

        >>> Scale(-3.2, 11.9, 0, 100).ticks
        [0.0, 5.0, 10.0]
        """
        rough = (self.high - self.low) / 5
        power = 10.0 ** floor(log10(rough))
        step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough)
        return [round(n * step, 10) for n in range(ceil(self.low / step), floor(self.high / step) + 1)]


def tick_text(value: float) -> str:
    return f"{value:g}"


def shortened(name: str, most: int = _LONGEST) -> str:
    """
    >>> shortened("abcdefgh", 5)
    'abcd…'
    """
    text = visible(name[: most + 1].replace("\n", " "))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def name_width(names: Sequence[str], most: int = _LONGEST) -> float:
    """Pixels that the longest name takes."""
    return _LETTER * max((len(shortened(name, most)) for name in names), default=0)


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> Markup:
    return Markup('<text x="{:g}" y="{:g}" class="{}" text-anchor="{}">{}</text>').format(
        round(x, 1), round(y, 1), kind, anchor, words
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<path class="{}" d="M{:g} {:g}L{:g} {:g}"/>').format(kind, x1, y1, x2, y2)


def frame(title: str, about: str, width: float, height: float, inside: Iterable[Markup]) -> Markup:
    """A chart with its title above it; a screen reader reads the title and what it is about."""
    body = Markup("").join(inside)
    return Markup(
        '<figure><figcaption>{}</figcaption><svg class="chart" viewBox="0 0 {:g} {:g}" width="{:g}" role="img" aria-label="{}">'
        "<desc>{}</desc>{}</svg></figure>"
    ).format(title, width, height, width, title, about, body)


def horizontal(scale: Scale, top: float, bottom: float, words: str) -> Markup:
    """Ticks below, a line from each, a stronger one at zero, and the words of the axis."""
    lines = [line(scale(at), top, scale(at), bottom, "zero" if at == 0 else "rule") for at in scale.ticks]
    numbers = [text(scale(at), bottom + 13, tick_text(at), "tick", "middle") for at in scale.ticks]
    middle = (scale.start + scale.end) / 2
    return Markup("").join([*lines, *numbers, text(middle, bottom + 28, words, "tick", "middle")])


def vertical(scale: Scale, left: float, right: float, words: str) -> Markup:
    """Ticks at the left, and the words of the axis above them."""
    lines = [line(left, scale(at), right, scale(at), "zero" if at == 0 else "rule") for at in scale.ticks]
    numbers = [text(left - 5, scale(at) + 4, tick_text(at), "tick", "end") for at in scale.ticks]
    return Markup("").join([*lines, *numbers, text(2, min(scale.start, scale.end) - 8, words, "tick")])
