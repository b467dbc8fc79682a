"""Quadratic unbiased estimates of variance components at given ratios (Rao, 1971): one linear solve for many responses.

In balanced data they are the ANOVA estimates whatever the ratios; at the ratios of an interior REML fit, that fit.
They tell what noise of any covariance adds to each component: the mean estimate over draws of the noise alone.
"""

from __future__ import annotations

import numpy as np

from crossgraft.core import Floats
from crossgraft.stats.mixed.design import Design
from crossgraft.stats.mixed.likelihood import Equations


def quadratic_components(design: Design, equations: Equations, responses: Floats) -> Floats:
    """Components of each factor, then the residual's: responses (m, n) → (m, k + 1); they may be negative.

    E[yᵀP₀Zⱼ ZⱼᵀP₀y] = Σₖ γₖ tr(ZⱼᵀP₀Zₖ ZₖᵀP₀Zⱼ) + σ² tr(ZⱼᵀP₀P₀Zⱼ); what P₀P₀ gives follows from P₀V₀P₀ = P₀.
    """
    crossed = np.array([design.with_response(y) for y in responses]).T  # (q + p, m)
    half, left = equations.residual(crossed)
    quadratic = equations.by_factor(np.square(left))  # (k, m)
    squares = np.square(responses).sum(axis=1) - np.square(half).sum(axis=0)  # yᵀP₀y
    ratios, traces, inner = equations.ratios, equations.traces, 2 * equations.information
    df = responses.shape[1] - design.fixed.shape[1]
    beside = traces - inner @ ratios
    last = df - traces @ ratios - beside @ ratios
    system = np.block([[inner, beside[:, None]], [beside[None], np.full((1, 1), last)]])
    right = np.vstack([quadratic, squares - ratios @ quadratic])
    return np.asarray(np.linalg.lstsq(system, right, rcond=1e-12)[0].T)
