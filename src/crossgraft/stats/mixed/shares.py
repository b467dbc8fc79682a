"""What share of the variance each factor has, with an interval by inverting a test.

An interval holds every share at which the estimate would not be extreme (Carpenter, 1999): estimates are drawn at a
range of shares, the other components held at theirs, and 2.5 % of the draws lie beyond the estimate at each end. Draws
about the estimate alone, however mirrored, do not do where levels are few and noise is most of a component: an
estimate far below the truth has draws that are all near zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.core import Floats
from crossgraft.stats.mixed.design import Factor
from crossgraft.stats.mixed.strata import Strata

FEWEST = 2  # degrees of freedom of an interval
_CANDIDATES = np.linspace(0, 1, 81)[:-1] ** 2  # shares that are tried
_BLOCK = 100  # draws at a time, for memory

Ends = tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Shares:
    """Components of a grid by the strata of its design, and draws of what the strata would show again."""

    strata: Strata
    inverse: Floats  # squares → components
    found: Floats  # (k + 1,) components without noise, unbiased: they may be negative
    noise: Floats  # (k + 1,) squares that noise alone gives
    drawn: Floats  # (draws, k + 1) squares in terms of what is expected

    @classmethod
    def of(
        cls,
        strata: Strata,
        y: Floats,
        noise: Floats | None,
        pairs: Factor,
        *,
        draws: int,
        rng: np.random.Generator,
    ) -> Shares:
        """``noise`` are draws of the noise of y, (m, n); every stratum must have a degree of freedom.

        ``pairs`` are groups of cells whose residuals may go together and be larger than others: what the squares of
        groups differ by beyond a normal distribution makes the residual's draws wider.
        """
        inverse = np.asarray(np.linalg.inv(strata.expected), dtype=np.float64)
        added = np.zeros(len(inverse)) if noise is None else strata.squares(noise).mean(axis=0)
        found = inverse @ (strata.squares(y[None])[0] - added)
        kept = np.maximum(found, 0.0)
        expected = np.maximum(strata.expected @ kept + added, 1e-300)
        blocks = [min(_BLOCK, draws - start) for start in range(0, draws, _BLOCK)]
        again = np.concatenate([strata.squares(_drawn(strata, kept, noise, size, rng)) for size in blocks]) / expected
        extra = _spread_of_squares(strata.residual(y), pairs) - float(again[:, -1].var())
        if extra > 0:
            again[:, -1] *= rng.gamma(1 / extra, extra, draws)
        return cls(strata, inverse, found, added, again)

    def intervals(self) -> list[Ends]:
        """Of each factor, of the residual and of noise; None with fewer than two degrees of freedom."""
        whole = float(self.inverse.sum(axis=0) @ self.noise)
        kept = np.maximum(self.found, 0.0)
        own = [self._inverted(place, kept, whole) if df >= FEWEST else None for place, df in enumerate(self.strata.df)]
        return [*own, self._inverted(None, kept, whole) if whole > 0 else None]

    def _inverted(self, place: int | None, kept: Floats, noise: float) -> Ends:
        """With ``place`` of a component, without it of noise."""
        grow = np.eye(len(kept))[place] if place is not None else _direction(kept)
        stay = np.where(grow > 0, 0.0, kept) if place is not None else np.zeros(len(kept))
        expected = self.strata.expected
        base = (self.drawn * (expected @ stay + self.noise) - self.noise) @ self.inverse.T
        more = (self.drawn * (expected @ grow)) @ self.inverse.T
        of_rest = float(stay.sum()) + noise
        if of_rest <= 0:
            return None
        shares = _CANDIDATES if place is not None else 1 - _CANDIDATES
        size = (shares / (1 - shares) if place is not None else (1 - shares) / np.maximum(shares, 1e-9)) * of_rest
        whole = np.maximum(base.sum(axis=1) + noise + size[:, None] * more.sum(axis=1), 1e-3 * of_rest)
        part = noise if place is None else base[:, place] + size[:, None] * more[:, place]
        all_of_it = max(float(self.found.sum()) + noise, 1e-3 * of_rest)
        seen = (noise if place is None else float(self.found[place])) / all_of_it
        order = np.argsort(shares)
        return _ends(shares[order], (part / whole)[order], seen)


def _ends(shares: Floats, drawn: Floats, seen: float) -> tuple[float, float]:
    """The shares at which 2.5 % of the draws (shares, draws) lie beyond what was seen.

    What is seen below zero counts as zero for the upper end: a grid with less than its noise is no proof of nothing.
    """
    below = np.minimum.accumulate((drawn <= seen).mean(axis=1))
    low = float(np.interp(-0.975, -below, shares, left=0.0)) if below[0] >= 0.975 else 0.0
    above = np.minimum.accumulate((drawn <= max(seen, 0.0)).mean(axis=1))
    return low, float(np.interp(-0.025, -above, shares))


def _direction(kept: Floats) -> Floats:
    """All components in their proportions; the residual where there is nothing."""
    whole = float(kept.sum())
    return np.asarray(kept / whole if whole > 0 else np.eye(len(kept))[-1])


def _drawn(strata: Strata, components: Floats, noise: Floats | None, size: int, rng: np.random.Generator) -> Floats:
    """Grids of these components, with noise of the covariance of its draws: (size, n)."""
    rows = len(strata.design.fixed)
    y = np.sqrt(components[-1]) * rng.standard_normal((size, rows))
    for factor, variance in zip(strata.design.factors, components[:-1], strict=True):
        if variance > 0:
            y += np.sqrt(variance) * rng.standard_normal((size, factor.levels))[:, factor.codes]
    if noise is not None:
        y += rng.standard_normal((size, len(noise))) @ noise / np.sqrt(len(noise))
    return np.asarray(y)


def _spread_of_squares(residual: Floats, pairs: Factor) -> float:
    """The variance of a sum of squares in terms of its mean, from what groups of cells differ by."""
    squares = pairs.sums(np.square(residual))
    total = float(squares.sum())
    return len(squares) * float(squares.var(ddof=1)) / total**2 if len(squares) > 1 and total > 0 else 0.0


def parts(components: Floats, noise: Floats | None = None) -> Sequence[float]:
    """Shares of the components (k,), less what noise put into each; the last is then that of noise."""
    kept = components if noise is None else without_noise(components, noise)
    whole = float(kept.sum())
    return [float(one) / whole if whole > 0 else 0.0 for one in kept]


def without_noise(components: Floats, noise: Floats) -> Floats:
    """Components less the noise in each, not below zero, and last all that was taken: (k,) → (k + 1,)."""
    kept = np.maximum(components - np.maximum(noise, 0.0), 0.0)
    return np.append(kept, (components - kept).sum())
