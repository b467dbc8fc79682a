"""the noise of training runs beyond what draws of items have already; a seed moves all targets of its treatment together.

A run answers some items at random, and the next run answers them anew. That noise is between seeds, but the mean over seeds has
it item by item too, so that draws of items have it already. Counted twice, it makes intervals in which the noise of the
base cancels, such as contrasts, half as wide again as they should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Protocol

from crossgraft.analysis.intervals.estimate import Weighted
from crossgraft.core import Treatment
from crossgraft.transfer.changes import ChangeCell

Deviations = Mapping[int | None, float]  # by seed, in percentage points


class SeedVariance(Protocol):
    """What seeds add to the variance of a sum, and how well that is known."""

    @property
    def variance(self) -> float:
        """In squared percentage points."""

    @property
    def spent(self) -> float:
        """Σ v²/df over its parts, as Satterthwaite's formula asks for it."""


@dataclass(frozen=True, eq=False)
class SeedSums:
    """What each seed of each treatment adds to one weighted sum: the squares add up to the variance of the sum, in pp²."""

    rows: Mapping[Treatment, Deviations]

    @classmethod
    def of(cls, weighted: Weighted, deviations: Mapping[int, Deviations]) -> SeedSums:
        rows: dict[Treatment, dict[int | None, float]] = {}
        for cell, weight in weighted:
            if own := deviations[id(cell)]:
                found = rows.setdefault(cell.row, {})
                for seed, deviation in own.items():
                    found[seed] = found.get(seed, 0.0) + weight * deviation
        return cls(rows)

    def covariance(self, other: SeedSums) -> float:
        """Of two sums, in pp²: the seeds of two treatments have nothing in common."""
        both = ((self.rows[row], other.rows[row]) for row in self.rows.keys() & other.rows.keys())
        return sum(one[seed] * two[seed] for one, two in both for seed in one.keys() & two.keys())

    @property
    def variance(self) -> float:
        """What seeds add to the variance of the sum, in pp²."""
        return sum(_squares(own.values()) for own in self.rows.values())

    @property
    def spent(self) -> float:
        """Σ v²/df over treatments, with v their part of the variance: seeds are few, and Satterthwaite's formula asks for it."""
        return sum(_squares(own.values()) ** 2 / (len(own) - 1) for own in self.rows.values())


def by_name(row: Treatment) -> tuple[str, ...]:
    """An order of treatments for random numbers, so that they do not depend on the order in which a spec lists things."""
    return row.model, row.name, str(row.source), str(row.recipe)


def seed_deviations(cells: Sequence[ChangeCell]) -> dict[int, Deviations]:
    """Of each seed of a cell from their mean, by id of the cell; shrunk so that their squares add up to what seeds add to its variance.

    A deviation has two parts: what its seed does to all targets of the treatment (the mean over them), and the rest. Each
    part keeps 1 - A/V of its variance, with V the variance between seeds and A what single answers put into it. Two
    or three seeds tell a variance badly, so V and A are summed: of the first part over all treatments, of the rest over
    all cells of a task. A run's answers to one item in several languages are taken as independent: where
    they are not, A is too small, and intervals a little wide.
    """
    raw = {id(cell): _deviations(cell) for cell in cells}
    rows: dict[Treatment, list[ChangeCell]] = {}
    for cell in cells:
        if raw[id(cell)]:
            rows.setdefault(cell.row, []).append(cell)
    common = {row: _common([raw[id(cell)] for cell in own]) for row, own in rows.items()}
    kept = _seed_shares(rows, raw, common)
    found: dict[int, Deviations] = {id(cell): {} for cell in cells}
    for row, own in rows.items():
        for cell in own:
            whole, rest = kept[None], kept[cell.target.task]
            found[id(cell)] = {
                seed: whole * common[row][seed] + rest * (value - common[row][seed])
                for seed, value in raw[id(cell)].items()
            }
    return found


def _deviations(cell: ChangeCell) -> dict[int | None, float]:
    """Scaled so that their squares add up to the variance of the mean over seeds; none of a cell with one seed."""
    count = len(cell.seeds)
    if count < 2 or not cell.seed_changes:
        return {}
    mean, scale = sum(cell.seed_changes) / count, sqrt(count * (count - 1))
    return {seed: (one - mean) / scale for seed, one in zip(cell.seeds, cell.seed_changes, strict=True)}


def _common(cells: Sequence[Deviations]) -> Deviations:
    """The mean over the targets of a treatment that have the seed."""
    found: dict[int | None, list[float]] = {}
    for cell in cells:
        for seed, value in cell.items():
            found.setdefault(seed, []).append(value)
    return {seed: sum(values) / len(values) for seed, values in found.items()}


def _seed_shares(
    rows: Mapping[Treatment, Sequence[ChangeCell]],
    raw: Mapping[int, Deviations],
    common: Mapping[Treatment, Deviations],
) -> dict[str | None, float]:
    """√(1 - A/V): of what is common to a treatment's targets; and, by task, of the rest."""
    sums: dict[str | None, list[tuple[float, float]]] = {}
    for row, own in rows.items():
        answers = {id(cell): _answers(cell) for cell in own}
        count = len(own)
        in_common = sum(answers.values()) / count**2
        sums.setdefault(None, []).append((_squares(common[row].values()), in_common))
        for cell in own:
            rest = _squares(value - common[row][seed] for seed, value in raw[id(cell)].items())
            in_rest = answers[id(cell)] * (1 - 2 / count) + in_common
            sums.setdefault(cell.target.task, []).append((rest, in_rest))
    return {key: _share(*(sum(values) for values in zip(*pairs, strict=True))) for key, pairs in sums.items()}


def _squares(values: Iterable[float]) -> float:
    return sum(value**2 for value in values)


def _share(between: float, answers: float) -> float:
    return sqrt(max(0.0, 1 - answers / between)) if between > 0 else 0.0


def _answers(cell: ChangeCell) -> float:
    """What the mean over seeds varies by because each seed answers the items anew, in pp², by each item's variance over the seeds.

    For outcomes 0 and 1 it is Σ p(1 - p) / ((S - 1) n²), p the share of the S seeds that were right.
    """
    return 1e4 * cell.sampled / max(1, len(cell.seeds))
