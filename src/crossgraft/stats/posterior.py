"""Draws of what every cell would be without noise, measured or not: best linear prediction and its uncertainty.

Empirical Bayes: variances are taken as known from the fit. Effects have the joint normal posterior of the mixed model
equations (flat prior for fixed effects); a measured cell keeps the part ρ/(ρ + v) of what its effects do not explain
(the shrinkage of James and Stein, 1961); one that was not measured varies by ρ.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from crossgraft.core import Floats
from crossgraft.stats.design import Codes, Design
from crossgraft.stats.known_noise import NoisyFit

NOT_MEASURED = -1


def posterior_draws(
    found: NoisyFit,
    wanted: Design,
    rows: npt.NDArray[np.integer],
    groups: Codes,
    *,
    draws: int,
    rng: np.random.Generator,
) -> Floats:
    """(draws, m) for the m cells of ``wanted``, which has the factors of the fit.

    ``rows`` (m,) is the row of the fit that measured a cell, or NOT_MEASURED; ``groups`` (m,) its group of ρ.
    """
    effects = _effects(found, draws, rng)
    cells = wanted.predict(_without_luck(found, effects, rng))
    cells += rng.standard_normal((draws, len(rows))) * _spread(found, rows, groups)
    measured = rows != NOT_MEASURED
    left = found.y - found.fit.design.predict(effects)
    at = rows[measured]
    cells[:, measured] += left[:, at] * (_own(found) / (_own(found) + found.noise.variance))[at]
    return np.asarray(cells)


def _without_luck(found: NoisyFit, effects: Floats, rng: np.random.Generator) -> Floats:
    """Of a level's γ + v the part γ: N(γ/(γ + v) u, γv/(γ + v)) for the level's draw u."""
    luck = found.noise.levels
    if luck is None:
        return effects
    own = np.repeat(found.components, found.fit.design.sizes)
    part = np.divide(own, own + luck, out=np.zeros(len(own)), where=own + luck > 0)
    kept = effects.copy()
    normal = rng.standard_normal((len(effects), len(own)))
    kept[:, : len(own)] = part * effects[:, : len(own)] + np.sqrt(part * luck) * normal
    return kept


def _effects(found: NoisyFit, draws: int, rng: np.random.Generator) -> Floats:
    """Of all levels and fixed effects: their predictions plus D L⁻ᵀ z."""
    from scipy.linalg import solve_triangular  # slow to import, and most commands need no statistics

    equations = found.fit.likelihood.equations
    normal = rng.standard_normal((len(equations.cross), draws))
    with threadpool_limits(limits=1):
        half = solve_triangular(equations.root, normal, lower=True, trans="T", check_finite=False)
    return np.asarray(found.fit.effects + (equations.scale[:, None] * half).T)


def _own(found: NoisyFit) -> Floats:
    """ρ of every row of the fit."""
    return np.asarray(found.cells[found.noise.groups])


def _spread(found: NoisyFit, rows: npt.NDArray[np.integer], groups: Codes) -> Floats:
    """Standard deviation of a cell about its effects: of a measured one √(ρv/(ρ + v))."""
    own, noise = found.cells[groups], np.full(len(rows), np.inf)
    measured = rows != NOT_MEASURED
    noise[measured] = found.noise.variance[rows[measured]]
    return np.asarray(np.sqrt(np.divide(own, 1 + own / noise)))
