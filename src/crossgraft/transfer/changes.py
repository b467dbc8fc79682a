"""Outcomes before and after → the change of every cell, in percentage points, with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, sqrt

import numpy as np

from crossgraft.core import Floats, Point, Regime, Treatment
from crossgraft.metrics import Metric
from crossgraft.stats.cells.change import Change, SeedNoise, paired_change
from crossgraft.stats.cells.moderate import moderated
from crossgraft.stats.cells.student import two_sided
from crossgraft.stats.control_noise import summed
from crossgraft.stats.resampling.bootstrap import joint_item_bootstrap

_DRAWS = 1000  # for the interval of one cell of a metric that is no mean

Place = tuple[Treatment, Point]


@dataclass(frozen=True)
class ChangeCell:
    """One treatment on one target against the control, over its seeds."""

    row: Treatment
    target: Point
    metric: Metric
    control: float
    treated: float
    change: Change  # in percentage points for shares, else in the metric's unit
    seeds: tuple[int | None, ...]
    seed_changes: tuple[float, ...]
    items: tuple[str, ...]
    groups: tuple[str, ...]  # of each item; none where items stand alone
    treated_statistics: Floats  # (items, k), mean over the seeds
    control_statistics: Floats  # (items, k)
    record_ids: tuple[str, ...]
    control_ids: tuple[str, ...]
    chance: float | None = None  # what guessing would score; none where there is nothing to guess among
    sampled: float = (
        0.0  # variance of one seed's score that comes of its items alone, in squared shares (``Measured.sampled``)
    )

    @cached_property
    def regime(self) -> Regime | None:
        return self.row.source.regime(self.target) if self.row.source else None

    @property
    def unit(self) -> str:
        return "pp" if self.metric.unit == "share" else self.metric.unit


@dataclass(frozen=True, eq=False)
class Measured:
    """The seeds of a cell: sufficient statistics (seeds, items, k) of a metric, after and before."""

    metric: Metric
    seeds: tuple[int | None, ...]
    treated: Floats
    control: Floats
    items: tuple[str, ...]
    groups: tuple[str, ...] = ()
    record_ids: tuple[str, ...] = ()
    control_ids: tuple[str, ...] = ()
    chance: float | None = None

    @cached_property
    def after(self) -> Floats:
        """The score of each seed."""
        return self.metric.aggregate(self.treated.sum(axis=1))

    @cached_property
    def before(self) -> Floats:
        return self.metric.aggregate(self.control.sum(axis=1))

    @cached_property
    def sampled(self) -> float:
        """The variance between seeds that comes of their items alone: each run draws answers of its own.

        The variance between items has it already, so that it must not count twice. Items of a group are answered together.
        """
        if not self.metric.is_mean or len(self.seeds) < 2:
            return 0.0
        counted = self.treated[..., 1] > 0
        values = np.divide(self.treated[..., 0], self.treated[..., 1], out=np.zeros(counted.shape), where=counted)
        if self.groups:
            values = summed(values, np.unique(self.groups, return_inverse=True)[1])
        return float(values.var(axis=0, ddof=1).sum() / max(1, len(self.items)) ** 2)


def change_cells(measured: Mapping[Place, Measured]) -> dict[Place, ChangeCell]:
    """The change of every cell; what seeds vary by is judged by all cells together."""
    noise = _seed_noise(measured)
    return {place: _change_cell(place, one, noise.get(place)) for place, one in measured.items()}


def _seed_noise(measured: Mapping[Place, Measured]) -> dict[Place, SeedNoise]:
    """The variance between seeds of every cell that has several, moderated among a model's cells of one task and metric.

    Three seeds tell a variance badly; all cells of a family together tell well how variances are.
    """
    families: dict[tuple[str, str, str], dict[Place, SeedNoise]] = {}
    for (row, target), one in measured.items():
        if alone := SeedNoise.of(one.after - one.before):
            families.setdefault((row.model, target.task, one.metric.name), {})[row, target] = alone
    return {
        place: replace(noise, variance=max(0.0, noise.variance - measured[place].sampled))
        for family in families.values()
        for place, noise in moderated_noise(family).items()
    }


def moderated_noise(family: Mapping[Place, SeedNoise]) -> dict[Place, SeedNoise]:
    """The noise of seeds of cells of one kind, each variance drawn towards that of all."""
    alone = family.values()
    better = moderated(np.array([noise.variance for noise in alone]), np.array([noise.df for noise in alone]))
    return {
        place: SeedNoise(float(variance), noise.seeds, float(df))
        for (place, noise), variance, df in zip(family.items(), better.variances, better.df, strict=True)
    }


def _change_cell(place: Place, measured: Measured, noise: SeedNoise | None) -> ChangeCell:
    metric = measured.metric
    scale = (1.0 if metric.higher_is_better else -1.0) * (100.0 if metric.unit == "share" else 1.0)
    treated, control = measured.treated.mean(axis=0), measured.control.mean(axis=0)
    after, before = measured.after, measured.before
    if metric.is_mean and metric.unit == "share":
        counted = (treated[:, 1] > 0) & (control[:, 1] > 0)
        groups = np.unique(measured.groups, return_inverse=True)[1][counted] if measured.groups else None
        change = paired_change(treated[counted, 0] - control[counted, 0], noise, groups=groups)
    else:
        change = _bootstrapped(treated, control, metric, after - before, noise)
    return ChangeCell(
        row=place[0],
        target=place[1],
        metric=metric,
        control=float(before.mean()),
        treated=float(after.mean()),
        change=_scaled(change, scale),
        seeds=measured.seeds,
        seed_changes=tuple(((after - before) * scale).tolist()),
        items=measured.items,
        groups=measured.groups,
        treated_statistics=treated,
        control_statistics=control,
        record_ids=measured.record_ids,
        control_ids=measured.control_ids,
        chance=measured.chance,
        sampled=measured.sampled,
    )


def _bootstrapped(
    treated: Floats, control: Floats, metric: Metric, seed_changes: Floats, noise: SeedNoise | None
) -> Change:
    """A percentile interval over items, widened by the variance between seeds."""
    rng = np.random.default_rng(0)
    draws = joint_item_bootstrap(treated[None], control[None], metric.aggregate, draws=_DRAWS, rng=rng)[:, 0]
    mean = float(seed_changes.mean())
    variance = float(np.var(draws))
    between = noise.variance / noise.seeds if noise else 0.0
    error = sqrt(variance + between)
    widening = error / sqrt(variance) if variance > 0 else 1.0
    low, high = np.quantile(draws, [0.025, 0.975])
    return Change(
        mean,
        mean - (mean - float(low)) * widening,
        mean + (float(high) - mean) * widening,
        error,
        len(treated),
        2.8 * error,
        p=two_sided(mean, error, inf),
        seed_variance=between,
    )


def _scaled(change: Change, scale: float) -> Change:
    low, high = sorted((change.low * scale, change.high * scale))
    return replace(
        change,
        mean=change.mean * scale,
        low=low,
        high=high,
        error=change.error * abs(scale),
        detectable=change.detectable * abs(scale),
        seed_variance=change.seed_variance * scale**2,
    )
