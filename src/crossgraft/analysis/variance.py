"""Is it the model, the source or the target: shares of the variance of transfer, crossed and as the paper fitted them.

Crossed: an effect of the target is what the target does in every model; what it does in one model stands under
"model × target". Nested: the release of Dymkiewicz et al. draws targets anew for each model (a property of the call
they use), so that the interaction is counted as the target's. Both are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.draws import Draws
from crossgraft.analysis.factors import FEW, crossed_design, nested_design
from crossgraft.analysis.noise import noise_draws
from crossgraft.analysis.seeds import by_name
from crossgraft.analysis.wording import TINY
from crossgraft.changes import ChangeCell
from crossgraft.core import Floats, Labels, Regime
from crossgraft.errors import DataError
from crossgraft.stats.contrasts import Interval
from crossgraft.stats.minque import quadratic_components
from crossgraft.stats.mixed import MixedFit, fit
from crossgraft.stats.scoring import Scoring
from crossgraft.stats.shares import Share, drawn_components, shares, without_noise

DRAWN = 500
CELL = "cell"  # what no factor explains
NOISE = "items and seeds"  # noise, wherever it stood
_FEWEST = 12  # cells


@dataclass(frozen=True)
class VarianceShare:
    """One factor's part of the variance of transfer.

    Components in squared percentage points: ``raw`` as fitted, ``noise`` what items (the base's luck among them) and
    seeds put into it, ``component`` the rest. ``share`` is of the sum of all raw ones, in [0, 1]; ``low`` and ``high``
    are for other models, tasks and languages of the kind, ``of_these`` for these with other items and seeds. The last
    line of the crossed fit is what was taken as noise. From the nested fit nothing is, and it has no ``of_these``.
    """

    factor: str
    levels: int
    raw: float
    noise: float
    component: float
    share: float
    low: float
    high: float
    of_these: Share | None
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
    """The two fits side by side, or why there are none."""

    crossed: VarianceFit | None = None
    nested: VarianceFit | None = None
    notes: tuple[str, ...] = ()
    why: str = ""


def variance(draws: Draws, labels: Labels, *, regime: Regime | None = None, count: int = DRAWN) -> Variance:
    """Of all transfer cells, or of one regime: those on the source itself are left out, as in the paper.

    All cells are fitted from several starts; a regime, which takes as long and is read less, from one.
    """
    cells = sorted(
        (cell for cell in draws.cells if cell.regime != "MT-ML" and regime in (None, cell.regime)),
        key=lambda cell: (by_name(cell.row), str(cell.target)),
    )
    if why := _nothing(cells):
        return Variance(why=why)
    places = [(cell.row, cell.target) for cell in cells]
    y = np.array([cell.change.mean for cell in cells])
    try:
        grid = crossed_design(places, range(len(places)), labels)
        by_model = nested_design(places)
        if not grid.design.factors or not by_model.factors:
            return Variance(why="no factor has several levels with several cells each", notes=grid.notes)
        crossed = fit(grid.design, y, scoring=Scoring().once() if regime else Scoring())
        nested = fit(by_model, y, scoring=Scoring().once())
    except DataError as error:
        return Variance(why=str(error))
    measured = all(cell.items for cell in cells)
    taken = _noise_parts(crossed, y, noise_draws(draws, cells)) if measured else None
    notes = grid.notes if measured else (*grid.notes, "without outcomes of items, noise cannot be taken out")
    return Variance(
        _described("crossed", "effects in common to all models, and interactions apart", crossed, taken, count),
        _described("nested", "effects drawn anew in each model, as in the authors' release", nested, None, count),
        notes,
    )


def _nothing(cells: Sequence[ChangeCell]) -> str:
    if len(cells) < _FEWEST:
        return f"it takes {_FEWEST} cells besides those on the source itself; there are {len(cells)}"
    if len({round(cell.change.mean / TINY) for cell in cells}) == 1:
        return "all cells changed by the same amount: there is no variance to part"
    return ""


@dataclass(frozen=True, eq=False)
class _NoiseParts:
    """What noise adds to each component (k,), and the components of these cells with other items and seeds (draws, k)."""

    added: Floats
    these: Floats


def _noise_parts(found: MixedFit, y: Floats, noise: Floats) -> _NoiseParts:
    """By quadratic estimates at the fit, which are linear in what is to be parted; centred, as noise is in y already."""
    design, equations = found.design, found.likelihood.equations
    left = y - design.fixed @ found.centre
    these = quadratic_components(design, equations, left + noise)
    added = quadratic_components(design, equations, noise).mean(axis=0)
    return _NoiseParts(added, np.maximum(these - these.mean(axis=0) + found.components, 0.0))


def _described(name: str, words: str, found: MixedFit, taken: _NoiseParts | None, count: int) -> VarianceFit:
    """Without ``taken`` the components are left as they are fitted."""
    raw, cells = found.components, len(found.design.fixed)
    drawn = drawn_components(found, count, np.random.default_rng(0))
    factors = [(factor.name, factor.levels) for factor in found.design.factors] + [(CELL, cells)]
    within: Sequence[Share | None] = [None] * len(raw)
    components, added, across = raw, np.zeros(len(raw)), shares(raw, drawn)
    if taken is not None:
        across, within = (shares(raw, draws, taken.added) for draws in (drawn, taken.these))
        components = without_noise(raw, taken.added)
        raw, added = np.append(raw, 0.0), np.append(taken.added, 0.0)
        factors.append((NOISE, cells))
    return VarianceFit(
        name=name,
        words=words,
        cells=cells,
        deviance=found.deviance,
        fixed=tuple(
            FixedEffect(effect, found.contrast(np.eye(len(found.design.names))[place]))
            for place, effect in enumerate(found.design.names)
        ),
        shares=tuple(
            VarianceShare(
                factor=factor,
                levels=levels,
                raw=float(raw[place]),
                noise=float(added[place]),
                component=float(components[place]),
                share=across[place].value,
                low=across[place].low,
                high=across[place].high,
                of_these=within[place],
                note="" if factor == NOISE else _note(float(raw[place]), float(added[place]), levels),
            )
            for place, (factor, levels) in enumerate(factors)
        ),
    )


def _note(raw: float, noise: float, levels: int) -> str:
    notes = []
    if raw <= TINY:
        notes.append("estimated at zero")
    elif raw <= noise:
        notes.append("no more than the noise of items and seeds")
    if levels < FEW:
        notes.append(f"{levels} levels: hardly known")
    return "; ".join(notes)
