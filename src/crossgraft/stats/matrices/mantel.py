"""Do two square matrices go together? Spearman's correlation over ordered pairs, judged by relabelling (Mantel, 1967).

Pairs that share a label are not independent: a p-value that treats them so is too small. Relabelling one matrix, rows and columns
together, keeps what its pairs have in common.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np

from crossgraft.core import Floats
from crossgraft.stats.matrices.agreement import ranks

_EXACT = 6  # labels up to which all relabelings are gone through
_TIED = 1e-9


@dataclass(frozen=True)
class Mantel:
    """``p`` is two-sided, the matrix as it is counted among the ``relabelings``; it cannot be below one over them."""

    rho: float
    p: float
    relabelings: int
    exact: bool


def mantel(first: Floats, second: Floats, rng: np.random.Generator, *, draws: int = 2000) -> Mantel | None:
    """Over the ordered pairs that ``first`` has (NaN is missing, and so is the diagonal); None where one does not vary.

    ``second`` must be complete: a relabelling asks it for pairs that ``first`` has.
    """
    n = len(first)
    off = ~np.eye(n, dtype=bool)
    used = off & ~np.isnan(first)
    if used.sum() < 3:
        return None
    given = _standard(first[used])
    if given is None or _standard(second[used]) is None:
        return None
    exact = n <= _EXACT
    orders = permutations(range(n)) if exact else _random(n, rng, draws)
    found = []
    for order in orders:
        standard = _standard(second[np.ix_(order, order)][used])
        found.append(0.0 if standard is None else float(given @ standard))
    values = np.array(found)  # the first is the matrix as it is
    p = float((np.abs(values) >= abs(values[0]) - _TIED).mean())
    return Mantel(float(values[0]), p, factorial(n) if exact else draws, exact)


def _random(n: int, rng: np.random.Generator, draws: int) -> Iterator[tuple[int, ...]]:
    yield tuple(range(n))
    for _ in range(draws - 1):
        yield tuple(int(place) for place in rng.permutation(n))


def _standard(values: Floats) -> Floats | None:
    """Ranks of mean zero and length one; None where all are tied."""
    ranked = ranks(values)
    ranked = ranked - ranked.mean()
    length = float(np.linalg.norm(ranked))
    return ranked / length if length > _TIED else None
