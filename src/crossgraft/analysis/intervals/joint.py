"""Many weighted sums of the same cells at once: their joint draws, items and seeds both, as matrix products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.intervals.estimate import Estimate, Weighted, exact
from crossgraft.analysis.intervals.seeds import by_name
from crossgraft.core import Floats, Treatment
from crossgraft.stats.cells.student import quantile
from crossgraft.transfer.changes import ChangeCell


@dataclass(frozen=True, eq=False)
class Sums:
    """Weighted sums of cells. A sum may rest on a cell that has no weight in it: its items count all the same."""

    cells: tuple[ChangeCell, ...]
    weights: Floats  # (sums, cells)
    used: npt.NDArray[np.bool_]  # (sums, cells): what each rests on

    @property
    def values(self) -> Floats:
        """The changes of the cells, in percentage points."""
        return np.array([cell.change.mean for cell in self.cells])

    def __iter__(self) -> Iterator[Weighted]:
        """Each sum by itself."""
        for weights, used in zip(self.weights, self.used, strict=True):
            yield [(self.cells[place], float(weights[place])) for place in np.flatnonzero(used)]


@dataclass(frozen=True, eq=False)
class Joint:
    """Sums of cells: ``points`` (sums,), their ``draws`` (draws, sums) with seed noise in them, and an estimate each."""

    points: Floats
    draws: Floats
    estimates: tuple[Estimate, ...]


def joint(sums: Sums, draws: Draws) -> Joint:
    """All cells must have items. Seed noise is normal, the same for all targets of a training run."""
    points = sums.weights @ sums.values
    items = draws.many(sums.cells, sums.weights)
    noise, spent = _seeds(sums.cells, sums.weights, draws)
    variances, between = np.var(items, axis=0), (noise**2).sum(axis=1)
    everywhere = draws.places(sums.cells)
    estimates = []
    for number, (used, weights) in enumerate(zip(sums.used, sums.weights, strict=True)):
        places = everywhere[used]
        variance = max(float(variances[number]), draws.rare(places, weights[used]).variance)
        error, df = draws.noise(variance, (float(between[number]), float(spent[number])), places)
        point, half = float(points[number]), quantile(df) * error
        ends = exact(point - half), exact(point + half)
        estimates.append(Estimate(exact(point), *ends, error, len(places), draws.count(places), df=df))
    return Joint(points, _with_seeds(items, noise), tuple(estimates))


def joint_cells(cells: Sequence[ChangeCell], draws: Draws) -> Floats:
    """Joint draws of every cell by itself: (draws, cells)"""
    return _with_seeds(draws.of(cells), _seeds(cells, np.eye(len(cells)), draws)[0])


def _with_seeds(items: Floats, noise: Floats) -> Floats:
    return np.asarray(items + np.random.default_rng(0).standard_normal((len(items), noise.shape[1])) @ noise.T)


def _seeds(cells: Sequence[ChangeCell], weights: Floats, draws: Draws) -> tuple[Floats, Floats]:
    """Factors of the covariance that seeds add (sums, runs), and Σ v²/df over treatments with v their part of the variance."""
    rows: dict[Treatment, list[int]] = {}
    for number, cell in enumerate(cells):
        if draws.deviations[id(cell)]:
            rows.setdefault(cell.row, []).append(number)
    factors, spent = [np.zeros((len(weights), 0))], np.zeros(len(weights))
    for row in sorted(rows, key=by_name):
        places = rows[row]
        found = [draws.deviations[id(cells[number])] for number in places]
        seeds = dict.fromkeys(seed for one in found for seed in one)
        deviations = np.array([[one.get(seed, 0.0) for seed in seeds] for one in found])
        own = weights[:, places] @ deviations
        factors.append(own)
        spent += (own**2).sum(axis=1) ** 2 / (len(seeds) - 1)
    return np.hstack(factors), spent
