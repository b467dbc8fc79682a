"""The restricted likelihood of a mixed model at given ratios of variances (Patterson and Thompson, 1971).

With ratios rⱼ = γⱼ / σ² the mixed model equations are K = D TᵀWT D + blockdiag(I, 0), T = [Z X], D = diag(√r, 1):
one Cholesky factor of size q + p gives both determinants and the residual (Henderson, 1953; Bates et al., 2015).
The deviance is ν log 2πσ² + yᵀP₀y / σ² + log|K| - Σ log w, with
P₀ = V₀⁻¹ - V₀⁻¹X(XᵀV₀⁻¹X)⁻¹XᵀV₀⁻¹ and V₀ = V / σ².
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.stats.mixed.design import Moments


@dataclass(frozen=True, eq=False)
class Equations:
    """Everything that depends on the ratios and not on the response.

    ``known`` (q,) is added to the ratio of each level: variance that levels have beyond their factor's.
    """

    cross: Floats  # TᵀWT
    sizes: tuple[int, ...]
    ratios: Floats
    known: Floats | None = None

    @cached_property
    def scale(self) -> Floats:
        """D: the square root of each level's ratio, 1 for fixed effects."""
        random = np.repeat(self.ratios, self.sizes) + (0.0 if self.known is None else self.known)
        return np.concatenate([np.sqrt(random), np.ones(len(self.cross) - len(random))])

    @cached_property
    def root(self) -> Floats:
        """L with LLᵀ = K; LinAlgError where rounding leaves K indefinite."""
        system = self.scale[:, None] * self.cross * self.scale
        q = sum(self.sizes)
        system[np.arange(q), np.arange(q)] += 1.0
        return np.asarray(np.linalg.cholesky(system), dtype=np.float64)

    @cached_property
    def log_determinant(self) -> float:
        return 2 * float(np.log(np.diag(self.root)).sum())

    def forward(self, values: Floats) -> Floats:
        """L⁻¹ D values."""
        return _solve(self.root, (self.scale * values.T).T)

    @cached_property
    def eliminated(self) -> Floats:
        """L⁻¹ D TᵀWZ: (q + p, q)."""
        return self.forward(self.cross[:, : sum(self.sizes)])

    @cached_property
    def projected(self) -> Floats:
        """ZᵀP₀Z: the factors' cross products after all effects are taken out at these ratios."""
        q = sum(self.sizes)
        return np.asarray(self.cross[:q, :q] - self.eliminated.T @ self.eliminated)

    @cached_property
    def traces(self) -> Floats:
        """tr ZⱼᵀP₀Zⱼ of each factor."""
        return self.by_factor(np.diag(self.projected))

    @cached_property
    def information(self) -> Floats:
        """½ tr(ZⱼᵀP₀Zₖ ZₖᵀP₀Zⱼ): the expected information about γ/σ² where σ² is known."""
        starts = self._starts
        squares = np.add.reduceat(np.square(self.projected), starts, axis=0)
        return np.asarray(np.add.reduceat(squares, starts, axis=1) / 2)

    def residual(self, with_response: Floats) -> tuple[Floats, Floats]:
        """L⁻¹DTᵀWy and ZᵀP₀y; of one response (q + p,) or of several (q + p, m)."""
        half = self.forward(with_response)
        return half, with_response[: sum(self.sizes)] - self.eliminated.T @ half

    def by_factor(self, values: Floats) -> Floats:
        """Sums over the levels of each factor, along the first axis."""
        return np.asarray(np.add.reduceat(values, self._starts, axis=0))

    @property
    def _starts(self) -> npt.NDArray[np.intp]:
        return np.cumsum((0, *self.sizes[:-1]))


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The deviance of a response at some ratios, its slope and its expected curvature.

    ``noise`` is σ² where it is known; else it is the value that fits best, yᵀP₀y / ν, and curvature allows for that.
    """

    equations: Equations
    moments: Moments
    noise: float | None = None

    @cached_property
    def squares(self) -> float:
        """yᵀP₀y, not below zero."""
        half = self.equations.forward(self.moments.with_response)
        return max(self.moments.response - float(half @ half), 0.0)

    @cached_property
    def variance(self) -> float:
        """σ²."""
        return self.squares / self.moments.df if self.noise is None else self.noise

    @cached_property
    def deviance(self) -> float:
        """-2 log restricted likelihood; infinite where nothing is left over, or K is not positive."""
        try:
            constant = self.equations.log_determinant - self.moments.log_weights
        except np.linalg.LinAlgError:
            return float("inf")
        if self.variance <= 0:
            return float("inf")
        return self.moments.df * float(np.log(2 * np.pi * self.variance)) + self.squares / self.variance + constant

    @cached_property
    def gradient(self) -> Floats:
        """∂ deviance / ∂ ratios: tr ZⱼᵀP₀Zⱼ - ‖ZⱼᵀP₀y‖² / σ²."""
        _, left = self.equations.residual(self.moments.with_response)
        return self.equations.traces - self.equations.by_factor(np.square(left)) / self.variance

    @cached_property
    def information(self) -> Floats:
        """Expected information about the ratios, σ² profiled out unless it is known."""
        known = self.equations.information
        if self.noise is not None:
            return known
        return known - np.outer(self.equations.traces, self.equations.traces) / (2 * self.moments.df)


def _solve(root: Floats, values: Floats) -> Floats:
    from scipy.linalg import solve_triangular  # slow to import, and most commands need no statistics

    return np.asarray(solve_triangular(root, values, lower=True, check_finite=False))
