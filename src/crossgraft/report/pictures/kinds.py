"""The kinds of charts that a section may have: values and words, no drawing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """A named value with its interval; ``strong`` where it is to stand out."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    strong: bool = False


@dataclass(frozen=True)
class Dots:
    """One row per name: a dot, or a bar from zero, and its interval as a line."""

    title: str
    axis: str
    marks: tuple[Mark, ...]
    about: str = ""
    bars: bool = False


@dataclass(frozen=True)
class Spot:
    """A point in a plane, with the ellipse that holds it: half axes, and the angle of the longer one in degrees."""

    name: str
    x: float
    y: float
    long: float = 0.0
    short: float = 0.0
    angle: float = 0.0


@dataclass(frozen=True)
class Scatter:
    """Points in a plane; ``frontier``: through those that none beats in both directions."""

    title: str
    x: str
    y: str
    spots: tuple[Spot, ...]
    about: str = ""
    frontier: bool = False


@dataclass(frozen=True)
class Line:
    """A named line through points in order of x; ``ends`` is the interval at every point, where there is one."""

    name: str
    points: tuple[tuple[float, float], ...]
    ends: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Curves:
    """Lines over an axis. ``doubling``: each step of the axis doubles; ``steps``: the axis has these names at 0, 1, 2 and so on;
    ``zero``: the vertical axis has zero on it.
    """

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    about: str = ""
    doubling: bool = False
    steps: tuple[str, ...] = ()
    zero: bool = False


@dataclass(frozen=True)
class Heat:
    """A table of shades from the lowest to the highest value; None is missing."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    digits: int = 2
    about: str = ""


Chart = Dots | Scatter | Curves | Heat
