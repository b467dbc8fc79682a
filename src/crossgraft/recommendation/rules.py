"""Which options are allowed, and which of them is best: one joint constraint on all protected targets.

A draw holds all cells at once, so that the probability of harm is that of *any* protected target: it grows with their number by
itself, and nothing is left to correct. Choosing the best of many options does not bias it either, because draws are
shrunk (a posterior does not depend on what is looked at); how well that holds is measured in
``benchmarks/simulations/recommendation.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.recommendation.options import Choice, Options
from crossgraft.recommendation.question import Rule

Allowed = npt.NDArray[np.bool_]  # (options,)


def by_chance(losses: Floats, risk: float) -> Allowed:
    """P(any protected target loses more than the tolerance) ≤ risk."""
    return np.asarray((losses > 0).mean(axis=0) <= risk)


def by_tail(losses: Floats, risk: float) -> Allowed:
    """In the worst share ``risk`` of the draws, the worst protected target loses no more than the tolerance on average."""
    return np.asarray(tail(losses, risk) <= 0)


RULES: Mapping[Rule, Callable[[Floats, float], Allowed]] = {"chance": by_chance, "cvar": by_tail}


def allowed(options: Options) -> Allowed:
    """By the rule of the question; ``losses`` of a rule are (draws, options), beyond the tolerance."""
    question = options.asked.question
    return RULES[question.rule](options.losses, question.risk)


def tail(losses: Floats, share: float) -> Floats:
    """The mean of the worst share of the draws (draws, options), the conditional value at risk.

    >>> tail(np.arange(10.0)[:, None], 0.2).tolist()
    [8.5]
    """
    count = max(1, ceil(share * len(losses) - 1e-9))
    return np.asarray(np.sort(losses, axis=0)[-count:].mean(axis=0))


def choose(options: Options, candidates: Allowed) -> int:
    """The candidate of the largest expected gain; the base where none is expected to gain enough."""
    gains = options.gains.mean(axis=0)
    enough = candidates & (gains > options.asked.question.least)
    return int(np.argmax(np.where(enough, gains, -np.inf))) if enough.any() else 0


def worth(options: Options) -> Floats:
    """The gain of an option in each draw; one that does harm is thrown away and brings nothing: (draws, options)."""
    return np.asarray(np.where(options.harms, np.minimum(options.gains, 0.0), options.gains))


def probability_of_best(options: Options) -> Floats:
    """How often an option gains most of those that do no harm in a draw; the base, of gain 0, is one of them: (options,)."""
    first = np.where(options.harms, -np.inf, options.gains).argmax(axis=1)
    return np.asarray(np.bincount(first, minlength=len(options.rows)) / len(first))


def regret(options: Options) -> Floats:
    """What is expected to be lost against the best of each draw, in percentage points: (options,)."""
    values = worth(options)
    return np.asarray((values.max(axis=1, keepdims=True) - values).mean(axis=0))


@dataclass(frozen=True)
class Step:
    """At a risk from ``risk`` on, this is the option of the largest expected gain."""

    risk: float
    gain: float
    row: Choice


def frontier(options: Options) -> tuple[Step, ...]:
    """Options that no other beats in both expected gain and joint risk, from the base up."""
    risks, gains = options.harms.mean(axis=0), options.gains.mean(axis=0)
    steps = [Step(0.0, 0.0, None)]
    for place in np.lexsort((-gains, risks)):
        if options.rows[place] is not None and gains[place] > max(steps[-1].gain, options.asked.question.least):
            steps.append(Step(float(risks[place]), float(gains[place]), options.rows[place]))
    return tuple(steps)
