"""Means by what source and target share: task, language, both or neither.

The paper's regimes: MT-ML (on the source itself, kept apart), MT-CL, CT-ML, CT-CL. Beside the mean stand what a tail
cannot move (median, trimmed mean) and how many cells lie beyond the region of practical equivalence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.analysis import cells as select
from crossgraft.analysis.first.floor import can_show_harm
from crossgraft.analysis.intervals.draws import Draws, Estimate
from crossgraft.analysis.wording import TINY
from crossgraft.core import REGIME_WORDS, Floats, Regime
from crossgraft.transfer.matrix import ChangeCell

ROPE = 1.0  # percentage points: changes smaller than this are equal for all practical purposes
ALL_MODELS = "all models"
_TRIMMED = 0.1  # of the cells, on each side


@dataclass(frozen=True)
class RegimeSummary:
    """All cells of a model in one regime; or of one task, where there are no regimes."""

    model: str
    regime: Regime | str
    words: str
    estimate: Estimate  # of the mean
    median: Estimate
    trimmed: Estimate  # the mean without the tenth of the cells on each side
    positive: Estimate  # % of cells with a change above zero
    gained: Estimate  # % of cells above the region of practical equivalence
    harmed: Estimate | None  # % at or below its lower end of the cells that can show harm; none where no cell can


def harmed(changes: Floats) -> npt.NDArray[np.bool_]:
    """Cells that lose a point or more: the paper's harm."""
    return np.asarray(changes <= -ROPE + TINY)


def gained(changes: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(changes > ROPE + TINY)


def positive(changes: Floats) -> npt.NDArray[np.bool_]:
    """A change of zero is neither a gain nor a loss."""
    return np.asarray(changes > TINY)


def regimes(draws: Draws) -> Iterator[RegimeSummary]:
    """Each model's, then those of all models together."""
    models = list(dict.fromkeys(cell.row.model for cell in draws.cells))
    for model in [*models, *([ALL_MODELS] if len(models) > 1 else [])]:
        cells = [cell for cell in draws.cells if model in (cell.row.model, ALL_MODELS)]
        for regime, words, group in _groups(cells):
            if group:
                yield _summary(model, regime, words, group, draws)


def _groups(cells: Sequence[ChangeCell]) -> Iterator[tuple[Regime | str, str, list[ChangeCell]]]:
    if any(cell.regime for cell in cells):
        for regime, words in REGIME_WORDS.items():
            yield regime, words, select.in_regimes(cells, regime)
        return
    for task in dict.fromkeys(cell.target.task for cell in cells):
        yield task, f"all pairs, {task}", [cell for cell in cells if cell.target.task == task]


def _summary(model: str, regime: Regime | str, words: str, cells: Sequence[ChangeCell], draws: Draws) -> RegimeSummary:
    equal = [(cell, 1 / len(cells)) for cell in cells]
    seen = [cell for cell in cells if can_show_harm(cell)]
    return RegimeSummary(
        model,
        regime,
        words,
        estimate=draws.contrast(equal),
        median=draws.statistic(cells, lambda values: np.median(values, axis=-1)),
        trimmed=draws.statistic(cells, _trimmed_mean),
        positive=draws.share(equal, positive),
        gained=draws.share(equal, gained),
        harmed=draws.share([(cell, 1 / len(seen)) for cell in seen], harmed) if seen else None,
    )


def _trimmed_mean(values: Floats) -> Floats:
    """Without the lowest and the highest tenth."""
    cut = int(_TRIMMED * values.shape[-1])
    return np.asarray(np.sort(values, axis=-1)[..., cut : values.shape[-1] - cut].mean(axis=-1))
