"""Which k adapters together serve all targets best, if every target is routed to the one that suits it, or to the base.

A facility location problem: choose at most k rows of a table of values (rows, targets), none below 0, so that the sum over targets of
the largest chosen value is greatest; 0, the base, is always there. Exact by a mixed integer program (HiGHS, through SciPy); greedy
choice reaches 1 - 1/e of it at least (Nemhauser, Wolsey and Fisher, 1978), and its own steps bound how far it can be from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossgraft.core import Floats
from crossgraft.errors import DataError


@dataclass(frozen=True)
class Selection:
    """Rows of a table of values, and the sum over targets of the largest value among them."""

    rows: tuple[int, ...]
    value: float
    bound: float  # no selection of as many rows has more


def value_of(values: Floats, rows: tuple[int, ...]) -> float:
    """
    >>> value_of(np.array([[1.0, 0.0], [0.0, 2.0], [0.9, 0.5]]), (0, 1))
    3.0
    """
    return float(values[list(rows)].max(axis=0, initial=0.0).sum())


def greedy(values: Floats, count: int) -> Selection:
    """The row that adds most, again and again. The bound: what is chosen and the ``count`` largest additions, least over all steps."""
    rows: tuple[int, ...] = ()
    have, bound = np.zeros(values.shape[1]), np.inf
    while True:
        adds = np.maximum(values - have, 0.0).sum(axis=1)
        bound = min(bound, float(have.sum() + np.sort(adds)[-count:].sum()))
        best = int(np.argmax(adds))
        if len(rows) == count or adds[best] <= 0:
            return Selection(rows, value_of(values, rows), max(bound, value_of(values, rows)))
        rows, have = (*rows, best), np.maximum(have, values[best])


def exact(values: Floats, count: int) -> Selection:
    """The best ``count`` rows or fewer: choose y (rows) in {0, 1} and x (rows, targets) in [0, 1] with x ≤ y and Σ x ≤ 1 on each target."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # slow to import
    from scipy.sparse import coo_array, csr_array, hstack, vstack

    s, t = np.nonzero(values > 0)
    if not len(s):
        return Selection((), 0.0, 0.0)
    n, sources, pairs = len(s), len(values), np.arange(len(s))
    ones = np.ones(n)
    opened = hstack([coo_array((-ones, (pairs, s)), (n, sources)), coo_array((ones, (pairs, pairs)), (n, n))])
    served = hstack([coo_array((values.shape[1], sources)), coo_array((ones, (t, pairs)), (values.shape[1], n))])
    total = hstack([coo_array(np.ones((1, sources))), coo_array((1, n))])
    limits = np.concatenate([np.zeros(n), np.ones(values.shape[1]), [count]])
    found = milp(
        np.concatenate([np.zeros(sources), -values[s, t]]),
        integrality=np.concatenate([np.ones(sources), np.zeros(n)]),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(csr_array(vstack([opened, served, total])), -np.inf, limits),
    )
    if found.x is None:
        raise DataError(f"the best {count} treatments could not be found: {found.message}")
    rows = tuple(np.flatnonzero(found.x[:sources] > 0.5).tolist())
    return Selection(rows, value_of(values, rows), max(-float(found.mip_dual_bound), value_of(values, rows)))
