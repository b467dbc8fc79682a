"""Which k adapters together serve all targets best, if every target is routed to the one that suits it, or to the base.

A facility location problem: choose at most k rows of a table of values (rows, targets), none below 0, so that the sum over targets of
the largest chosen value is greatest; 0, the base, is always there. Exact by a mixed integer program (HiGHS, through SciPy); greedy
choice reaches 1 - 1/e of it at least (Nemhauser, Wolsey and Fisher, 1978), and its own steps bound how far it can be from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossgraft.core import Floats
from crossgraft.errors import DataError

_TOLERANCE = 1e-5  # percentage points


@dataclass(frozen=True)
class Selection:
    """Rows of a table of values, and the sum over targets of the largest value among them, less their prices."""

    rows: tuple[int, ...]
    value: float
    bound: float  # no selection of as many rows has more


def value_of(values: Floats, rows: tuple[int, ...]) -> float:
    """
    >>> value_of(np.array([[1.0, 0.0], [0.0, 2.0], [0.9, 0.5]]), (0, 1))
    3.0
    """
    return float(values[list(rows)].max(axis=0, initial=0.0).sum())


def greedy(values: Floats, count: int, prices: Floats | None = None) -> Selection:
    """The row that adds most, again and again, less its price.

    The bound: what is chosen, and the ``count`` largest additions less their prices; the least over all steps. It holds because no set of rows adds
    more to what is chosen than its rows add one by one.
    """
    price = np.zeros(len(values)) if prices is None else prices
    rows: tuple[int, ...] = ()
    have, bound = np.zeros(values.shape[1]), np.inf
    while True:
        adds = np.maximum(np.maximum(values - have, 0.0).sum(axis=1) - price, 0.0)
        bound = min(bound, float(have.sum() + np.sort(adds)[-count:].sum()))
        best = int(np.argmax(adds))
        if len(rows) == count or adds[best] <= 0:
            value = value_of(values, rows) - float(price[list(rows)].sum())
            return Selection(rows, value, max(bound, value))
        rows, have = (*rows, best), np.maximum(have, values[best])


def exact(values: Floats, count: int, prices: Floats | None = None, groups: Sequence[str] | None = None) -> Selection:
    """The best ``count`` rows or fewer: choose y (rows) in {0, 1} and x (rows, targets) in [0, 1] with x ≤ y and Σ x ≤ 1 on each target.

    ``prices`` are taken off for each row that is kept. With ``groups`` of targets, such as their languages, the smallest of the groups' means is
    made as large as can be, instead of the sum; of sets with the same smallest mean, the one with the largest sum is chosen.
    """
    price = np.zeros(len(values)) if prices is None else prices
    if not (values > 0).any():
        return Selection((), 0.0, 0.0)
    program = _Program(values, count, price)
    if groups is None:
        return program.solved()
    shares = np.stack(
        [
            np.where(np.array(groups) == group, 1 / np.sum(np.array(groups) == group), 0.0)
            for group in sorted(set(groups))
        ]
    )
    return program.solved(shares)


def smallest_mean(values: Floats, rows: Sequence[int], groups: Sequence[str]) -> float:
    """Of the means over the groups of targets, each target served by the best of the rows or by the base.

    >>> smallest_mean(np.array([[4.0, 0.0, 1.0]]), (0,), ("en", "en", "de"))
    1.0
    """
    served = values[list(rows)].max(axis=0, initial=0.0)
    return float(min(served[np.array(groups) == group].mean() for group in set(groups)))


class _Program:
    """The constraints of the choice; variables are y, x of the pairs of row and target with a gain, and z, the smallest mean."""

    def __init__(self, values: Floats, count: int, prices: Floats) -> None:
        from scipy.sparse import coo_array, hstack, vstack  # slow to import

        self.values, self.count, self.prices = values, count, prices
        self.s, self.t = np.nonzero(values > 0)
        n, (sources, targets), pairs = len(self.s), values.shape, np.arange(len(self.s))
        ones = np.ones(n)
        opened = hstack(
            [coo_array((-ones, (pairs, self.s)), (n, sources)), coo_array((ones, (pairs, pairs)), (n, n + 1))]
        )
        served = hstack([coo_array((targets, sources)), coo_array((ones, (self.t, pairs)), (targets, n + 1))])
        total = hstack([coo_array(np.ones((1, sources))), coo_array((1, n + 1))])
        self.matrix = vstack([opened, served, total])
        self.limits = np.concatenate([np.zeros(n), np.ones(targets), [count]])

    def solved(self, shares: Floats | None = None) -> Selection:
        """For the largest sum, or, with the targets' shares of groups (groups, targets), for the largest smallest mean and then the largest sum."""
        gains = self.values[self.s, self.t]
        to_sum = np.concatenate([self.prices, -gains, [0.0]])
        if shares is None:
            rows, bound = self._solve(to_sum, self.matrix, self.limits, 0.0)
            value = value_of(self.values, rows) - float(self.prices[list(rows)].sum())
            return Selection(rows, value, max(bound, value))
        from scipy.sparse import coo_array, hstack, vstack

        means = -shares[:, self.t] * gains  # z is at most each mean
        above = hstack(
            [coo_array((len(shares), len(self.values))), coo_array(means), coo_array(np.ones((len(shares), 1)))]
        )
        matrix, limits = vstack([self.matrix, above]), np.concatenate([self.limits, np.zeros(len(shares))])
        to_smallest = np.concatenate([self.prices, np.zeros(len(gains)), [-1.0]])
        rows, bound = self._solve(to_smallest, matrix, limits, float(gains.max()))
        best = self._smallest(rows, shares)
        kept = vstack([matrix, coo_array(to_smallest[None, :])])
        rows, _ = self._solve(to_sum, kept, np.append(limits, -best + _TOLERANCE), float(gains.max()))
        best = self._smallest(rows, shares)
        return Selection(rows, best, max(bound, best))

    def _smallest(self, rows: tuple[int, ...], shares: Floats) -> float:
        served = self.values[list(rows)].max(axis=0, initial=0.0)
        return float((shares @ served).min() - self.prices[list(rows)].sum())

    def _solve(self, objective: Floats, matrix: Any, limits: Floats, most: float) -> tuple[tuple[int, ...], float]:
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        sources = len(self.values)
        found = milp(
            objective,
            integrality=np.concatenate([np.ones(sources), np.zeros(len(self.s) + 1)]),
            bounds=Bounds(0, np.concatenate([np.ones(sources + len(self.s)), [most]])),
            constraints=LinearConstraint(csr_array(matrix), -np.inf, limits),
            options={"presolve": False},  # as fast here, and with it HiGHS prints a line of its own to the terminal
        )
        if found.x is None:
            raise DataError(f"the best {self.count} treatments could not be found: {found.message}")
        return tuple(np.flatnonzero(found.x[:sources] > 0.5).tolist()), -float(found.mip_dual_bound)
