"""Many weighted sums of the same cells at once: their joint draws, items and seeds both, as matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from crossgraft.analysis.draws import Draws
from crossgraft.analysis.estimate import Estimate, Weighted, exact
from crossgraft.changes import ChangeCell
from crossgraft.core import Floats, Treatment


@dataclass(frozen=True, eq=False)
class Joint:
    """Sums of cells: ``points`` (sums,), their ``draws`` (draws, sums) with the luck of seeds in them, and an estimate each."""

    points: Floats
    draws: Floats
    estimates: tuple[Estimate, ...]


def joint(sums: Sequence[Weighted], draws: Draws) -> Joint:
    """All cells must have items. The luck of seeds is normal, the same for all targets of a training run."""
    cells = list({id(cell): cell for own in sums for cell, _ in own}.values())
    place = {id(cell): number for number, cell in enumerate(cells)}
    weights = np.zeros((len(sums), len(cells)))
    for number, own in enumerate(sums):
        for cell, weight in own:
            weights[number, place[id(cell)]] += weight
    points = weights @ np.array([cell.change.mean for cell in cells])
    items = draws.of(cells) @ weights.T
    luck, df = _seeds(cells, weights)
    drawn = items + np.random.default_rng(0).standard_normal((len(items), luck.shape[1])) @ luck.T
    between = (luck**2).sum(axis=1)
    total = np.var(items, axis=0) + between
    known = np.divide(total**2, df, out=np.full(len(sums), np.inf), where=df > 0)  # Satterthwaite
    estimates = []
    for number, own in enumerate(sums):
        count = draws.count(own)
        error = max(
            float(np.sqrt(total[number])), 100 / (count + 2)
        )  # where hardly an item changed, as Agresti and Min
        half = (float(stdtrit(known[number], 0.975)) if known[number] < 1000 else 1.959964) * error
        point = float(points[number])
        estimates.append(Estimate(exact(point), exact(point - half), exact(point + half), len(own), count))
    return Joint(points, drawn, tuple(estimates))


def _seeds(cells: Sequence[ChangeCell], weights: Floats) -> tuple[Floats, Floats]:
    """Factors of the covariance that seeds add (sums, runs), and Σ v²/df over treatments with v their part of the variance."""
    rows: dict[Treatment, list[int]] = {}
    for number, cell in enumerate(cells):
        if len(cell.seeds) > 1:
            rows.setdefault(cell.row, []).append(number)
    factors, spent = [np.zeros((len(weights), 0))], np.zeros(len(weights))
    for places in rows.values():
        names = {seed: number for number, seed in enumerate(dict.fromkeys(s for n in places for s in cells[n].seeds))}
        deviations = np.zeros((len(places), len(names)))
        for line, number in enumerate(places):
            at = [names[seed] for seed in cells[number].seeds]
            deviations[line, at] = np.array(cells[number].seed_changes) - cells[number].change.mean
        count = len(names)
        own = weights[:, places] @ deviations / np.sqrt(count * (count - 1))
        factors.append(own)
        spent += (own**2).sum(axis=1) ** 2 / (count - 1)
    return np.hstack(factors), spent
