"""Is it the model, the source or the target: shares of the variance of transfer, crossed and as the paper fitted them.

Crossed: an effect of the target is what the target does in every model; what it does in one model stands under
"model × target". Nested: the release of Dymkiewicz et al. draws targets anew for each model (a property of the call
they use), so that the interaction is counted as the target's. Both are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import Draws, has_items
from crossgraft.analysis.intervals.seeds import by_name
from crossgraft.analysis.questions.variance.factors import FEW, crossed_design, nested_design
from crossgraft.analysis.questions.variance.noise import noise_draws
from crossgraft.analysis.wording import TINY
from crossgraft.core import Floats, Labels, Regime
from crossgraft.errors import DataError
from crossgraft.stats.mixed.design import Design, Factor
from crossgraft.stats.mixed.minque import quadratic_components
from crossgraft.stats.mixed.model import MixedFit, fit
from crossgraft.stats.mixed.scoring import Scoring
from crossgraft.stats.mixed.shares import FEWEST, Ends, Shares, parts, without_noise
from crossgraft.stats.mixed.strata import Strata
from crossgraft.stats.resampling.contrasts import Interval
from crossgraft.transfer.changes import ChangeCell

DRAWN = 500
CELL = "cell"  # what no factor explains
NOISE = "items and seeds"  # noise, wherever it stood
_FEWEST = 12  # cells
_NO_NOISE = "without outcomes of items noise cannot be taken out: it is in every share, and shares have no interval"
_NO_INTERVAL = "no interval: noise is in it, and how much is not known"


@dataclass(frozen=True)
class VarianceShare:
    """One factor's part of the variance of transfer.

    Components in squared percentage points: ``raw`` as fitted, ``noise`` what items (noise of the base among them) and
    seeds put into it, ``component`` the rest. ``share`` is of the sum of all raw ones, in [0, 1]; ``low`` and ``high``
    are for other models, tasks and languages of the kind, None where the note says why. The last line of the crossed
    fit is what was taken as noise. From the nested fit nothing is.
    """

    factor: str
    levels: int
    raw: float
    noise: float
    component: float
    share: float
    low: float | None
    high: float | None
    note: str = ""


@dataclass(frozen=True)
class FixedEffect:
    """An effect in percentage points, with its 95 % interval by Satterthwaite's degrees of freedom."""

    name: str
    effect: Interval


@dataclass(frozen=True)
class VarianceFit:
    """A fitted model in words and numbers."""

    name: str
    words: str
    cells: int
    deviance: float
    fixed: tuple[FixedEffect, ...]
    shares: tuple[VarianceShare, ...]


@dataclass(frozen=True)
class Variance:
    """The two fits side by side, or why they cannot be made."""

    crossed: VarianceFit | None = None
    nested: VarianceFit | None = None
    notes: tuple[str, ...] = ()
    why: str = ""


def variance(draws: Draws, labels: Labels, *, regime: Regime | None = None, count: int = DRAWN) -> Variance:
    """Of all transfer cells, or of one regime: those on the source itself are left out, as in the paper.

    All cells are fitted from several starts; a regime, which takes as long and is read less, from one.
    """
    cells = sorted(
        (cell for cell in select.elsewhere(draws.cells) if regime in (None, cell.regime)),
        key=lambda cell: (by_name(cell.row), str(cell.target)),
    )
    if why := _nothing(cells):
        return Variance(why=why)
    places = [(cell.row, cell.target) for cell in cells]
    y = np.array([cell.change.mean for cell in cells])
    try:
        grid = crossed_design(places, range(len(places)), labels, pairs=True)
        design, unfit = _with_df(grid.design)
        by_model = nested_design(places)
        if not design.factors or not by_model.factors:
            return Variance(why="no factor has several levels with several cells each", notes=grid.notes)
        crossed = fit(design, y, scoring=Scoring().once() if regime else Scoring())
        nested = fit(by_model, y, scoring=Scoring().once())
    except DataError as error:
        return Variance(why=str(error))
    noise = noise_draws(draws, cells) if has_items(cells) else None
    notes = (*grid.notes, *unfit, *(() if noise is not None else (_NO_NOISE,)))
    pairs = Factor.of("pair", [(row.source or row.name, target) for row, target in places])
    again = {
        "crossed": _intervals(design, y, noise, pairs, count) if noise is not None else None,
        "nested": _intervals(by_model, y, None, pairs, count),
    }
    return Variance(
        _described(
            "crossed",
            "effects in common to all models, and interactions apart",
            crossed,
            None if noise is None else quadratic_components(design, crossed.likelihood.equations, noise).mean(axis=0),
            again["crossed"],
        ),
        _described(
            "nested", "effects drawn anew in each model, as in the authors' release", nested, None, again["nested"]
        ),
        notes,
    )


