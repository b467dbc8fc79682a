"""The paper's shares of variance beside ours: model, source and target, over all transfer and in each regime.

The authors' release fits (1 | model) + (1 | model:source) + (1 | model:target): sources and targets are drawn anew in each
model, so that what a target does in one model only counts as the target's. Ours are crossed, with the noise of items and
seeds taken out where outcomes of items are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossgraft.analysis.authors import SideBySide
from crossgraft.analysis.draws import Draws
from crossgraft.analysis.variance import CELL, NOISE, Variance, VarianceFit, variance
from crossgraft.core import REGIME_WORDS, Labels, Regime

_DRAWN = 20  # these rows have no intervals
_REGIMES: tuple[Regime, ...] = ("MT-CL", "CT-ML", "CT-CL")


@dataclass(frozen=True)
class _Part:
    """What the paper calls the part, the factor of the nested fit, ours, and ours that the nested fit adds to it."""

    name: str
    nested: tuple[str, ...]
    crossed: tuple[str, ...]
    mixed_in: tuple[str, ...]


_PARTS = (
    _Part("model", ("model",), ("model",), ()),
    _Part("source", ("model × source",), ("source", "source task", "source language"), ("model × source",)),
    _Part(
        "target",
        ("model × target",),
        ("target", "target task", "target language"),
        ("model × target", "model × target task"),
    ),
    _Part("left over", (CELL,), (CELL,), ("task pair", "language pair", NOISE)),
)


def shares_side_by_side(draws: Draws, labels: Labels, overall: Variance) -> Iterator[SideBySide]:
    """Shares in percent; ``overall`` is the fit of all transfer cells."""
    yield from _rows("all transfer", overall)
    for regime in _REGIMES:
        if any(cell.regime == regime for cell in draws.cells):
            yield from _rows(REGIME_WORDS[regime], variance(draws, labels, regime=regime, count=_DRAWN))


def _rows(over: str, found: Variance) -> Iterator[SideBySide]:
    if found.nested is None or found.crossed is None:
        yield SideBySide(f"shares of variance, {over}", "%", None, None, found.why)
        return
    for part in _PARTS:
        theirs, ours = _percent(found.nested, part.nested), _percent(found.crossed, part.crossed)
        if theirs is not None or ours is not None:
            why = _why(part, _percent(found.crossed, part.mixed_in) or 0.0)
            yield SideBySide(f"share of variance: {part.name}, {over}", "%", theirs, ours, why)


def _percent(fit: VarianceFit, factors: tuple[str, ...]) -> float | None:
    """Of those factors that the fit has; None where it has none of them."""
    known = [one.share for one in fit.shares if one.factor in factors]
    return 100 * sum(known) if known else None


def _why(part: _Part, mixed_in: float) -> str:
    if part.name == "model":
        return "theirs is nested and ours crossed; with few models both are hardly known"
    if part.name == "left over":
        return (
            f"theirs has pairs of tasks and languages and the noise of items and seeds in it, {mixed_in:.0f} % by ours"
        )
    return (
        f"theirs is nested: it draws {part.name}s anew in each model, and has in it what a {part.name} does in one model only, "
        f"{mixed_in:.0f} % by ours"
    )
