"""The base's score in A and in B: when it moved, every change that is taken against it moved too."""

from __future__ import annotations

from math import inf, nan

import numpy as np

from crossgraft.analysis.comparison.matching import Pair
from crossgraft.analysis.external.scores import binomial
from crossgraft.core import Floats
from crossgraft.stats.cells.change import Change
from crossgraft.stats.cells.student import quantile, satterthwaite, two_sided
from crossgraft.transfer.changes import ChangeCell, Measured, change_cells

_ENOUGH = 0.5  # share of the items of the smaller side that both must have, to leave out the others


def base_difference(pair: Pair) -> Change:
    """B less A in the unit of the metric's changes; paired on the items that both have, where these are at least half."""
    a, b = pair.a, pair.b
    if a.items and b.items and pair.shared >= _ENOUGH * min(len(a.items), len(b.items)):
        change = _paired(a, b)
        return change if change.n else _unknown(a, b, "no item counts in both")
    if not a.metric.is_mean or a.unit != "pp":
        return _unknown(a, b, "too few items in common")
    return _two_samples(a, b)


def _paired(a: ChangeCell, b: ChangeCell) -> Change:
    """As a change of the base by itself: McNemar's test of the items that both have."""
    place = {item: number for number, item in enumerate(b.items)}
    both = [number for number, item in enumerate(a.items) if item in place]
    items = tuple(a.items[number] for number in both)
    before, after = a.control_statistics[both], b.control_statistics[[place[item] for item in items]]
    groups = tuple(a.groups[number] for number in both) if a.groups else ()
    measured = Measured(a.metric, (None,), after[None], before[None], items, groups)
    if np.isnan([measured.before, measured.after]).any():
        return Change(nan, nan, nan, inf, 0, inf)
    key = a.row, a.target
    return change_cells({key: measured})[key].change


def _two_samples(a: ChangeCell, b: ChangeCell) -> Change:
    known = [_variance(cell) for cell in (a, b)]
    if any(one is None for one in known):
        return _unknown(a, b, "the number of items is not known")
    parts = [one for one in known if one is not None]
    mean, variance = 100 * (b.control - a.control), sum(part for part, _ in parts)
    df = satterthwaite(variance, sum(part**2 / free for part, free in parts))
    error = float(np.sqrt(variance))
    half, n = quantile(df) * error, min(_items(a), _items(b))
    p = two_sided(mean, error, df)
    return Change(mean, mean - half, mean + half, error, n, half + quantile(df, 0.8) * error, p, df=df)


def _items(cell: ChangeCell) -> int:
    return len(cell.items) or cell.change.n


def _variance(cell: ChangeCell) -> tuple[float, float] | None:
    """Of the base's score (pp²), with its degrees of freedom; items of a passage are summed before they are squared."""
    if not cell.items:
        return (binomial(cell.control, cell.change.n), inf) if cell.change.n and not cell.change.why else None
    counted = cell.control_statistics[:, 1] > 0
    values: Floats = cell.control_statistics[counted, 0] / cell.control_statistics[counted, 1]
    n = len(values)
    if not cell.groups:
        return binomial(float(values.mean()), n) if set(np.unique(values)) <= {0.0, 1.0} else _graded(values), inf
    groups = np.unique(np.array(cell.groups)[counted], return_inverse=True)[1]
    sums, count = np.bincount(groups, weights=values - values.mean()), int(groups.max()) + 1
    if count < 2:
        return None
    return 1e4 * (float(sums @ sums) + 1) / n**2 * count / (count - 1), count - 1.0


def _graded(values: Floats) -> float:
    return 1e4 * (float(values.var()) * len(values) + 1) / len(values) ** 2


def _unknown(a: ChangeCell, b: ChangeCell, why: str) -> Change:
    scale = 100.0 if a.unit == "pp" else 1.0
    return Change(scale * (b.control - a.control), -inf, inf, inf, 0, inf, why=why)