def _with_df(design: Design) -> tuple[Design, list[str]]:
    """Factors to which coarser ones leave a degree of freedom, and a sentence on each of the others."""
    found = Strata.of(design).df
    kept = tuple(factor for factor, df in zip(design.factors, found, strict=False) if df)
    notes = [
        f"{factor.name} has no degree of freedom beyond coarser factors and regimes; its variance stands under them"
        for factor, df in zip(design.factors, found, strict=False)
        if not df
    ]
    return Design(kept, design.fixed, design.names), notes


def _intervals(design: Design, y: Floats, noise: Floats | None, pairs: Factor, count: int) -> list[Ends]:
    strata = Strata.of(design)
    if strata.df[-1] < FEWEST:
        return [None] * (len(strata.df) + 1)
    return Shares.of(strata, y, noise, pairs, draws=count, rng=np.random.default_rng(0)).intervals()


def _nothing(cells: Sequence[ChangeCell]) -> str:
    if len(cells) < _FEWEST:
        return f"it takes {_FEWEST} cells besides those on the source itself; there are {len(cells)}"
    if len({round(cell.change.mean / TINY) for cell in cells}) == 1:
        return "all cells changed by the same amount: there is no variance to part"
    return ""


def _described(
    name: str, words: str, mixed_fit: MixedFit, noise: Floats | None, intervals: Sequence[Ends] | None
) -> VarianceFit:
    """Without ``noise`` (k + 1,) the components stay as fitted, without intervals."""
    raw, cells = mixed_fit.components, len(mixed_fit.design.fixed)
    factors = [(factor.name, factor.levels) for factor in mixed_fit.design.factors] + [(CELL, cells)]
    components, added, values = raw, np.zeros(len(raw)), parts(raw, noise)
    if noise is not None:
        components = without_noise(raw, noise)
        raw, added = np.append(raw, 0.0), np.append(noise, 0.0)
        factors.append((NOISE, cells))
    return VarianceFit(
        name=name,
        words=words,
        cells=cells,
        deviance=mixed_fit.deviance,
        fixed=tuple(
            FixedEffect(effect, mixed_fit.contrast(np.eye(len(mixed_fit.design.names))[place]))
            for place, effect in enumerate(mixed_fit.design.names)
        ),
        shares=tuple(
            VarianceShare(
                factor=factor,
                levels=levels,
                raw=float(raw[place]),
                noise=float(added[place]),
                component=float(components[place]),
                share=values[place],
                low=min(values[place], ends[0]) if ends else None,
                high=max(values[place], ends[1]) if ends else None,
                note="" if factor == NOISE else _note(float(raw[place]), float(added[place]), levels, ends, intervals),
            )
            for place, (factor, levels) in enumerate(factors)
            for ends in [intervals[place] if intervals else None]
        ),
    )


def _note(raw: float, noise: float, levels: int, ends: Ends, intervals: Sequence[Ends] | None) -> str:
    notes = []
    if raw <= TINY:
        notes.append("estimated at zero")
    elif raw <= noise:
        notes.append("no more than the noise of items and seeds")
    if levels < FEW:
        notes.append(f"{levels} levels: hardly known")
    if ends is None:
        notes.append("no interval: fewer than two degrees of freedom" if intervals else _NO_INTERVAL)
    return "; ".join(notes)
