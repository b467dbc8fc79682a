"""A column of a table as TeX sets it: how it is aligned, how wide it is, and its cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from crossgraft.report.latex.text import in_tex
from crossgraft.report.section import Interval, Number, Picture, Value, short

_NUMBER = re.compile(r"([+-]?)(\d[\d,]*)(?:\.(\d+))?")
_SPREAD = re.compile(r"[\[(]")  # how what follows a number begins where it is its interval
_MINUS = re.compile(r"-(?=\d)")
_LETTER, _BETWEEN = 5.0, 12.0  # points, in a document of 10 points
_WRAPPED = 30  # letters; a longer text goes over lines
_TITLE = 12  # the same of a title whose values are short


@dataclass(frozen=True)
class TexColumn:
    """Texts stand to the left, numbers at their point, and an interval in a column of its own.

    ``upright``: the title stands on its side, for a column of short numbers under a long name.
    """

    title: str
    values: tuple[Value, ...]
    numbers: bool
    spread: bool
    upright: bool = False

    @classmethod
    def of(cls, title: str, values: Sequence[Value]) -> TexColumn:
        known = [short(value) for value in values if not isinstance(value, str) and _NUMBER.match(plain(value))]
        rests = [rest for value in values if not isinstance(value, str) and (rest := _parts(value)[1])]
        numbers = bool(known) and all(_SPREAD.match(rest) for rest in rests)
        return cls(title, tuple(values), numbers, numbers and bool(rests))

    @property
    def longest(self) -> int:
        """In letters, the longest value."""
        return max(len(plain(value)) for value in self.values)

    @property
    def width(self) -> float:
        """About how many points it takes."""
        title = 2 if self.upright else max(map(len, self._title_lines), default=0)
        return _LETTER * min(_WRAPPED, max(title, self.longest)) + _BETWEEN

    def lines(self, row: int) -> int:
        """How many lines a cell takes."""
        return 1 if self.numbers else -(-len(plain(self.values[row])) // _WRAPPED)

    @property
    def spec(self) -> str:
        if not self.numbers:
            if self.longest > _WRAPPED:
                return r">{\raggedright\arraybackslash}p{13em}"
            return "l" if any(isinstance(value, str) for value in self.values) else "r"
        found = [match for value in self.values if (match := _NUMBER.fullmatch(_parts(value)[0]))]
        sign = "+" if any(match[1] for match in found) else ""
        whole = max(len(match[2].replace(",", "")) for match in found)
        decimals = max(len(match[3] or "") for match in found)
        explicit = ",retain-explicit-plus" if sign else ""
        return f"S[table-format={sign}{whole}.{decimals}{explicit}]{'l' if self.spread else ''}"

    @property
    def _title_lines(self) -> list[str]:
        return wrap(self.title, max(_TITLE, min(_WRAPPED, self.longest)), break_long_words=False)

    @property
    def head(self) -> str:
        if self.upright:
            return rf"{{\rotatebox{{90}}{{{in_tex(self.title)}}}}}"
        title = r"\\".join(map(in_tex, self._title_lines))
        if len(self._title_lines) > 1:
            title = rf"\shortstack{'' if self.numbers else '[l]'}{{{title}}}"
        return rf"\multicolumn{{2}}{{c}}{{{title}}}" if self.spread else f"{{{title}}}"

    def cell(self, row: int, *, best: bool) -> str:
        value = self.values[row]
        bold = best or is_bold(value)
        if not self.numbers:
            return _bold(in_tex(plain(value)), bold)
        number, rest = _parts(value)
        if not _NUMBER.fullmatch(number):
            shown = f"{{{in_tex(number)}}}"
        else:
            shown = (r"\bfseries " if bold else "") + number.replace(",", "")
        return f"{shown} & {_MINUS.sub('$-$', in_tex(rest))}" if self.spread else shown


def is_bold(value: Value) -> bool:
    return isinstance(value, Number) and value.text.startswith("**")


def plain(value: Value) -> str:
    """Its short form without the marks of Markdown."""
    return short(value)[2:-2] if is_bold(value) else short(value)


def _bold(text: str, bold: bool) -> str:
    return rf"\textbf{{{text}}}" if bold and text else text


def _parts(value: Value) -> tuple[str, str]:
    """The number a cell begins with, or the whole text; and what follows it."""
    text = plain(value)
    match = _NUMBER.match(text) if isinstance(value, (Interval, Number, Picture)) else None
    return (match[0], text[match.end() :].strip()) if match else (text, "")
