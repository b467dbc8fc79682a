"""Draws of true scores given estimates with correlated noise: the normal model in which scores are exchangeable.

Draws about the estimates themselves take the highest estimate for as likely too low as too high. It is more often too high: it is the
highest partly by chance. Here true scores are normal about a common mean with a variance τ² that the scores themselves tell, so
that draws are as far apart as true scores are.
"""

from __future__ import annotations

import numpy as np

from crossgraft.core import Floats

_GRID = 200  # values of τ²
_SILENT = 1e-12  # pp²: noise below it is none


def true_scores(estimates: Floats, noise: Floats, rng: np.random.Generator) -> Floats:
    """Draws (draws, n) of the n true scores less their mean, from joint ``noise`` (draws, n), the deviations of other estimates from the truth.

    In the axes of the noise's covariance, with λ its variance there, the posterior of an axis given τ² is t + τ²/(τ² + λ)(x - t - e) with t ~ N(0, τ²) and e a draw of
    noise (Matheron's rule). τ² is drawn too, from a prior under which the share of the variance that is noise, λ/(τ² + λ) at
    the mean λ, is uniform from 0 to 1 (Strawderman, 1971): five scores tell their spread badly.
    """
    x, e = _centred(estimates), _centred(noise)
    e = e - e.mean(axis=0)
    covariance = np.cov(e.T)
    away = 1 + 2 * float(np.trace(covariance))  # makes the mean of all, which was taken off, the last axis
    values, axes = np.linalg.eigh(covariance + away / len(x))
    values, axes = np.maximum(values[:-1], 0.0), axes[:, :-1]
    typical = float(values.mean())
    if typical < _SILENT:
        return np.asarray(x + e)
    along = x @ axes
    spread = _variances(along, values, typical, len(e), rng)[:, None]
    true = np.sqrt(spread) * (rng.standard_normal(e.shape) @ axes)
    kept = spread / (spread + values)
    return np.asarray((true + kept * (along - true - e @ axes)) @ axes.T)


def _variances(along: Floats, values: Floats, typical: float, draws: int, rng: np.random.Generator) -> Floats:
    """Draws of τ² from its posterior, on a grid that is even in the share of noise."""
    share = (np.arange(_GRID) + 0.5) / _GRID
    spread = typical * (1 - share) / share
    total = spread[:, None] + values
    likelihood = -0.5 * (np.log(total) + along**2 / total).sum(axis=1)
    weights = np.exp(likelihood - likelihood.max())
    return np.asarray(rng.choice(spread, size=draws, p=weights / weights.sum()))


def _centred(rows: Floats) -> Floats:
    return np.asarray(rows - rows.mean(axis=-1, keepdims=True))
