"""What share of the variance each factor has, with an interval from grids drawn from the fitted model.

Few levels make a component uncertain (with six models the variance between models is known to a factor of four), and
its bootstrap distribution skewed: percentile intervals are too short. Basic intervals (Davison and Hinkley, 1997, ch.
5) mirror the draws about the estimate, on a scale on which they are about symmetric. On the logit scale shares whose
draws are often zero get intervals that mean nothing; the fourth root of the odds keeps them finite, and covers small
and large shares alike (``benchmarks/mixed.py --coverage``).
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

_NONE = 1e-3  # a share that is as good as zero: there is nothing to mirror draws about
_MOST = 1e4  # odds of a share that is as good as one
_ROUGH = Scoring(starts=0, enough=1e-4)
_BLOCK = 100  # draws at a time, for memory


@dataclass(frozen=True)
class Share:
    """A part of the whole, in [0, 1], with its 95 % interval."""

    value: float
    low: float
    high: float


def drawn_components(fit: MixedFit, draws: int, rng: np.random.Generator, *, refit: bool = False) -> Floats:
    """Components estimated from grids drawn from the fit: (draws, k + 1), not below zero.

    Levels and residuals are drawn anew, so the intervals are for other models, tasks and languages of the same kind.
    Each draw is estimated by one scoring step from the fit, which is exact in balanced data and covers as well as
    fitting anew (``refit``, some ten times slower) where cells are missing (benchmarks/mixed.py).
    """
    design, equations = fit.design, fit.likelihood.equations
    with threadpool_limits(limits=1):
        if not refit:
            blocks = [min(_BLOCK, draws - start) for start in range(0, draws, _BLOCK)]
            found = [
                quadratic_components(design, equations, np.array([_drawn(fit, rng) for _ in range(size)]))
                for size in blocks
            ]
            return np.maximum(np.concatenate(found), 0.0)
        return np.array([_refitted(fit, _drawn(fit, rng)) for _ in range(draws)])


def _refitted(fit: MixedFit, y: Floats) -> Floats:
    equations = fit.likelihood.equations
    best = _ROUGH.climb(Likelihood(equations, fit.design.moments(y, cross=equations.cross)))
    return np.append(best.equations.ratios, 1.0) * best.variance


def shares(components: Floats, drawn: Floats, noise: Floats | None = None) -> list[Share]:
    """Shares of the components (k,), less what noise put into each, with intervals from draws (draws, k).

    With ``noise`` (k,) the last share is that of noise: k + 1 in all, which add up to 1.
    """
    if noise is None:
        value, others = _parts(components), _parts(drawn)
    else:
        value, others = _parts(without_noise(components, noise)), _parts(without_noise(drawn, noise))
    return [basic_interval(float(one), others[:, place]) for place, one in enumerate(value)]


def without_noise(components: Floats, noise: Floats) -> Floats:
    """Components less the noise in each, not below zero, and last all that was taken: (…, k) → (…, k + 1)."""
    kept = np.maximum(components - np.maximum(noise, 0.0), 0.0)
    return np.concatenate([kept, (components - kept).sum(axis=-1, keepdims=True)], axis=-1)


def basic_interval(value: float, drawn: Floats) -> Share:
    """Twice the estimate less the draws' quantiles, in fourth roots of odds; 2.5 % of the draws lie on each side.

    A share of zero has the interval from zero to the draws' own upper quantile.
    """
    if value <= _NONE:
        return Share(value, 0.0, max(value, float(np.quantile(drawn, 0.975))))
    edges = 2 * _root_of_odds(np.array(value)) - np.quantile(_root_of_odds(drawn), [0.975, 0.025])
    odds = np.maximum(edges, 0.0) ** 4
    low, high = odds / (1 + odds)
    return Share(value, min(value, float(low)), max(value, float(high)))


def _parts(components: Floats) -> Floats:
    """Of their sum; all zero where there is nothing."""
    whole = components.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(components, whole, out=np.zeros_like(components), where=whole > 0))


def _drawn(fit: MixedFit, rng: np.random.Generator) -> Floats:
    *factors, residual = np.sqrt(fit.components)
    y = residual * rng.standard_normal(len(fit.design.fixed))
    for factor, deviation in zip(fit.design.factors, factors, strict=True):
        if deviation > 0:
            y += deviation * rng.standard_normal(factor.levels)[factor.codes]
    return np.asarray(y)


def _root_of_odds(shares: Floats) -> Floats:
    inside = np.minimum(shares, _MOST / (1 + _MOST))
    return np.asarray((inside / (1 - inside)) ** 0.25)
