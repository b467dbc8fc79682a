"""The paper's shares of variance beside ours: model, source and target, over all transfer and in each regime.

The authors' release fits (1 | model) + (1 | model:source) + (1 | model:target): sources and targets are drawn anew in each
model, so that what a target does in one model only counts as the target's. Ours are crossed, with the noise of items and
seeds taken out where outcomes of items are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.paper.authors import SideBySide
from crossgraft.analysis.questions.variance.components import CELL, NOISE, Variance, VarianceFit, variance
from crossgraft.core import REGIME_WORDS, Labels, Regime

_DRAWN = 20  # these rows have no intervals
_REGIMES: tuple[Regime, ...] = ("MT-CL", "CT-ML", "CT-CL")


_INTERACTIONS = {"source": ("model × source",), "target": ("model × target", "model × target task")}
_SHARED = {"MT-CL": "task", "CT-ML": "language"}  # of source and target: neither's own


def shares_side_by_side(draws: Draws, labels: Labels, overall: Variance) -> Iterator[SideBySide]:
    """Shares in percent; ``overall`` is the fit of all transfer cells."""
    yield from _rows("all transfer", overall)
    for regime in _REGIMES:
        if any(cell.regime == regime for cell in draws.cells):
            found = variance(draws, labels, regime=regime, count=_DRAWN)
            yield from _rows(REGIME_WORDS[regime], found, _SHARED.get(regime, ""))


def _rows(over: str, found: Variance, shared: str = "") -> Iterator[SideBySide]:
    nested, crossed = found.nested, found.crossed
    if nested is None or crossed is None:
        yield SideBySide(f"shares of variance, {over}", "%", None, None, found.why)
        return

    def row(name: str, theirs: Sequence[str], ours: Sequence[str], why: str) -> SideBySide:
        return SideBySide(
            f"share of variance: {name}, {over}", "%", _percent(nested, theirs), _percent(crossed, ours), why
        )

    yield row("model", ["model"], ["model"], "theirs is nested and ours crossed; with few models both are hardly known")
    for side, interactions in _INTERACTIONS.items():
        own = [side, *(f"{side} {label}" for label in ("task", "language") if label != shared)]
        why = f"theirs draws {side}s anew in each model: what a {side} does in one model only is in it, {_percent(crossed, interactions) or 0:.0f} % by ours"
        yield row(side, [f"model × {side}"], own, why)
    if shared:
        why = f"source and target have the {shared} in common: ours counts it as neither's, theirs as one's or the other's"
        yield row(f"the {shared}", [], [f"source {shared}", f"target {shared}"], why)
    noise = _percent(crossed, ["task pair", "language pair", "source × target", NOISE]) or 0
    why = f"theirs has pairs of tasks, of languages and of source and target and the noise of items and seeds in it, {noise:.0f} % by ours"
    yield row("left over", [CELL], [CELL], why)


def _percent(fit: VarianceFit, factors: Sequence[str]) -> float | None:
    """Of those factors that the fit has; None where it has none of them."""
    known = [share.share for share in fit.shares if share.factor in factors]
    return 100 * sum(known) if known else None
