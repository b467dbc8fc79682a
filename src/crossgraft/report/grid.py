"""The matrix as a page draws it: every model, treatment and target, the cells and what is known beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from crossgraft.core import Point, Treatment
from crossgraft.transfer.changes import ChangeCell, Place
from crossgraft.transfer.matrix import TransferMatrix

_DEEPEST = (15.0, 30.0, 60.0, 100.0)  # percentage points
_MANY, _DRAWN = 6000, 3  # cells, and models that are drawn where there are more
_MOST = 0.9  # of the cells


@dataclass(frozen=True)
class Shrunk:
    """Changes drawn towards what the rest of the grid says of them: by what, in a word and in a sentence, and by cell the value,
    and the ends of its interval where it has one."""

    name: str
    about: str
    changes: Mapping[Place, tuple[float, ...]]


@dataclass(frozen=True, eq=False)
class Grid:
    """Models side by side: a row is a treatment whatever its model, a column a target that any treatment was measured on."""

    matrix: TransferMatrix
    shrunk: Shrunk | None = None

    @cached_property
    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.model for row in self.matrix.rows))

    @property
    def drawn(self) -> tuple[str, ...]:
        """The models whose matrix the page has as a drawing: those of a large grid would be a fifth of the page."""
        return self.models if len(self.matrix.cells) <= _MANY else self.models[:_DRAWN]

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
    def deepest(self) -> Mapping[str, float]:
        """The change at which the shade is deepest, by unit: of percentage points a round one that most cells stay below."""
        sizes: dict[str, list[float]] = {}
        for cell in self.matrix.cells.values():
            sizes.setdefault(cell.unit, []).append(abs(cell.change.mean))
        return {unit: _deepest(sorted(of_unit), round_one=unit == "pp") for unit, of_unit in sizes.items()}

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


def _deepest(sizes: Sequence[float], *, round_one: bool) -> float:
    """
    >>> _deepest([1.0, 2.0, 80.0], round_one=True), _deepest([0.02, 0.0447], round_one=False)
    (100.0, 0.045)
    """
    if not round_one:
        return float(f"{sizes[-1]:.2g}") or 1.0
    most = sizes[min(len(sizes) - 1, int(_MOST * len(sizes)))]
    return next((size for size in _DEEPEST if size >= most), _DEEPEST[-1])
