"""Do several rankings of the same things agree? Kendall's τ-b and W, ICC(2,1), what chance gives and what noise leaves.

Tables end in (raters, things); NaN is missing. In this package raters are models and things are recipients.
"""

from __future__ import annotations

from math import asin, comb, pi, sin, sqrt

import numpy as np

from crossgraft.core import Floats

_TIED = 1e-9  # values this near are equal


def pairwise_tau(table: Floats) -> Floats:
    """Kendall's τ-b (1945) of all pairs of raters: (..., raters, things) → (..., raters, raters).

    Over the things that both have; NaN where these are fewer than three, or all tied for one of the two. With s the signs of all
    differences between two things, τ-b = Σ s_a s_b / √(Σ s_a² Σ s_b²).
    """
    first, second = np.triu_indices(table.shape[-1], 1)
    differences = table[..., first] - table[..., second]  # (..., raters, pairs of things)
    known = (~np.isnan(differences)).astype(np.float32)
    filled = np.where(known > 0, differences, 0.0)
    signs = (np.sign(filled) * (np.abs(filled) > _TIED)).astype(np.float32)
    agreeing = np.asarray(signs @ np.swapaxes(signs, -1, -2), dtype=np.float64)
    untied = np.asarray(np.abs(signs) @ np.swapaxes(known, -1, -2), dtype=np.float64)
    enough = np.asarray(known @ np.swapaxes(known, -1, -2)) > 2.5  # three things have three pairs
    square = untied * np.swapaxes(untied, -1, -2)
    usable = (square > 0) & enough
    return np.where(usable, agreeing / np.sqrt(np.where(usable, square, 1.0)), np.nan)


def mean_tau(table: Floats) -> Floats:
    """The mean of τ-b over all pairs of raters that have one: (..., raters, things) → (...); NaN where no pair has."""
    tau = pairwise_tau(table)
    first, second = np.triu_indices(table.shape[-2], 1)
    return _mean_of_known(tau[..., first, second])


def _mean_of_known(values: Floats) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def null_deviation(raters: int, things: int) -> float:
    """The standard deviation of the mean τ of independent rankings without ties.

    Var τ = 2(2n + 5) / 9n(n − 1) (Kendall, 1938); the τ of two pairs of raters are uncorrelated even when they share one, so that
    the mean has that variance over the number of pairs.

    >>> [round(null_deviation(9, things), 3) for things in (3, 10, 30)]
    [0.106, 0.041, 0.021]
    """
    return sqrt(2 * (2 * things + 5) / (9 * things * (things - 1)) / comb(raters, 2))


def shuffled(table: Floats, rng: np.random.Generator) -> Floats:
    """Each rater's values in an order of its own, the same in all tables; what is missing goes along.

    (tables, raters, things): what a rater's tables share stays shared, so that they do not count as independent.
    """
    raters, things = table.shape[-2:]
    orders = rng.permuted(np.broadcast_to(np.arange(things), (raters, things)), axis=1)
    return np.take_along_axis(table, np.broadcast_to(orders, table.shape), axis=-1)


def attenuated_tau(rho: float, reliability: float) -> float:
    """The τ that noisy values show when the true ones correlate by ``rho``: (2/π) asin(ρ·reliability) (Greiner, 1909).

    >>> [round(attenuated_tau(0.7, reliability), 3) for reliability in (1, 0.8, 0.5)]
    [0.494, 0.378, 0.228]
    """
    return 2 / pi * asin(max(-1.0, min(1.0, rho * reliability)))


def disattenuated(tau: float, reliability: float) -> float:
    """The correlation of the true values behind a τ: sin(πτ/2) / reliability, at most 1 in size."""
    return max(-1.0, min(1.0, sin(pi * tau / 2) / reliability))


def ranks(table: Floats) -> Floats:
    """Ranks along the last axis from 1 on, ties sharing their mean; nothing may be missing."""
    differences = table[..., :, None] - table[..., None, :]
    above = np.where(np.abs(differences) > _TIED, np.sign(differences), 0.0).sum(axis=-1)
    return np.asarray((table.shape[-1] + 1 + above) / 2)


def kendall_w(table: Floats) -> Floats:
    """Kendall's W of complete tables (..., raters, things), corrected for ties; NaN where all is tied.

    W = 12 S / (m²(n³ − n) − m Σ(t³ − t)), with S the squared deviations of the things' rank sums and t the sizes of ties
    (Kendall & Smith, 1939): here as variances of ranks, which have the ties in them.
    """
    ranked = ranks(table)
    largest = table.shape[-2] * ranked.var(axis=-1).sum(axis=-1)
    varying = largest > _TIED
    return np.where(varying, ranked.sum(axis=-2).var(axis=-1) / np.where(varying, largest, 1.0), np.nan)


def permutation_p(value: float, drawn: Floats) -> float:
    """How often chance gives as much, the value itself counted among the draws (Phipson & Smyth, 2010)."""
    known = drawn[~np.isnan(drawn)]
    return float((1 + (known >= value - _TIED).sum()) / (1 + len(known)))


def icc(table: Floats) -> float | None:
    """ICC(2,1) of a complete table (raters, things): one rater, absolute agreement (Shrout & Fleiss, 1979).

    The share of the variance that is the things' own, whoever rates. None where nothing varies.
    """
    raters, things = table.shape
    if raters < 2 or things < 2:
        return None
    grand = table.mean()
    of_things, of_raters = table.mean(axis=0), table.mean(axis=1)
    residual = table - of_things - of_raters[:, None] + grand
    between = raters * float(((of_things - grand) ** 2).sum()) / (things - 1)
    raters_square = things * float(((of_raters - grand) ** 2).sum()) / (raters - 1)
    error = float((residual**2).sum()) / ((things - 1) * (raters - 1))
    total = between + (raters - 1) * error + raters * (raters_square - error) / things
    return (between - error) / total if total > _TIED**2 else None


def sign_agreement(table: Floats) -> Floats:
    """|2k/m − 1| of every thing, k of m raters being above zero (a zero is half): (raters, things) → (things,)"""
    direction = np.where(np.abs(table) > _TIED, np.sign(table), 0.0)
    return np.asarray(np.abs(direction.mean(axis=0)))


def chance_sign_agreement(raters: int) -> float:
    """What :func:`sign_agreement` is on average when signs are thrown like coins.

    >>> chance_sign_agreement(2), chance_sign_agreement(3)
    (0.5, 0.5)
    """
    return sum(comb(raters, k) * abs(2 * k / raters - 1) for k in range(raters + 1)) / float(2**raters)
