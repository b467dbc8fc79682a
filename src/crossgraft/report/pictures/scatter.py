"""Points in a plane with their ellipses, and the frontier of those that none beats in both directions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import cos, hypot, radians, sin

from markupsafe import Markup

from crossgraft.analysis.wording import signed
from crossgraft.report.pictures.axes import Scale, frame, horizontal, shortened, text, vertical
from crossgraft.report.pictures.kinds import Scatter, Spot

_WIDTH, _HEIGHT = 556.0, 420.0
_LEFT, _RIGHT, _TOP, _LOW = 44.0, 542.0, 26.0, 380.0
_ROOM = 110.0  # pixels of a name
_LABELLED = 12  # spots; of more, only those of the frontier and the extremes have room for names


def draw_scatter(chart: Scatter) -> Markup:
    reaches = [(spot, *_reach(spot)) for spot in chart.spots]
    x = Scale.of((end for spot, wide, _ in reaches for end in (spot.x - wide, spot.x + wide)), _LEFT, _RIGHT, zero=True)
    y = Scale.of((end for spot, _, high in reaches for end in (spot.y - high, spot.y + high)), _LOW, _TOP, zero=True)
    best = frontier(chart.spots) if chart.frontier else ()
    named = set(chart.spots if len(chart.spots) <= _LABELLED else best)
    parts = [horizontal(x, _TOP, _LOW, chart.x), vertical(y, _LEFT, _RIGHT, chart.y)]
    if len(best) > 1:
        points = " ".join(f"{x(spot.x):g},{y(spot.y):g}" for spot in best)
        parts.append(Markup('<path class="frontier" d="M{}"/>').format(points.replace(" ", "L").replace(",", " ")))
    parts += [_spot(spot, x, y, best=spot in best) for spot in chart.spots]
    parts += _names([spot for spot in chart.spots if spot in named], x, y)
    return frame(chart.title, chart.about, _WIDTH, _HEIGHT, parts)


def frontier(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """Those that no other beats in one direction without losing in the other, from left to right.

    >>> [spot.name for spot in frontier([Spot("a", 0, 3), Spot("b", 2, 1), Spot("c", 1, 0)])]
    ['a', 'b']
    """
    best: list[Spot] = []
    for spot in sorted(spots, key=lambda spot: (-spot.x, -spot.y)):
        if not best or spot.y > best[-1].y:
            best.append(spot)
    return tuple(reversed(best))


def _reach(spot: Spot) -> tuple[float, float]:
    """How far the ellipse goes to the right of its centre, and above it."""
    turn = radians(spot.angle)
    across = hypot(spot.long * cos(turn), spot.short * sin(turn))
    return across, hypot(spot.long * sin(turn), spot.short * cos(turn))


def _spot(spot: Spot, x: Scale, y: Scale, *, best: bool) -> Markup:
    across = abs(x.end - x.start) / (x.high - x.low)
    up = abs(y.end - y.start) / (y.high - y.low)
    ellipse = Markup("")
    if spot.long:  # in the units of the data, then scaled: the axes may have different scales
        ellipse = Markup(
            '<g class="area{}" transform="translate({:g} {:g}) scale({:.4g} {:.4g}) rotate({:.4g})">'
            '<ellipse vector-effect="non-scaling-stroke" rx="{:.4g}" ry="{:.4g}"/></g>'
        ).format(" best" if best else "", x(spot.x), y(spot.y), across, -up, spot.angle, spot.long, spot.short)
    return Markup('<g><title>{}: {}, {}</title>{}<circle class="dot" cx="{:g}" cy="{:g}" r="3.4"/></g>').format(
        shortened(spot.name, 200), signed(spot.x), signed(spot.y), ellipse, x(spot.x), y(spot.y)
    )


def _names(spots: Sequence[Spot], x: Scale, y: Scale) -> Iterator[Markup]:
    """The higher first; a name that would lie on another moves down."""
    taken: list[tuple[float, float]] = []
    for spot in sorted(spots, key=lambda spot: -spot.y):
        at, top = x(spot.x), y(spot.y) - 4
        while any(abs(at - other) < _ROOM and abs(top - height) < 11 for other, height in taken):
            top += 11
        taken.append((at, top))
        beyond = at > _RIGHT - _ROOM  # there it stands at the left of its spot
        yield text(at - 6 if beyond else at + 6, top, shortened(spot.name, 22), "name", "end" if beyond else "start")
