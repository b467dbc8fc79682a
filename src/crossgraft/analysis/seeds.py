"""What the luck of training runs adds to sums of cells: a seed moves all targets of its treatment together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scipy.special import stdtrit

from crossgraft.analysis.estimate import Weighted
from crossgraft.core import Treatment


@dataclass(frozen=True, eq=False)
class SeedSums:
    """What each seed of each treatment adds to one weighted sum, less the mean of the treatment's seeds, in percentage points."""

    rows: Mapping[Treatment, Mapping[int | None, float]]

    @classmethod
    def of(cls, weighted: Weighted) -> SeedSums:
        rows: dict[Treatment, dict[int | None, float]] = {}
        for cell, weight in weighted:
            if len(cell.seeds) > 1:
                deviations = rows.setdefault(cell.row, {})
                mean = cell.change.mean
                for seed, change in zip(cell.seeds, cell.seed_changes, strict=True):
                    deviations[seed] = deviations.get(seed, 0.0) + weight * (change - mean)
        return cls(rows)

    def covariance(self, other: SeedSums) -> float:
        """Of two sums, in pp²: the seeds of two treatments have nothing in common."""
        found = 0.0
        for row in self.rows.keys() & other.rows.keys():
            one, two = self.rows[row], other.rows[row]
            seeds = one.keys() & two.keys()
            if len(seeds) > 1:
                found += sum(one[seed] * two[seed] for seed in seeds) / (len(seeds) * (len(seeds) - 1))
        return found

    @property
    def variance(self) -> float:
        """What seeds add to the variance of the sum, in pp²."""
        return sum(value for value, _ in self._parts())

    def widening(self, variance: float) -> float:
        """How much wider Student's quantile is than the normal one beside so much variance of items (pp²).

        By Satterthwaite: seeds are few, items are not.
        """
        parts = self._parts()
        total = variance + sum(value for value, _ in parts)
        df = total**2 / max(sum(value**2 / count for value, count in parts), 1e-300)
        return float(stdtrit(df, 0.975)) / 1.959964 if df < 1000 else 1.0

    def _parts(self) -> list[tuple[float, int]]:
        """Each treatment's part of the variance, and the degrees of freedom by which it is known."""
        return [
            (sum(value**2 for value in own.values()) / (len(own) * (len(own) - 1)), len(own) - 1)
            for own in self.rows.values()
        ]
