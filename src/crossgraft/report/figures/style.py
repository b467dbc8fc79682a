"""How figures look: the width of one or two columns of a paper, fonts, colours that differ in grey and for colour-blind readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from crossgraft.safety.escaping import visible

Columns = Literal[1, 2]
WIDTHS: dict[int, float] = {1: 7.7 / 2.54, 2: 16.0 / 2.54}  # inches; the columns of ACL's template
BETTER, WORSE, PLAIN = "#2166ac", "#c96010", "#333333"
CHANGES = LinearSegmentedColormap.from_list("changes", [WORSE, "#ffffff", BETTER], N=101)
MARKERS = "osD^vPX*<>"
_MOST = {1: 30, 2: 40}  # letters of a label, by columns
_TALLEST = 9.0  # inches: a page


def shown(text: str, most: int = _MOST[2]) -> str:
    """A name as a label: what would act is written out, and what is too long is cut."""
    text = visible(" ".join(text.split()))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True)
class Style:
    """The width in inches, the families of fonts, and how a text is written for what draws it."""

    columns: Columns
    families: tuple[str, ...]
    written: Callable[[str], str] = _as_it_is

    @property
    def width(self) -> float:
        return WIDTHS[self.columns]

    def cut(self, text: str) -> str:
        return shown(text, _MOST[self.columns])

    def label(self, text: str) -> str:
        return self.written(self.cut(text))

    @property
    def settings(self) -> dict[str, Any]:
        """For matplotlib. Names are no mathematics; in PDF, text stays text."""
        return {
            "font.family": list(self.families),
            "font.size": 7,
            "axes.titlesize": 8,
            "axes.linewidth": 0.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.parse_math": False,
            "axes.unicode_minus": False,
            "hatch.linewidth": 0.3,
            "pdf.fonttype": 42,
            "svg.hashsalt": "crossgraft",
            "savefig.dpi": 300,
        }

    def blank(self, height: float) -> tuple[Figure, Axes]:
        figure = Figure(figsize=(self.width, min(height, _TALLEST)), layout="constrained")
        return figure, figure.add_subplot()


@dataclass(frozen=True)
class Drawing:
    """A figure, and the name of its files."""

    name: str
    figure: Figure
