"""Draws of what every cell would be without noise, measured or not: best linear prediction and its uncertainty.

Given the variances, effects have the joint normal posterior of the mixed model equations (flat prior for fixed
effects); a measured cell keeps the part ρ/(ρ + v) of what its effects do not explain (the shrinkage of James and
Stein, 1961); one that was not measured varies by ρ. The variances of factors are themselves drawn, from the normal
distribution of their estimates cut off at zero: those of few levels are hardly known, and intervals that take them as
known are too short (Kass and Steffey, 1989).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from crossgraft.core import Floats
from crossgraft.stats.mixed.design import Codes, Design
from crossgraft.stats.mixed.known_noise import NoisyFit
from crossgraft.stats.mixed.likelihood import Likelihood
from crossgraft.stats.mixed.scoring import moved

NOT_MEASURED = -1
_BATCHES = 25  # draws of the variances


def posterior_draws(
    fit: NoisyFit,
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
    sizes = np.full(_BATCHES, draws // _BATCHES) + (np.arange(_BATCHES) < draws % _BATCHES)
    drawn = [
        _batch(fit, likelihood, int(size), rng) for likelihood, size in zip(_likelihoods(fit, rng), sizes, strict=True)
    ]
    effects, kept = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    cells = wanted.predict(kept) + rng.standard_normal((draws, len(rows))) * _spread(fit, rows, groups)
    measured = rows != NOT_MEASURED
    left = fit.y - fit.fit.design.predict(effects)
    at = rows[measured]
    cells[:, measured] += left[:, at] * (_cell_ratios(fit) / (_cell_ratios(fit) + fit.noise.variance))[at]
    return np.asarray(cells)


def _likelihoods(fit: NoisyFit, rng: np.random.Generator) -> Iterator[Likelihood]:
    """At draws of the variances of factors."""
    best = fit.fit.likelihood
    if not len(fit.components):
        yield from [best] * _BATCHES
        return
    covariance = np.linalg.pinv(best.information, hermitian=True)
    for ratios in rng.multivariate_normal(fit.components, covariance, size=_BATCHES, method="eigh"):
        yield moved(best, np.maximum(ratios, 0.0))


def _batch(noisy_fit: NoisyFit, likelihood: Likelihood, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """All levels and fixed effects, (draws, q + p): as the rows have them, and without the noise in them."""
    from scipy.linalg import solve_triangular  # slow to import, and most commands need no statistics

    fit = replace(noisy_fit.fit, likelihood=likelihood)
    equations = likelihood.equations
    with threadpool_limits(limits=1):
        normal = rng.standard_normal((len(equations.cross), draws))
        half = solve_triangular(equations.root, normal, lower=True, trans="T", check_finite=False)
        effects = np.asarray(fit.effects + (equations.scale[:, None] * half).T)
    return effects, _without_luck(effects, np.repeat(equations.ratios, equations.sizes), noisy_fit.noise.levels, rng)


def _without_luck(effects: Floats, own: Floats, noise: Floats | None, rng: np.random.Generator) -> Floats:
    """Of a level's γ + v the part γ: N(γ/(γ + v) u, γv/(γ + v)) for the level's draw u."""
    if noise is None:
        return effects
    part = np.divide(own, own + noise, out=np.zeros(len(own)), where=own + noise > 0)
    kept = effects.copy()
    normal = rng.standard_normal((len(effects), len(own)))
    kept[:, : len(own)] = part * effects[:, : len(own)] + np.sqrt(part * noise) * normal
    return kept


def _cell_ratios(fit: NoisyFit) -> Floats:
    """ρ of every row of the fit."""
    return np.asarray(fit.cells[fit.noise.groups])


def _spread(fit: NoisyFit, rows: npt.NDArray[np.integer], groups: Codes) -> Floats:
    """Standard deviation of a cell about its effects: of a measured one √(ρv/(ρ + v))."""
    own, noise = fit.cells[groups], np.full(len(rows), np.inf)
    measured = rows != NOT_MEASURED
    noise[measured] = fit.noise.variance[rows[measured]]
    return np.asarray(np.sqrt(np.divide(own, 1 + own / noise)))
