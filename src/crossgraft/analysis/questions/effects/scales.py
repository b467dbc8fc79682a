"""Effects against model size: the mean change of each regime at each size that the spec gives its models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.intervals.estimate import Estimate
from crossgraft.core import REGIME_WORDS, Labels, Regime

LEAST = 3  # sizes


@dataclass(frozen=True)
class AtSize:
    """The mean change, in pp, over the cells of all models of one size in one regime."""

    regime: Regime
    words: str
    billions: float  # of parameters
    models: tuple[str, ...]
    estimate: Estimate


def scales(draws: Draws, labels: Labels) -> Iterator[AtSize]:
    """Regime by regime, the smallest size first; a regime that was measured at fewer than three sizes is left out."""
    cells = [cell for cell in draws.cells if cell.row.model in labels.billions]
    for regime, words in REGIME_WORDS.items():
        of_regime = select.in_regimes(cells, regime)
        sizes = sorted({labels.billions[cell.row.model] for cell in of_regime})
        for size in sizes if len(sizes) >= LEAST else ():
            of_size = [cell for cell in of_regime if labels.billions[cell.row.model] == size]
            models = tuple(dict.fromkeys(cell.row.model for cell in of_size))
            yield AtSize(regime, words, size, models, draws.contrast([(cell, 1 / len(of_size)) for cell in of_size]))
