"""What noise of cells is shared: by all cells of a column, of a row, or of a model's columns of one task.

All treatments of a model are compared with the same answers of its base, and the languages of a task have the same
items: the noise of a grid is far from independent. From draws of it, four variances are told apart by pairs of cells:

    same model and task, another row and column    v₁        the base's noise on items that languages share
    same column, another row                       v₁ + v₂   and on the column itself
    same row, another task                         v₃        the seed noise of the row
    the cell's own                                 the rest
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.stats.mixed.design import Factor


@dataclass(frozen=True, eq=False)
class Noise:
    """Variances of noise, none below zero: of each level of the three factors, and of each cell's own."""

    tasks: Floats  # v₁ of (model, task)
    columns: Floats  # v₂ of (model, target)
    rows: Floats  # v₃ of treatments
    own: Floats  # of each cell (n,)


def part_noise(noise: Floats, tasks: Factor, columns: Factor, rows: Factor) -> Noise:
    """From draws of the noise (draws, n): mean covariances over pairs of cells, by level."""
    both = Factor.of("row and task", list(zip(rows.codes.tolist(), tasks.codes.tolist(), strict=True)))
    own = noise.var(axis=0)
    in_column, in_both = _squares(noise, columns), _squares(noise, both)
    task_of_column, task_of_both, row_of_both = _within(columns, tasks), _within(both, tasks), _within(both, rows)

    def over(codes: npt.NDArray[np.integer], values: Floats, levels: int) -> Floats:
        return np.asarray(np.bincount(codes, values, levels), dtype=np.float64)

    def crossed(all_pairs: Floats, column: Floats, row: Floats, cells: Floats) -> Floats:
        """Pairs of a task that share neither row nor column, by inclusion and exclusion."""
        size = tasks.levels
        return all_pairs - over(task_of_column, column, size) - over(task_of_both, row, size) + tasks.sums(cells)

    ones = np.ones((1, len(own)))
    v1 = _ratio(
        crossed(_squares(noise, tasks), in_column, in_both, own),
        crossed(_counts(ones, tasks), _counts(ones, columns), _counts(ones, both), ones[0]),
    )
    column_pairs = _counts(ones, columns)
    v2 = _ratio(in_column - columns.sums(own), column_pairs - columns.sums(ones[0])) - v1[task_of_column]
    v3 = _ratio(
        _squares(noise, rows) - over(row_of_both, in_both, rows.levels),
        _counts(ones, rows) - over(row_of_both, _counts(ones, both), rows.levels),
    )
    v2 = np.maximum(v2, 0.0)
    shared = v1[tasks.codes] + v2[columns.codes] + v3[rows.codes]
    return Noise(v1, v2, v3, np.maximum(own - shared, 0.0))


def _squares(noise: Floats, factor: Factor) -> Floats:
    """Variance over draws of the sum of each level's cells: the sum of all their covariances."""
    return np.asarray(np.array([factor.sums(one) for one in noise]).var(axis=0))


def _counts(ones: Floats, factor: Factor) -> Floats:
    """Ordered pairs of cells of each level, a cell with itself among them."""
    return np.square(factor.sums(ones[0]))


def _within(inner: Factor, outer: Factor) -> npt.NDArray[np.integer]:
    """The outer level in which each inner level lies."""
    found = np.zeros(inner.levels, dtype=np.intp)
    found[inner.codes] = outer.codes
    return found


def _ratio(sums: Floats, pairs: Floats) -> Floats:
    return np.maximum(np.divide(sums, pairs, out=np.zeros(len(sums)), where=pairs > 0.5), 0.0)
