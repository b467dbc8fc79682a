"""Are items that should be independent clustered? The intraclass correlation within candidate groups, or between neighbours.

Questions on one passage are right or wrong together, and intervals that take them for independent are too narrow: the variance of a mean is
1 + (m - 1) ICC times as large, m the size of a group (Kish, 1965).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats

Codes = npt.NDArray[np.integer]
_COUNTER = re.compile(r"(?:[-_/.:#| ]?[A-Za-z]{0,8}[-_]?\d+|[-_/.:#| ]?[A-Za-z])$")
_GROUPS = 8  # fewer are strata, such as the parts of a test
_REACH = 4  # neighbours looked at: passages have about five questions
_SHUFFLES = 1999


@dataclass(frozen=True)
class Clustered:
    """How items are clustered: within ``groups`` groups of about ``size`` whose ids share prefixes, or between neighbours (no groups)."""

    correlation: float
    design_effect: float  # by which the variance of a mean is too small
    p: float
    groups: int = 0
    size: float = 0.0


def clustered(values: Floats, items: Sequence[str], rng: np.random.Generator) -> Clustered | None:
    """Of one value an item; None where there are too few items to tell."""
    if len(items) < 2 * _GROUPS or float(np.ptp(values)) == 0:
        return None
    groups = id_groups(items)
    if groups is not None:
        return _within(values, groups, rng)
    order = sorted(range(len(items)), key=lambda place: _natural(items[place]))
    return _neighbours(values[order], rng)


def id_groups(items: Sequence[str]) -> Codes | None:
    """Which items share all of their id but a counter at its end; None where that makes no groups.

    >>> id_groups([f"p{passage}-q{question}" for passage in range(8) for question in range(2)]).tolist()
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]
    >>> id_groups([f"squad-{n}" for n in range(100)]) is None
    True
    """
    codes: dict[str, int] = {}
    found = np.array([codes.setdefault(_COUNTER.sub("", item) or item, len(codes)) for item in items])
    sizes = np.bincount(found)
    alone = float((sizes == 1).sum()) / len(items)  # of the items
    few = len(sizes) < _GROUPS or sizes.max() > len(items) / 4
    return None if few or alone > 0.5 else found


def _within(values: Floats, groups: Codes, rng: np.random.Generator) -> Clustered:
    """One-way analysis of variance; p by shuffling values among items."""
    sizes = np.bincount(groups).astype(np.float64)
    n, count = len(values), len(sizes)
    centred = values - values.mean()
    shuffled = rng.permuted(np.broadcast_to(centred, (_SHUFFLES, n)), axis=1)
    order = np.argsort(groups, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(groups))[:-1]])
    between = ((np.add.reduceat(shuffled[:, order], starts, axis=1) ** 2) / sizes).sum(axis=1)
    own = float((np.add.reduceat(centred[order], starts) ** 2 / sizes).sum())
    size = (n - float((sizes**2).sum()) / n) / (count - 1)  # the typical size, of groups that differ
    among, inside = own / (count - 1), (float(centred @ centred) - own) / (n - count)
    correlation = (among - inside) / (among + (size - 1) * inside)
    effect = 1 + (float((sizes**2).sum()) / n - 1) * correlation
    return Clustered(correlation, effect, _p(between, own), count, n / count)


def _neighbours(values: Floats, rng: np.random.Generator) -> Clustered:
    """Autocorrelations up to the reach, near ones weighted more in the test (Bartlett); the design effect is 1 + 2 Σ ρ."""
    centred = values - values.mean()
    shuffled = rng.permuted(np.broadcast_to(centred, (_SHUFFLES, len(values))), axis=1)
    weights = 1 - np.arange(1, _REACH + 1) / (_REACH + 1)
    own, drawn = _lagged(centred[None])[0], _lagged(shuffled)
    p = _p(drawn @ weights, float(own @ weights))
    return Clustered(float(own[0]), 1 + 2 * float(own.sum()), p)


def _lagged(rows: Floats) -> Floats:
    """Autocorrelations at lags 1 to the reach: (rows, reach)"""
    squares = (rows**2).sum(axis=1)
    lags = [(rows[:, lag:] * rows[:, :-lag]).sum(axis=1) / squares for lag in range(1, _REACH + 1)]
    return np.stack(lags, axis=1)


def _p(drawn: Floats, own: float) -> float:
    return (1 + int((drawn >= own).sum())) / (1 + len(drawn))


def _natural(item: str) -> list[tuple[int, int, str]]:
    """A key by which item 10 comes after item 9."""
    parts = [part for part in re.split(r"(\d+)", item) if part]
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]
