"""Texts of strangers where they are shown: on a terminal, in Markdown, in HTML, in LaTeX, in a spreadsheet."""

from __future__ import annotations

import re
from typing import TypeVar

from markupsafe import Markup

T = TypeVar("T")

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, among them those that begin a terminal's commands
    "\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069"  # ends of lines, and overrides of the direction of writing
    "\ud800-\udfff]"  # bytes of a name that is not UTF-8, as Python has them
)
_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "[": "{[}",  # after the end of a row it would begin an option
    "]": "{]}",
    "*": "{*}",  # the same
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "`": r"\textasciigrave{}",
    "≈": r"$\approx$",  # from here on: signs of our own that the fonts of LaTeX lack
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "·": r"$\cdot$",
    "−": "$-$",
    "±": r"$\pm$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "√": r"$\surd$",
    "★": r"$\star$",
    "☆": r"$\diamond$",
    "²": "$^2$",
}  # fmt: skip
_STATISTICS = {"τ": r"$\tau$", "ρ": r"$\rho$"}
_STATISTIC = re.compile(r"(?<!\w)[τρ](?!\w)")  # by itself; in a word it is a letter of a name
_TWICE = "-,<>'"  # two of them in a row would be joined to another sign
_FORMULA = re.compile(r"[=+\-@\t\r]")  # how a cell begins that a spreadsheet computes


def visible(text: str) -> str:
    r"""The text with what cannot be seen but would act written out; ends of lines and tabs stay.

    >>> print(visible("\x1b[31mred"))
    \u001b[31mred
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def in_html(value: T) -> T | str:
    """A value that a template puts into HTML, which escapes it afterwards; what is HTML already stays."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def in_markdown(text: str) -> str:
    """The text in one line of Markdown: it can neither leave its cell of a table nor become HTML, a link or an image.

    >>> in_markdown("<b>a|b</b> [x](y)")
    '&lt;b>a\\\\|b&lt;/b> [x]\\\\(y)'
    """
    line = visible(text.replace("\n", " "))
    return line.replace("|", "\\|").replace("<", "&lt;").replace("](", "]\\(")


def in_latex(text: str) -> str:
    r"""The text in one cell of a LaTeX table: it can neither end the cell nor call a command.

    >>> print(in_latex(r"50% & \input{x}_y"))
    50\% \& \textbackslash{}input\{x\}\_y
    """
    line = visible(" ".join(text.split()))
    escaped = "".join(_apart(before, character) for before, character in zip(" " + line, line, strict=False))
    return _STATISTIC.sub(lambda found: _STATISTICS[found[0]], escaped)


def _apart(before: str, character: str) -> str:
    kern = r"\kern0pt{}" if character == before and character in _TWICE else ""
    return kern + _LATEX.get(character, character)


def in_csv(value: T) -> T | str:
    """A cell of a CSV file: a text that a spreadsheet would compute gets an apostrophe in front, numbers stay.

    >>> in_csv("=1+1"), in_csv("-0.5"), in_csv(-0.5)
    ("'=1+1", '-0.5', -0.5)
    """
    if not isinstance(value, str) or not _FORMULA.match(value):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
