"""Which k adapters to keep, and which of them, or the base, serves each target: a model that is specialised by routing.

Unlike a single treatment, an adapter does no harm where it is not used. So there are no protected targets: an adapter may serve a target if
the probability that it loses more than the tolerance *there* is within the risk, and if it is expected to gain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.questions.variance.posterior import Posterior, posterior
from crossgraft.core import Floats, Point, Treatment
from crossgraft.errors import SpecError
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import Options
from crossgraft.recommendation.question import Question
from crossgraft.recommendation.specialisation.portfolio import Selection, exact, greedy
from crossgraft.transfer.matrix import TransferMatrix


@dataclass(frozen=True)
class Route:
    """What serves a target: an adapter with its expected gain in percentage points and a 95 % interval, or the base."""

    target: Point
    row: Treatment | None
    gain: float = 0.0
    low: float = 0.0
    high: float = 0.0
    risk: float = 0.0  # probability that it loses more than the tolerance on this target


@dataclass(frozen=True)
class Step:
    """With so many adapters: expected gains, means over all targets in percentage points."""

    count: int
    gain: float  # less prices; with fairness, of the language that gains least
    greedy: float | None  # none with fairness, where it has no bound
    bound: float | None  # on any choice, by the steps of the greedy one


@dataclass(frozen=True)
class Specialised:
    """``low`` and ``high`` hold 95 % of the draws of the mean gain over all targets; ``price`` is what its adapters cost, in points of it."""

    rows: tuple[Treatment, ...]
    gain: float
    low: float
    high: float
    routes: tuple[Route, ...]
    curve: tuple[Step, ...]
    price: float = 0.0
    fair: bool = False

    @property
    def by_language(self) -> Mapping[str, float]:
        """The mean expected gain of the targets of each language, the least first."""
        gains: dict[str, list[float]] = {}
        for route in self.routes:
            gains.setdefault(route.target.lang, []).append(route.gain)
        means = {language: float(np.mean(values)) for language, values in gains.items()}
        return dict(sorted(means.items(), key=lambda item: item[1]))


def specialise(
    matrix: TransferMatrix,
    question: Question,
    count: int,
    *,
    prices: Mapping[Treatment, float] | None = None,
    fair: bool = False,
    found: Posterior | None = None,
) -> Specialised:
    """The best ``count`` treatments for the targets to improve; protected targets of the question are not looked at.

    ``prices`` are what keeping a treatment costs, in percentage points of the mean gain. With ``fair`` the language that gains least is
    to gain as much as can be (max-min), instead of the mean over targets. ``found`` is the posterior of the matrix, where it is known.

    >>> from crossgraft.transfer.synthetic import SyntheticGrid
    >>> grid = SyntheticGrid(models=1, tasks=2, languages=3, items=400, on_source=8.0, same_task=4.0)
    >>> len(specialise(grid.matrix(seed=1), Question(("*",)), 2).rows)
    2
    """
    if count < 1:
        raise SpecError(f"expected 1 adapter or more; got {count}")
    options = Options.of(Asked.of(question, matrix), found or posterior(matrix))
    draws = options.improved[:, 1:]  # without the base
    values = _values(draws, question)
    share = 1 / values.shape[1]
    costs = np.array([(prices or {}).get(row, 0.0) for row in options.rows[1:] if row])
    groups = [target.lang for target in options.asked.improve] if fair else None
    sizes = range(1, min(count, len(values)) + 1)
    best = [exact(values, size, costs if fair else costs / share, groups) for size in sizes]
    steps = [
        _step(size, one, None if fair else greedy(values, size, costs / share), share)
        for size, one in zip(sizes, best, strict=True)
    ]
    serves = _serves(values, best[-1])
    routed = np.where(serves >= 0, draws[:, serves, np.arange(values.shape[1])], 0.0)
    means = routed.mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Specialised(
        tuple(row for row in (options.rows[place + 1] for place in sorted(set(serves[serves >= 0].tolist()))) if row),
        float(means.mean()),
        float(low),
        float(high),
        tuple(_route(options, place, int(at), question) for place, at in enumerate(serves)),
        tuple(steps),
        float(costs[sorted(set(serves[serves >= 0].tolist()))].sum()),
        fair,
    )


def _step(count: int, best: Selection, other: Selection | None, share: float) -> Step:
    if other is None:
        return Step(count, best.value, None, None)
    return Step(count, share * best.value, share * other.value, share * other.bound)


def _values(draws: Floats, question: Question) -> Floats:
    """Expected gains (treatments, targets); 0 where a treatment may not serve a target."""
    risky = (draws < -question.tolerance).mean(axis=0) > question.risk
    gains = draws.mean(axis=0)
    return np.asarray(np.where(risky | (gains <= question.least), 0.0, gains))


def _serves(values: Floats, chosen: Selection) -> np.ndarray:
    """Of each target the chosen treatment that gains most there, or -1, the base."""
    rows = np.array(chosen.rows, dtype=np.intp)
    if not len(rows):
        return np.full(values.shape[1], -1)
    most = values[rows].max(axis=0)
    return np.where(most > 0, rows[values[rows].argmax(axis=0)], -1)


def _route(options: Options, place: int, at: int, question: Question) -> Route:
    target = options.asked.improve[place]
    if at < 0:
        return Route(target, None)
    draws = options.improved[:, at + 1, place]
    low, high = np.quantile(draws, [0.025, 0.975])
    risk = float((draws < -question.tolerance).mean())
    return Route(target, options.rows[at + 1], float(draws.mean()), float(low), float(high), risk)
