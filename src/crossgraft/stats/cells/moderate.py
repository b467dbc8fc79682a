"""Variances that are each known badly, made better by one another: empirical Bayes (Smyth, 2004)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, polygamma

from crossgraft.core import Floats


@dataclass(frozen=True)
class Moderated:
    """Variances drawn towards a common one, and what they are now worth.

    ``prior`` is the common variance, ``prior_df`` how many degrees of freedom it adds to each: infinite where the variances differ
    no more than they must.
    """

    variances: Floats
    df: Floats
    prior: float
    prior_df: float


def moderated(variances: Floats, df: Floats) -> Moderated:
    """Each variance as the mean of itself and the prior, weighted by degrees of freedom.

    The prior is an inverse χ² fitted to the logarithms: e = log s² - ψ(d/2) + log(d/2) has mean log s₀² - ψ(d₀/2) + log(d₀/2)
    and variance ψ′(d/2) + ψ′(d₀/2). A variance of zero says no more than that it is small; it counts as 1e-5 of the median.
    """
    typical = float(np.median(variances)) if len(variances) > 1 else 0.0
    if typical <= 0:
        return Moderated(variances, df, float(np.mean(variances)) if len(variances) else 0.0, 0.0)
    safe = np.maximum(variances, 1e-5 * typical)
    e = np.log(safe) - digamma(df / 2) + np.log(df / 2)
    spread = float(np.var(e, ddof=1)) - float(np.mean(polygamma(1, df / 2)))
    if spread <= 0:
        common = float(np.mean(safe))
        return Moderated(np.full(len(variances), common), np.full(len(df), np.inf), common, np.inf)
    prior_df = 2 * trigamma_inverse(spread)
    prior = float(np.exp(e.mean() + digamma(prior_df / 2) - np.log(prior_df / 2)))
    return Moderated((prior_df * prior + df * variances) / (prior_df + df), df + prior_df, prior, prior_df)


def trigamma_inverse(value: float) -> float:
    """x with ψ′(x) = value, by Newton's method on 1/ψ′, which is convex and nearly straight."""
    if value > 1e7:
        return 1 / float(np.sqrt(value))
    if value < 1e-6:
        return 1 / value
    x = 0.5 + 1 / value
    for _ in range(50):
        now = float(polygamma(1, x))
        step = now * (1 - now / value) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-10:
            break
    return x
