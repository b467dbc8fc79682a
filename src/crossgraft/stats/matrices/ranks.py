"""How often each of several scores is the highest, and among the k highest, in joint draws of all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossgraft.core import Floats

_TIED = 1e-9  # scores this near are equal: sums of the same items in another order differ in their last digits


@dataclass(frozen=True)
class Ranks:
    """From joint draws of scores: how often each is first, and among the k highest; and how often the k highest are those of the estimates."""

    first: Floats
    among: Floats
    k: int
    same_set: float


def ranks(draws: Floats, scores: Floats, k: int) -> Ranks:
    """``draws`` (draws, n) of ``scores`` (n,); a tie counts for those it is between in equal parts."""
    k = min(k, len(scores))
    first = _within(draws, 1)
    among = _within(draws, k)
    best = np.argsort(-scores, kind="stable")[:k]
    rest = np.setdiff1d(np.arange(len(scores)), best)
    if not len(rest):
        return Ranks(first, among, k, 1.0)
    same = draws[:, best].min(axis=1) > draws[:, rest].max(axis=1) + _TIED
    return Ranks(first, among, k, float(same.mean()))


def _within(draws: Floats, k: int) -> Floats:
    """The share of draws in which each is among the k highest."""
    edge = np.sort(draws, axis=1)[:, -k][:, None]
    above, tied = draws > edge + _TIED, np.abs(draws - edge) <= _TIED
    places = (k - above.sum(axis=1, keepdims=True)) / tied.sum(axis=1, keepdims=True)
    return np.asarray((above + tied * places).mean(axis=0))
