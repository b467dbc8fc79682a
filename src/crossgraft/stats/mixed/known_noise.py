"""REML where the noise of each row is known: y = X β + Z b + c + e, c ~ N(0, ρ), e ~ N(0, v) with v given.

What is left over by the factors is parted in two: the cells' own variance ρ, one for each group of rows (benchmarks
differ by a factor of twenty), and measurement noise. Rows of little noise count for more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from crossgraft.core import Floats
from crossgraft.errors import DataError
from crossgraft.stats.mixed.design import Codes, Design
from crossgraft.stats.mixed.likelihood import Likelihood
from crossgraft.stats.mixed.model import MixedFit, centred
from crossgraft.stats.mixed.scoring import Scoring, at

_ROUNDS = 60
_SETTLED = 1e-5  # a relative move of all variances of cells that is none


@dataclass(frozen=True, eq=False)
class Noise:
    """What is known of the rows: noise variances (n,), above zero, and the group each belongs to (n,).

    ``levels`` (q,) is noise that rows have in common: a variance that each level of the factors has by chance alone.
    """

    variance: Floats
    groups: Codes
    levels: Floats | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.variance).all() and (self.variance > 0).all()):
            raise DataError("expected the noise variance of every row to be a number above zero")


@dataclass(frozen=True, eq=False)
class NoisyFit:
    """A fit with known noise. Of ``fit`` the variance is 1 and the components are in the squared unit of y."""

    fit: MixedFit
    cells: Floats  # (groups,) ρ, the variance of cells beyond all factors, without noise
    noise: Noise
    y: Floats

    @property
    def components(self) -> Floats:
        """Of the factors, without noise."""
        return self.fit.components[:-1]


def fit_known_noise(design: Design, y: Floats, noise: Noise) -> NoisyFit:
    """Alternate scoring steps for the factors at fixed weights 1/(ρ + v) with steps for ρ, until neither moves."""
    centre, residual = centred(design, y)
    groups = int(noise.groups.max()) + 1
    spread = float(np.var(residual))
    least = 1e-6 * spread
    cells = np.full(groups, max(spread / 2, least))
    ratios = np.full(len(design.factors), spread / (4 * max(len(design.factors), 1)))
    few = Scoring(starts=0, steps=3)
    with threadpool_limits(limits=1):
        for _ in range(_ROUNDS):
            best = few.climb(_weighted(design, residual, noise, cells, ratios))
            moved = np.maximum(cells + _cell_step(design, best, residual, noise, cells), least)
            settled = bool(np.all(np.abs(moved - cells) <= _SETTLED * (cells + least)))
            cells, ratios = moved, best.equations.ratios
            if settled:
                break
        best = Scoring(starts=0).climb(_weighted(design, residual, noise, cells, ratios))
    return NoisyFit(MixedFit(design, best, centre), cells, noise, y)


def _weighted(design: Design, y: Floats, noise: Noise, cells: Floats, ratios: Floats) -> Likelihood:
    return at(design.moments(y, 1 / (cells[noise.groups] + noise.variance)), ratios, 1.0, noise.levels)


def _cell_step(design: Design, likelihood: Likelihood, y: Floats, noise: Noise, cells: Floats) -> Floats:
    """A scoring step for ρ of each group: (‖Py‖² - tr P) / tr P², the last by the mean leverage of the group."""
    weights = 1 / (cells[noise.groups] + noise.variance)
    whole = MixedFit(design, likelihood, np.zeros(design.fixed.shape[1]))
    left = weights * (y - design.predict(whole.effects))
    equations = likelihood.equations
    inverse = equations.forward(np.eye(len(equations.cross)))
    covariance = inverse.T @ inverse  # of all effects
    steps = np.empty(len(cells))
    for group in range(len(cells)):
        inside = np.where(noise.groups == group, weights, 0.0)
        trace = inside.sum() - float(np.sum(covariance * design.cross(inside**2)))
        information = float(inside @ inside) * (trace / inside.sum()) ** 2 if trace > 0 else np.inf
        steps[group] = (float(left[inside > 0] @ left[inside > 0]) - trace) / information
    return steps
