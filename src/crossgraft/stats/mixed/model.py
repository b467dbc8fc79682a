"""Variance components by restricted maximum likelihood: crossed factors, fixed effects, degrees of freedom.

    y = X β + Σⱼ Zⱼ bⱼ + e

Factors may be crossed, nested, unbalanced, and miss cells. The fit is lme4's (Bates et al., 2015); its time depends on
the number of levels, not of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from crossgraft.core import Floats
from crossgraft.errors import DataError
from crossgraft.stats.mixed.design import Design
from crossgraft.stats.mixed.likelihood import Likelihood
from crossgraft.stats.mixed.scoring import Scoring
from crossgraft.stats.resampling.contrasts import Interval, interval

RESIDUAL = "residual"


@dataclass(frozen=True, eq=False)
class MixedFit:
    """A fitted model: variances in the squared unit of y, effects in its unit."""

    design: Design
    likelihood: Likelihood  # of y less the least-squares fit of the fixed effects
    centre: Floats  # (p,) that fit

    @property
    def deviance(self) -> float:
        """-2 log restricted likelihood; lme4's REML criterion."""
        return self.likelihood.deviance

    @property
    def components(self) -> Floats:
        """The variance of each factor, then the residual's."""
        variance = self.likelihood.variance
        return np.append(self.likelihood.equations.ratios * variance, variance)

    @property
    def named(self) -> Mapping[str, float]:
        names = [*(factor.name for factor in self.design.factors), RESIDUAL]
        return dict(zip(names, self.components.tolist(), strict=True))

    @property
    def effects(self) -> Floats:
        """Best linear unbiased predictions of all levels, then the fixed effects: (q + p,) (Henderson, 1953)."""
        equations = self.likelihood.equations
        half = equations.forward(self.likelihood.moments.with_response)
        found = equations.scale * _back(equations.root, half)
        found[len(found) - len(self.centre) :] += self.centre
        return np.asarray(found)

    @property
    def fixed_covariance(self) -> Floats:
        """Of the fixed effects: σ² (XᵀV₀⁻¹X)⁻¹, (p, p)."""
        p = len(self.centre)
        inverse = _back(self.likelihood.equations.root[-p:, -p:], np.eye(p))  # of the last block of Lᵀ
        return np.asarray(self.likelihood.variance * inverse @ inverse.T)

    def contrast(self, weights: Floats) -> Interval:
        """A weighted sum of the fixed effects (p,), with Satterthwaite's (1946) degrees of freedom.

        2 f² / gᵀ I⁻¹ g, with f the variance of the contrast, g its slope in the variance parameters, I their expected
        information (lmerTest takes the observed one). Components at zero are held there. At least 1.
        """
        p = len(self.centre)
        covariance = self.fixed_covariance
        value = float(weights @ self.effects[-p:])
        squared = float(weights @ covariance @ weights)
        return interval(value, np.sqrt(squared), max(self._df(covariance @ weights, squared), 1.0))

    def _df(self, direction: Floats, squared: float) -> float:
        likelihood, p = self.likelihood, len(self.centre)
        q = sum(self.design.sizes)
        equations = likelihood.equations
        # ZᵀP₀X is zero; ZᵀV₀⁻¹X is what is left when only the random effects are taken out
        kept = equations.cross[:q, q:] - equations.eliminated[:q].T @ equations.root[-p:, :q].T
        slope = equations.by_factor(np.square(kept @ direction)) / likelihood.variance
        positive = equations.ratios > 0
        information = equations.information[np.ix_(positive, positive)]
        cross = equations.traces[positive] / 2
        whole = np.block([[information, cross[:, None]], [cross[None], np.full((1, 1), likelihood.moments.df / 2)]])
        gradient = np.append(slope[positive], squared)
        spread = float(gradient @ np.linalg.pinv(whole, hermitian=True) @ gradient)
        return min(2 * squared**2 / spread, likelihood.moments.df) if spread > 0 else float(likelihood.moments.df)


def fit(design: Design, y: Floats, *, scoring: Scoring | None = None, weights: Floats | None = None) -> MixedFit:
    """Fit by REML; ``weights`` (n,) are inverse relative variances of the residuals, 1 where not given."""
    centre, residual = centred(design, y)
    with threadpool_limits(limits=1):  # for matrices this small more threads only wait for one another
        best = (scoring or Scoring()).best(design.moments(residual, weights))
    return MixedFit(design, best, centre)


def centred(design: Design, y: Floats) -> tuple[Floats, Floats]:
    """The least-squares fit of the fixed effects and what it leaves; an error where that is nothing."""
    if not np.isfinite(y).all():
        raise DataError(f"expected finite responses; got {int((~np.isfinite(y)).sum())} that are not; leave them out")
    centre = np.asarray(np.linalg.lstsq(design.fixed, y, rcond=None)[0])
    residual = y - design.fixed @ centre
    if float(residual @ residual) <= 1e-18 * max(float(y @ y), 1e-300) * len(y) or not residual.any():
        raise DataError("all responses are the same once the fixed effects are taken out: there is no variance to part")
    return centre, residual


def _back(root: Floats, values: Floats) -> Floats:
    from scipy.linalg import solve_triangular  # slow to import, and most commands need no statistics

    return np.asarray(solve_triangular(root, values, lower=True, trans="T", check_finite=False))
