"""What share of the variance each factor has, with an interval from grids drawn from the fitted model.

Few levels make a component uncertain (with six models the variance between models is known to a factor of four), and
its bootstrap distribution skewed: percentile intervals are too short. The basic interval on the logit scale is better
(Davison and Hinkley, 1997, ch. 5): logit s = 2 logit ŝ - logit s*, over draws s*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from crossgraft.core import Floats
from crossgraft.stats.likelihood import Likelihood
from crossgraft.stats.minque import quadratic_components
from crossgraft.stats.mixed import MixedFit
from crossgraft.stats.scoring import Scoring

FLOOR = 0.002  # shares below it are not told from one another, or from zero
REFITTED = 400  # levels up to which every draw is fitted anew; beyond, one scoring step from the fit serves
_ROUGH = Scoring(starts=0, enough=1e-4)


@dataclass(frozen=True)
class Share:
    """A part of the whole, in [0, 1], with its 95 % interval."""

    value: float
    low: float
    high: float


def drawn_components(fit: MixedFit, draws: int, rng: np.random.Generator, *, refit: bool | None = None) -> Floats:
    """Components estimated from grids drawn from the fit: (draws, k + 1), not below zero.

    Levels and residuals are drawn anew, so the intervals are for other models, tasks and languages of the same kind.
    ``refit`` says whether each draw is fitted to the end; by default where that takes less than a minute.
    """
    design, equations = fit.design, fit.likelihood.equations
    found = np.empty((draws, len(fit.components)))
    cross = equations.cross
    with threadpool_limits(limits=1):
        for n in range(draws):
            y = _drawn(fit, rng)
            if refit if refit is not None else sum(design.sizes) <= REFITTED:
                start = Likelihood(equations, design.moments(y, cross=cross))
                best = _ROUGH.climb(start)
                found[n] = np.append(best.equations.ratios, 1.0) * best.variance
            else:
                found[n] = quadratic_components(design, equations, y[None])[0]
    return np.maximum(found, 0.0)


def shares(components: Floats, drawn: Floats, noise: Floats | None = None) -> list[Share]:
    """Shares of the components (k,), less what noise put into each, with intervals from draws (draws, k)."""
    taken = np.zeros(len(components)) if noise is None else noise
    value, others = _parts(components - taken), _parts(drawn - taken)
    return [basic_interval(float(one), others[:, place]) for place, one in enumerate(value)]


def basic_interval(value: float, drawn: Floats) -> Share:
    """On the logit scale; a share of zero has the interval from zero to the draws' own upper quantile."""
    if value <= FLOOR:
        return Share(value, 0.0, max(value, float(np.quantile(drawn, 0.975))))
    if value >= 1 - FLOOR:
        return Share(value, min(value, float(np.quantile(drawn, 0.025))), 1.0)
    low, high = 2 * _logit(np.array(value)) - np.quantile(_logit(drawn), [0.975, 0.025])
    return Share(value, min(value, _expit(low)), max(value, _expit(high)))


def _parts(components: Floats) -> Floats:
    """Of their sum, negative ones taken as zero; all zero where nothing is left."""
    kept = np.maximum(components, 0.0)
    whole = kept.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(kept, whole, out=np.zeros_like(kept), where=whole > 0))


def _drawn(fit: MixedFit, rng: np.random.Generator) -> Floats:
    *factors, residual = np.sqrt(fit.components)
    y = residual * rng.standard_normal(len(fit.design.fixed))
    for factor, deviation in zip(fit.design.factors, factors, strict=True):
        if deviation > 0:
            y += factor.spread(deviation * rng.standard_normal(factor.levels))
    return np.asarray(y)


def _logit(shares: Floats) -> Floats:
    inside = np.clip(shares, FLOOR, 1 - FLOOR)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _expit(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
