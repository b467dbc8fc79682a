"""Fisher scoring for ratios of variances that may be zero, with Levenberg's damping.

In the ratios themselves zero is no trap: the slope there says whether a component wants to be positive. (In their
square roots, in which lme4 works, every zero is a stationary point.) The likelihood may have several modes, so it is
climbed from several starts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.stats.mixed.design import Moments
from crossgraft.stats.mixed.likelihood import Equations, Likelihood

LARGEST = 1e6  # a ratio beyond it means that the residual has vanished
_SAME_BASIN = 0.02  # square roots of ratios this near the best ones known lead there
_NOISE = 1e-7  # a promise below it is lost in the rounding of the deviance
_SHORT, _LONG, _HOPELESS = 0.05, 64.0, 1e9


@dataclass(frozen=True)
class Scoring:
    """How to climb: ``starts`` random starts besides the plain one; ``enough`` is the gain in deviance to stop at."""

    starts: int = 5
    enough: float = 1e-8
    steps: int = 100
    seed: int = 0

    def best(self, moments: Moments, noise: float | None = None) -> Likelihood:
        """The lowest deviance found from ratios of ¼ and from random ones."""
        rng = np.random.default_rng(self.seed)
        factors = len(moments.sizes)
        best = self.climb(at(moments, np.full(factors, 0.25), noise))
        for _ in range(self.starts if factors else 0):
            ratios = np.square(rng.exponential(0.7, factors) * rng.integers(0, 2, factors))
            likelihood = self.climb(at(moments, ratios, noise), known=best.equations.ratios)
            if likelihood.deviance < best.deviance:
                best = likelihood
        return best

    def climb(self, here: Likelihood, known: Floats | None = None) -> Likelihood:
        """Downhill in the deviance until nothing more is to be gained, or into the basin of a known minimum.

        A step δ promises a gain of D = -gᵀδ/2, and s times the step 2Ds - hDs² with h = 1. What it gained tells the
        true h, and the next step has the length 1/h: expected information is too steep in flat valleys and not
        steep enough in narrow ones.
        """
        if not len(here.moments.sizes) or not np.isfinite(here.deviance):
            return here
        damping, length = 1e-6, 1.0
        for _ in range(self.steps):
            if known is not None and _near(here.equations.ratios, known):
                return here
            move = _step(here, damping)
            promised = -float(here.gradient @ move) / 2
            if promised * max(length, 1.0) < self.enough or damping > _HOPELESS:
                return here
            there = moved(here, np.clip(here.equations.ratios + length * move, 0.0, LARGEST))
            gained = here.deviance - there.deviance
            if gained <= 0 and length <= _SHORT:
                damping = max(damping, 1e-6) * 10
            if promised > _NOISE:
                length = _length(length, gained / promised)
            if gained > 0:
                here, damping = there, damping / 10
            elif promised <= _NOISE:
                return here
        return here

    def once(self) -> Scoring:
        """From where one is, without other starts."""
        return replace(self, starts=0)


def at(moments: Moments, ratios: Floats, noise: float | None = None, known: Floats | None = None) -> Likelihood:
    """The likelihood at some ratios."""
    return Likelihood(Equations(moments.cross, moments.sizes, ratios, known), moments, noise)


def moved(here: Likelihood, ratios: Floats) -> Likelihood:
    """The same response at other ratios."""
    return at(here.moments, ratios, here.noise, here.equations.known)


def _length(length: float, gained: float) -> float:
    """1/h, from what a step of this length gained of what was promised."""
    steepness = (2 * length - gained) / length**2 if np.isfinite(gained) else float("inf")
    longest = min(4 * length, _LONG)
    return max(min(1 / steepness, longest), _SHORT) if steepness > 0 else longest


def _near(ratios: Floats, known: Floats) -> bool:
    return bool(np.all(np.abs(np.sqrt(ratios) - np.sqrt(known)) < _SAME_BASIN))


def _step(here: Likelihood, damping: float) -> Floats:
    """The damped scoring step; ratios that would fall below zero stop there, and the others make up for it."""
    ratios, slope = here.equations.ratios, here.gradient
    curvature = here.information + np.diag(damping * np.diag(here.information) + 1e-12)
    free = ((ratios > 0) | (slope < 0)) & ((ratios < LARGEST) | (slope > 0))
    move = np.zeros(len(ratios))
    while free.any():
        inside = np.ix_(free, free)
        push = -slope[free] / 2 - curvature[np.ix_(free, ~free)] @ move[~free]
        move[free] = _solved(curvature[inside], push)
        below = free & (ratios + move < 0)
        if not below.any():
            break
        move[below] = -ratios[below]
        free &= ~below
    return move


def _solved(matrix: Floats, right: Floats) -> npt.NDArray[np.float64]:
    return np.asarray(np.linalg.lstsq(matrix, right, rcond=1e-12)[0])
