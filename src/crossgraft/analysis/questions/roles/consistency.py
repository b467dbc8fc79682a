"""Do models agree on which recipients gain from a source? The paper's index, beside chance and beside what noise allows.

For a source and a regime, models rank the recipients by their change; the index is the mean Kendall τ-b over all pairs of models.
It has two scales that must stand beside it: chance, which is wide where recipients are few, and the ceiling, the index of models
that agree perfectly but are measured with as much noise as here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import Draws, has_items
from crossgraft.analysis.questions.effects.regimes import gained, harmed
from crossgraft.core import REGIME_WORDS, Floats, Labels, Point, Regime, Scalar
from crossgraft.stats.matrices import agreement
from crossgraft.transfer.matrix import ChangeCell

_SHUFFLES = 200
_DRAWS = 250  # of items: ranks of all pairs of recipients in each take time
_SEED = 0
_LEAST_RECIPIENTS = 3
_LEAST_RELIABILITY = 0.1  # below, dividing by it makes anything of nothing
_SCORES_ONLY = (
    "without outcomes of items the noise of changes is not known: no interval, and no correlation of true changes"
)
_LEAST_RANKERS = 4  # three have three pairs among them, too few to call anything typical

Ranker = Literal["models", "families", "sizes"]
RANKERS: tuple[Ranker, ...] = ("models", "families", "sizes")
Source = tuple[Point, tuple[tuple[str, Scalar], ...]]  # a point and the recipe it was trained by
Cells = dict[tuple[str, Point], list[ChangeCell]]  # by ranker and recipient; of a family several models'


@dataclass(frozen=True)
class Chance:
    """What rankings that have nothing to do with one another give."""

    deviation: float  # standard deviation of one source's index, without ties
    highest: float  # of the median over sources, 95 % of shuffles lie below
    p: float  # one-sided, of the median


@dataclass(frozen=True)
class Noise:
    """How much of the spread between recipients is real, and what that makes of the index.

    The noise is that of items. What the noise of training adds to single recipients is not in it: the reliability is an upper
    bound, and the correlation of the true changes a lower one.
    """

    reliability: float  # 1 − variance of noise / variance between recipients, from 0 to 1
    ceiling: float  # the index if true changes were the same in all models
    rho: float | None = None  # correlation of the true changes between models
    low: float | None = None
    high: float | None = None
    why: str = ""  # there is no correlation


@dataclass(frozen=True)
class Signs:
    """Cells that at least half of the models move by a point or more: do they move them the same way?

    From 0 (half up, half down) to 1 (all the same way), the mean over the cells; ``chance`` is that of coins.
    """

    agreement: float
    cells: int
    chance: float


@dataclass(frozen=True)
class Consistency:
    """The agreement of models (or families, or sizes) on the recipients of a regime."""

    rankers: Ranker
    regime: Regime
    words: str
    levels: tuple[str, ...]
    sources: int
    recipients: float  # of a source, the median
    index: float | None = None  # mean pairwise τ-b, the median over sources
    quartiles: tuple[float, float] | None = None
    low: float | None = None  # 95 % interval of the median, over items
    high: float | None = None
    chance: Chance | None = None
    noise: Noise | None = None  # not known where only scores are
    w: float | None = None  # Kendall's, the mean over sources whose recipients all models have
    w_p: float | None = None
    icc: float | None = None  # share of the variance of cells that is common to all models
    signs: Signs | None = None
    of_sources: tuple[tuple[str, float], ...] = ()  # every source's own index
    why: str = ""  # there is no index, or it must not be read as one


def consistencies(draws: Draws, labels: Labels) -> Iterator[Consistency]:
    """Over models; then over families and over sizes, where the spec says them of all models."""
    cells = select.trained(draws.cells)
    models = list(dict.fromkeys(cell.row.model for cell in cells))
    for rankers in RANKERS:
        level_of = _levels(rankers, models, labels)
        if level_of is None:
            continue
        for regime in REGIME_WORDS:
            group = select.in_regimes(cells, regime)
            if group:
                yield _consistency(rankers, regime, group, level_of, draws)


def _levels(rankers: Ranker, models: Sequence[str], labels: Labels) -> dict[str, str] | None:
    """What each model counts as; none where the spec does not say it of every model, or says of all the same."""
    if rankers == "models":
        return {model: model for model in models}
    if rankers == "families":
        known = {model: labels.family[model] for model in models if model in labels.family}
    else:
        known = {model: f"{labels.billions[model]:g}B" for model in models if model in labels.billions}
    return known if len(known) == len(models) and len(set(known.values())) > 1 else None


def _consistency(
    rankers: Ranker, regime: Regime, cells: Sequence[ChangeCell], level_of: Mapping[str, str], draws: Draws
) -> Consistency:
    levels = tuple(sorted({level_of[cell.row.model] for cell in cells}))  # shuffles must not depend on the spec's order
    by_source: dict[Source, Cells] = {}
    for cell in cells:
        assert cell.row.source is not None
        places = by_source.setdefault((cell.row.source, cell.row.recipe), {})
        places.setdefault((level_of[cell.row.model], cell.target), []).append(cell)
    ordered = sorted(by_source.items(), key=_source_name)
    tables = {_label(place): table for place, of in ordered if (table := _Table.of(of, levels, draws))}
    counts = [len({target for _, target in of}) for of in by_source.values()]
    words = REGIME_WORDS[regime]
    if len(levels) < 2:
        why = "one model agrees with itself only"
        return Consistency(rankers, regime, words, levels, 0, float(np.median(counts)), why=why)
    if not tables:
        why = "no source has three recipients that two models rank, and not all alike"
        return Consistency(rankers, regime, words, levels, 0, float(np.median(counts)), why=why)
    return _summary(rankers, regime, levels, tables)


def _source_name(place: tuple[Source, Cells]) -> str:
    return str(place[0])


def _label(source: Source) -> str:
    point, recipe = source
    axes = ", ".join(f"{key} {value}" for key, value in recipe)
    return f"{point} ({axes})" if axes else str(point)


@dataclass(frozen=True, eq=False)
class _Table:
    """One source: changes (rankers, recipients), NaN where missing, and the same in every draw."""

    changes: Floats
    index: float
    has_noise: bool  # known by outcomes of items
    drawn_index: Floats  # (draws,)
    noise: float  # variance between recipients that is noise, pp²
    spread: float  # variance between recipients, pp²

    @classmethod
    def of(cls, cells: Cells, levels: Sequence[str], draws: Draws) -> _Table | None:
        targets = sorted({target for _, target in cells})
        if len(targets) < _LEAST_RECIPIENTS:
            return None
        flat = [cell for group in cells.values() for cell in group]
        drawn = draws.of(flat, _DRAWS)
        changes = np.full((len(levels), len(targets)), np.nan)
        moved = np.full((len(drawn), *changes.shape), np.nan)
        start = 0
        for (level, target), group in cells.items():
            place = levels.index(level), targets.index(target)
            changes[place] = sum(cell.change.mean for cell in group) / len(group)
            moved[:, *place] = drawn[:, start] if len(group) == 1 else drawn[:, start : start + len(group)].mean(axis=1)
            start += len(group)
        index = float(agreement.mean_tau(changes))
        if np.isnan(index):
            return None
        noise, spread = _variance(moved - changes).mean(axis=0), _variance(changes)
        ranked = ~np.isnan(spread)
        of_noise, of_all = float(noise[ranked].mean()), float(spread[ranked].mean())
        return cls(changes, index, has_items(flat), agreement.mean_tau(moved), of_noise, of_all)


def _variance(changes: Floats) -> Floats:
    """Between recipients, of each ranker; NaN for one that has fewer than three."""
    known = ~np.isnan(changes)
    count = known.sum(axis=-1)
    filled = np.where(known, changes, 0.0)
    mean = filled.sum(axis=-1) / np.maximum(count, 1)
    squares = np.where(known, (filled - mean[..., None]) ** 2, 0.0).sum(axis=-1)
    return np.where(count >= _LEAST_RECIPIENTS, squares / np.maximum(count - 1, 1), np.nan)


def _summary(rankers: Ranker, regime: Regime, levels: tuple[str, ...], by_source: Mapping[str, _Table]) -> Consistency:
    tables = list(by_source.values())
    values = np.array([table.index for table in tables])
    lower, index, upper = (float(value) for value in np.quantile(values, [0.25, 0.5, 0.75]))
    measured = all(table.has_noise for table in tables)
    drawn = _median(np.array([table.drawn_index for table in tables])) if measured else np.empty(0)
    low, high = _interval(index, drawn)
    complete = [table.changes for table in tables if not np.isnan(table.changes).any()]
    w, w_p = _w(complete)
    return Consistency(
        rankers,
        regime,
        REGIME_WORDS[regime],
        levels,
        len(tables),
        float(np.median([table.changes.shape[1] for table in tables])),
        index,
        (lower, upper),
        low,
        high,
        _chance(index, tables, len(levels)),
        _noise(tables) if measured else None,
        w,
        w_p,
        agreement.icc(np.concatenate(complete, axis=1)) if complete else None,
        _signs(complete, len(levels)),
        tuple((source, table.index) for source, table in by_source.items()),
        "; ".join(filter(None, [_caution(rankers, len(levels)), "" if measured else _SCORES_ONLY])),
    )


def _caution(rankers: Ranker, levels: int) -> str:
    if levels >= _LEAST_RANKERS:
        return ""
    pairs = "one pair" if levels == 2 else f"{levels * (levels - 1) // 2} pairs"
    return f"{levels} {rankers} have {pairs} among them: how far these agree, not how far {rankers} do"


def _median(values: Floats) -> Floats:
    """Over the first axis, of those that are known: (sources, draws) → (draws,) without draws that have none."""
    known = values[:, ~np.isnan(values).all(axis=0)]
    return np.asarray(np.nanmedian(known, axis=0)) if known.size else np.empty(0)


def _interval(point: float, drawn: Floats) -> tuple[float | None, float | None]:
    """Draws are noisier than the estimate and agree less: their quantiles, centred on it."""
    if not len(drawn):
        return None, None
    low, high = np.quantile(drawn - drawn.mean() + point, [0.025, 0.975])
    return max(-1.0, float(low)), min(1.0, float(high))


def _chance(index: float, tables: Sequence[_Table], rankers: int) -> Chance:
    """Recipients shuffled within each ranker, the same way for all sources that have as many recipients.

    Sources share the ranker's base, so that their indices are not independent even where nothing transfers.
    """
    rng = np.random.default_rng(_SEED)
    stacks = _stacks([table.changes for table in tables])
    drawn = np.empty(_SHUFFLES)
    for number in range(_SHUFFLES):
        values = np.concatenate([agreement.mean_tau(agreement.shuffled(stack, rng)) for stack in stacks])
        values = values[~np.isnan(values)]
        drawn[number] = np.median(values) if len(values) else np.nan
    recipients = round(float(np.median([table.changes.shape[1] for table in tables])))
    highest = float(np.nanquantile(drawn, 0.95))
    return Chance(agreement.null_deviation(rankers, recipients), highest, agreement.permutation_p(index, drawn))


def _noise(tables: Sequence[_Table]) -> Noise:
    """Variances are pooled over sources: a ratio of two means, not a mean of unstable ratios."""
    spread = float(np.mean([table.spread for table in tables]))
    noise = float(np.mean([table.noise for table in tables]))
    reliability = max(0.0, 1 - noise / spread) if spread > 0 else 0.0
    ceiling = agreement.attenuated_tau(1.0, reliability)
    if reliability < _LEAST_RELIABILITY:
        why = "recipients differ hardly more than by item noise: true agreement cannot be estimated"
        return Noise(reliability, ceiling, why=why)
    mean = float(np.mean([table.index for table in tables]))
    drawn = np.array([table.drawn_index for table in tables])
    low, high = _interval(mean, drawn[:, ~np.isnan(drawn).any(axis=0)].mean(axis=0))
    if low is None or high is None:
        return Noise(reliability, ceiling, agreement.disattenuated(mean, reliability))
    rho, lowest, highest = (agreement.disattenuated(tau, reliability) for tau in (mean, low, high))
    return Noise(reliability, ceiling, rho, lowest, highest)


def _w(complete: Sequence[Floats]) -> tuple[float | None, float | None]:
    """Kendall's W, the mean over sources, and how often shuffled recipients give as much."""
    stacks = _stacks(complete)

    def mean(stacks: Sequence[Floats]) -> float:
        values = np.concatenate([agreement.kendall_w(stack) for stack in stacks])
        return float(values[~np.isnan(values)].mean()) if not np.isnan(values).all() else np.nan

    value = mean(stacks) if stacks else np.nan
    if np.isnan(value):
        return None, None
    rng = np.random.default_rng(_SEED)
    drawn = [mean([agreement.shuffled(stack, rng) for stack in stacks]) for _ in range(_SHUFFLES)]
    return value, agreement.permutation_p(value, np.array(drawn))


def _stacks(tables: Sequence[Floats]) -> list[Floats]:
    """Tables that have as many recipients, together."""
    by_size: dict[int, list[Floats]] = {}
    for table in tables:
        by_size.setdefault(table.shape[1], []).append(table)
    return [np.array(stack) for stack in by_size.values()]


def _signs(complete: Sequence[Floats], rankers: int) -> Signs | None:
    if not complete:
        return None
    changes = np.concatenate(complete, axis=1)
    moved = (gained(changes) | harmed(changes)).mean(axis=0) >= 0.5
    if not moved.any():
        return None
    agreeing = agreement.sign_agreement(changes[:, moved])
    return Signs(float(agreeing.mean()), int(moved.sum()), agreement.chance_sign_agreement(rankers))
