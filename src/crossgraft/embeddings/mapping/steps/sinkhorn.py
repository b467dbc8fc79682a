"""Entropic optimal transport by Sinkhorn's iterations, stabilised (Schmitzer, 2019): small ε do not under- or overflow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

Doubles = npt.NDArray[np.float64]

_ABSORB = 1e50  # scalings beyond this, or below its inverse, are taken into the potentials


@dataclass(frozen=True)
class Plan:
    """A coupling (n, m), and the potentials f and g that make it: ``exp((f_i + g_j - cost_ij) / ε)``."""

    coupling: Doubles
    f: Doubles  # (n,)
    g: Doubles  # (m,)


def sinkhorn(
    cost: Doubles, p: Doubles, q: Doubles, epsilon: float, g: Doubles, *, rounds: int, tolerance: float
) -> Plan:
    """The coupling with marginals p and q of least ``⟨coupling, cost⟩ - ε · entropy``, begun at the potentials g.

    It ends when the row sums differ from p by less than ``tolerance`` in total, or after so many rounds; columns then
    sum to q up to rounding.
    """
    f = epsilon * (np.log(p) - logsumexp((g - cost) / epsilon, axis=1))
    kernel = np.exp((f[:, None] + g - cost) / epsilon)
    u, v = np.ones(len(p)), np.ones(len(q))
    for _ in range(rounds):
        v = q / np.maximum(u @ kernel, np.finfo(float).tiny)
        sums = kernel @ v
        if np.abs(u * sums - p).sum() < tolerance:
            break
        u = p / np.maximum(sums, np.finfo(float).tiny)
        if max(u.max(), v.max(), 1 / u.min(), 1 / v.min()) > _ABSORB:
            f, g = f + epsilon * np.log(u), g + epsilon * np.log(v)
            g = epsilon * (np.log(q) - logsumexp((f[:, None] - cost) / epsilon, axis=0))
            kernel = np.exp((f[:, None] + g - cost) / epsilon)
            u, v = np.ones(len(p)), np.ones(len(q))
    return Plan(u[:, None] * kernel * v, f + epsilon * np.log(u), g + epsilon * np.log(v))
