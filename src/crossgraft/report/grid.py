"""The matrix as a page draws it: every model, treatment and target, the cells and what is known beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from crossgraft.core import Point, Treatment
from crossgraft.transfer.changes import ChangeCell, Place
from crossgraft.transfer.matrix import TransferMatrix


@dataclass(frozen=True, eq=False)
class Grid:
    """Models side by side: a row is a treatment whatever its model, a column a target that any treatment was measured on."""

    matrix: TransferMatrix
    shrunken: Mapping[Place, float] = field(default_factory=dict)  # changes drawn towards their donor and recipient

    @cached_property
    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.model for row in self.matrix.rows))

    @cached_property
    def rows(self) -> tuple[Treatment, ...]:
        """Without their models."""
        return tuple(dict.fromkeys(replace(row, model="") for row in self.matrix.rows))

    @cached_property
    def columns(self) -> tuple[Point, ...]:
        measured = {target for _, target in self.matrix.cells}
        return tuple(column for column in self.matrix.columns if column in measured) or self.matrix.columns

    def cell(self, model: str, row: Treatment, column: Point) -> ChangeCell | None:
        return self.matrix.cells.get((replace(row, model=model), column))

    def why(self, model: str, row: Treatment, column: Point) -> str:
        """Why a cell has no number."""
        return self._reasons.get((replace(row, model=model), column), "not measured")

    def has(self, model: str, row: Treatment) -> bool:
        return replace(row, model=model) in self._asked

    @cached_property
    def _reasons(self) -> Mapping[Place, str]:
        return {(gap.row.row, gap.target): gap.reason for gap in self.matrix.gaps}

    @cached_property
    def _asked(self) -> frozenset[Treatment]:
        return frozenset(self.matrix.rows)

    @cached_property
    def prefix(self) -> str:
        """What all tasks begin with, up to a slash: it is said once and left out of the names."""
        tasks = {point.task for point in (*self.columns, *(row.source for row in self.rows if row.source))}
        parts = [task.split("/")[:-1] for task in tasks]
        shared = []
        for names in zip(*parts, strict=False):
            if len(set(names)) > 1:
                break
            shared.append(names[0])
        return "/".join(shared) + "/" if shared else ""
