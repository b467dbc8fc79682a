"""What sums of cells need to know of each cell, as arrays: a sum over a large grid is then no loop over its cells."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.analysis.intervals.seeds import Deviations, SeedSums
from crossgraft.core import Floats, Treatment
from crossgraft.transfer.changes import ChangeCell

Places = npt.NDArray[np.intp]
Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Columns:
    """Of every cell: its change in percentage points, how many items and passages it has, and the codes of what it shares them with."""

    means: Floats
    items: Codes
    blocks: Codes  # a treatment on a task: its cells have their items in common
    tasks: Codes
    groups: Codes  # passages; 0 where items stand alone

    @classmethod
    def of(cls, cells: Sequence[ChangeCell]) -> Columns:
        return cls(
            np.array([cell.change.mean for cell in cells], dtype=np.float64),
            np.array([len(cell.items) for cell in cells], dtype=np.intp),
            _codes([(cell.row, cell.target.task) for cell in cells]),
            _codes([cell.target.task for cell in cells]),
            np.array([len(set(cell.groups)) for cell in cells], dtype=np.intp),
        )

    def passages(self, places: Places) -> int:
        """Over all tasks of these cells; none where items stand alone."""
        return int(largest(self.tasks[places], self.groups[places]).sum())


@dataclass(frozen=True, eq=False)
class Runs:
    """The deviations of every cell's seeds: ``deviations`` (cells, seeds), 0 where a cell lacks the seed, as ``has`` says."""

    rows: Codes
    treatments: tuple[Treatment, ...]
    seeds: tuple[tuple[int | None, ...], ...]  # of each treatment
    deviations: Floats
    has: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, cells: Sequence[ChangeCell], deviations: Mapping[int, Deviations]) -> Runs:
        rows = _codes([cell.row for cell in cells])
        seeds: list[dict[int | None, int]] = [{} for _ in range(int(rows.max(initial=-1)) + 1)]
        for row, cell in zip(rows.tolist(), cells, strict=True):
            for seed in deviations[id(cell)]:
                seeds[row].setdefault(seed, len(seeds[row]))
        shape = len(cells), max(map(len, seeds), default=0)
        values, has = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
        for place, (row, cell) in enumerate(zip(rows.tolist(), cells, strict=True)):
            for seed, deviation in deviations[id(cell)].items():
                at = place, seeds[row][seed]
                values[at], has[at] = deviation, True
        return cls(rows, tuple(dict.fromkeys(cell.row for cell in cells)), tuple(map(tuple, seeds)), values, has)

    def sums(self, places: Places, weights: Floats) -> SeedSums:
        """What each seed of each treatment adds to a weighted sum of the cells at these places."""
        rows, count = self.rows[places], len(self.treatments)
        each = range(self.deviations.shape[1])
        totals = [np.bincount(rows, weights * self.deviations[places, seed], count) for seed in each]
        touched = [np.bincount(rows, self.has[places, seed], count) > 0 for seed in each]
        found: dict[Treatment, Deviations] = {}
        for row in np.unique(rows).tolist():
            own = {seed: float(totals[at][row]) for at, seed in enumerate(self.seeds[row]) if touched[at][row]}
            if own:
                found[self.treatments[row]] = own
        return SeedSums(found)


def largest(codes: Codes, values: Codes) -> Codes:
    """The largest value of each code, 0 where a code is not among them."""
    found = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.intp)
    np.maximum.at(found, codes, values)
    return found


def _codes(names: Sequence[Hashable]) -> Codes:
    """Numbers from 0 on, in order of appearance."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.intp)
