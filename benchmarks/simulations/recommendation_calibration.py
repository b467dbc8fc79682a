"""Calibration of P(harm) and P(best): promised probabilities beside the shares in which they came true, on grids of two simulators.

python benchmarks/simulations/recommendation_calibration.py [--grids 150] [--svg docs/recommend-calibration.svg]

The grids and questions are those of ``recommendation.py``: "synthetic" and two designs of tests/other_grids.py. Every option of every question is
counted, not only those that are recommended. P(harm) is promised for each treatment, P(best) for each treatment and the base. Shares of a bin
have the Monte-Carlo error of means over grids, since the options of a grid share its draws. "Gap" is the mean of promise less share over all
options: above 0, less came true than was promised. (Of P(best) it is 0 by construction: one option of each question is best.)
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossgraft.core import Floats
from crossgraft.recommendation.rules import probability_of_best
from recommendation import DESIGNS, Case, cases

DESIGNS_SHOWN = ("synthetic", "other, one model", "other, two models, three seeds")
EDGES = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
COLOURS = ("#2166ac", "#b2182b", "#4d9221")
LEAST = 20  # options in a bin that is drawn
_PANEL, _GAP, _LEFT, _TOP = 300, 70, 50, 30


@dataclass(frozen=True, eq=False)
class Promises:
    """Promised probabilities, whether they came true, and of which grid each is."""

    promised: Floats
    true: Floats
    grid: Floats


@dataclass(frozen=True)
class Bin:
    promised: float
    share: float
    error: float
    count: int


def harm(case: Case) -> tuple[Floats, Floats]:
    return case.options.harms.mean(axis=0)[1:], case.harmed[1:]


def best(case: Case) -> tuple[Floats, Floats]:
    """The largest true gain among options that truly do no harm; the base does none."""
    first = int(np.where(case.harmed > 0, -np.inf, case.gains).argmax())
    return probability_of_best(case.options), (np.arange(len(case.gains)) == first).astype(float)


def promises(every: Sequence[Sequence[Case]], what: object) -> Promises:
    parts = [(*what(case), number) for number, own in enumerate(every) for case in own]  # type: ignore[operator]
    return Promises(
        np.concatenate([promised for promised, _, _ in parts]),
        np.concatenate([true for _, true, _ in parts]),
        np.concatenate([np.full(len(true), number, dtype=float) for _, true, number in parts]),
    )


def bins(found: Promises) -> Iterator[Bin]:
    places = np.clip(np.digitize(found.promised, EDGES) - 1, 0, len(EDGES) - 2)
    for place in range(len(EDGES) - 1):
        here = places == place
        if here.any():
            share = float(found.true[here].mean())
            left = np.bincount(found.grid[here].astype(int), found.true[here] - share)
            error = max(float(np.sqrt(left @ left)), 1.0) / here.sum()
            yield Bin(float(found.promised[here].mean()), share, float(error), int(here.sum()))


def gap(found: Promises) -> tuple[float, float]:
    per_grid = np.array([
        (found.promised - found.true)[found.grid == number].mean() for number in np.unique(found.grid)
    ])  # fmt: skip
    return float(per_grid.mean()), float(per_grid.std(ddof=1) / np.sqrt(len(per_grid)))


def drawn(panels: dict[str, dict[str, list[Bin]]]) -> str:
    """Two squares side by side; a point is a bin, its line two Monte-Carlo errors to each side."""
    width, height = 2 * _PANEL + _GAP + _LEFT + 20, _PANEL + _TOP + 95
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, (title, designs) in enumerate(panels.items()):
        x0 = _LEFT + number * (_PANEL + _GAP)
        parts += _axes(x0, title)
        for colour, own in zip(COLOURS, designs.values(), strict=False):
            parts += [_mark(one, x0, colour) for one in own if one.count >= LEAST]
    for place, (colour, name) in enumerate(zip(COLOURS, next(iter(panels.values())), strict=False)):
        y = _TOP + _PANEL + 55 + 16 * place
        parts.append(
            f'<circle cx="{_LEFT + 5}" cy="{y - 4}" r="4" fill="{colour}"/><text x="{_LEFT + 16}" y="{y}">{name}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


def _axes(x0: int, title: str) -> list[str]:
    bottom = _TOP + _PANEL
    ticks = "".join(
        f'<text x="{x0 + tick * _PANEL}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>'
        f'<text x="{x0 - 6}" y="{bottom - tick * _PANEL + 4}" text-anchor="end">{tick:g}</text>'
        for tick in (0.0, 0.5, 1.0)
    )
    return [
        f'<rect x="{x0}" y="{_TOP}" width="{_PANEL}" height="{_PANEL}" fill="none" stroke="#999"/>',
        f'<path d="M{x0} {bottom}L{x0 + _PANEL} {_TOP}" stroke="#bbb" stroke-dasharray="4 3"/>',
        f'<text x="{x0 + _PANEL / 2}" y="{_TOP - 10}" text-anchor="middle" font-weight="bold">{title}</text>',
        f'<text x="{x0 + _PANEL / 2}" y="{bottom + 34}" text-anchor="middle">promised (came true: upwards)</text>',
        ticks,
    ]


def _mark(one: Bin, x0: int, colour: str) -> str:
    x, bottom = x0 + one.promised * _PANEL, _TOP + _PANEL
    ends = [bottom - min(max(one.share + side * 2 * one.error, 0.0), 1.0) * _PANEL for side in (-1, 1)]
    return (
        f'<path d="M{x:.1f} {ends[0]:.1f}V{ends[1]:.1f}" stroke="{colour}" stroke-opacity=".5"/>'
        f'<circle cx="{x:.1f}" cy="{bottom - one.share * _PANEL:.1f}" r="3.5" fill="{colour}"/>'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=150)
    parser.add_argument("--svg", type=Path, help="Where to draw.")
    asked = parser.parse_args()
    panels: dict[str, dict[str, list[Bin]]] = {"P(harm)": {}, "P(best)": {}}
    for design in DESIGNS_SHOWN:
        every = [list(cases(DESIGNS[design], seed)) for seed in range(asked.grids)]
        for title, what in (("P(harm)", harm), ("P(best)", best)):
            found = promises(every, what)
            panels[title][design] = list(bins(found))
            mean, error = gap(found)
            print(
                f"{design}, {title}: {len(found.true):,} options of {asked.grids} grids, gap {mean:+.4f} ± {error:.4f}"
            )
            for one in panels[title][design]:
                print(
                    f"  promised {one.promised:.3f}  came true {one.share:.3f} ± {one.error:.3f}  ({one.count:,})",
                    flush=True,
                )
    if asked.svg:
        asked.svg.write_text(drawn(panels), "utf-8")


if __name__ == "__main__":
    main()
