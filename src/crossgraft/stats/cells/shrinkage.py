"""Many noisy values, each judged in the light of all: adaptive shrinkage (Stephens, 2017).

True values are zero, or drawn from a mixture of normal distributions around zero whose weights the data themselves tell.
What comes out is, for each value, a better guess than itself, and the probability that its sign is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from crossgraft.core import Floats

_STEP = np.sqrt(2.0)  # between the standard deviations of the mixture
_NULL = 10.0  # how many observations of zero the penalty is worth: when in doubt, no effect
_ROUNDS = 2000


@dataclass(frozen=True)
class Shrunken:
    """``mean`` is the posterior mean of each value, ``positive`` the probability that it is above zero, ``false_sign`` the local false sign rate, ``zero`` the share of true zeros."""

    mean: Floats
    positive: Floats
    false_sign: Floats
    zero: float
    scales: Floats  # standard deviations of the mixture, the first of them 0
    weights: Floats


def shrunken(values: Floats, errors: Floats) -> Shrunken:
    """Posterior of each value under the mixture that fits all of them best, given their standard errors."""
    scales = _scales(values, errors)
    likelihood = _log_likelihood(values, errors, scales)  # (n, components)
    scaled = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    weights = _weights(scaled)
    posterior = scaled * weights
    posterior /= posterior.sum(axis=1, keepdims=True)
    keep = scales**2 / (scales**2 + errors[:, None] ** 2)  # how much of the value a component keeps
    means = keep * values[:, None]
    deviations = np.sqrt(keep) * errors[:, None]
    below = np.zeros_like(means)
    spread = scales > 0
    below[:, spread] = np.exp(log_ndtr(-means[:, spread] / deviations[:, spread]))
    above = np.where(spread, 1 - below, 0.0)
    zero = posterior[:, 0]
    wrong = zero + np.minimum((posterior * below).sum(axis=1), (posterior * above).sum(axis=1))
    return Shrunken(
        (posterior * means).sum(axis=1),
        (posterior * above).sum(axis=1),
        np.clip(wrong, 0, 1),
        float(weights[0]),
        scales,
        weights,
    )


def _scales(values: Floats, errors: Floats) -> Floats:
    """Zero, and steps down from twice what the largest value asks for to a tenth of the smallest error."""
    smallest = float(errors.min()) / 10
    largest = max(2 * np.sqrt(max(float(np.max(values**2 - errors**2)), 0.0)), 8 * smallest)
    count = int(np.ceil(np.log(largest / smallest) / np.log(_STEP)))
    return np.concatenate([[0.0], largest / _STEP ** np.arange(count, -1, -1)])


def _log_likelihood(values: Floats, errors: Floats, scales: Floats) -> Floats:
    variance = errors[:, None] ** 2 + scales**2
    return np.asarray(-0.5 * (np.log(variance) + values[:, None] ** 2 / variance))


def _weights(likelihood: Floats) -> Floats:
    """The mixture of greatest penalised likelihood, by expectation–maximisation."""
    extra = np.zeros(likelihood.shape[1])
    extra[0] = _NULL - 1
    weights = np.full(likelihood.shape[1], 1 / likelihood.shape[1])
    for _ in range(_ROUNDS):
        found = weights * ((1 / (likelihood @ weights)) @ likelihood) + extra  # shares of each component, summed
        found /= found.sum()
        if np.abs(found - weights).max() < 1e-7:
            return np.asarray(found)
        weights = found
    return np.asarray(weights)
