"""Cells of two matrices that answer the same question: the same model, treatment and target."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from crossgraft.analysis.wording import listed
from crossgraft.core import Point, Treatment
from crossgraft.errors import DataError
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix

_TABLES = ("outcomes", "scores")  # metrics that were read from a table: their names are names of columns

Pairing = Literal["same items", "some items in common", "no items in common", "scores only"]


@dataclass(frozen=True)
class Side:
    """One of the two: a study in a store, or a table that was measured elsewhere, which knows no ids of records."""

    name: str
    matrix: TransferMatrix
    recorded: bool = True


@dataclass(frozen=True, eq=False)
class Pair:
    """One treatment on one target, in A and in B. ``unchanged``: both rest on the same records."""

    a: ChangeCell
    b: ChangeCell
    unchanged: bool

    @cached_property
    def shared(self) -> int:
        """How many items both have."""
        return len(self.a.items) if self.a.items == self.b.items else len(set(self.a.items) & set(self.b.items))

    @property
    def pairing(self) -> Pairing:
        if not (self.a.items and self.b.items):
            return "scores only"
        if self.shared == 0:
            return "no items in common"
        return "same items" if self.shared == len(self.a.items) == len(self.b.items) else "some items in common"


@dataclass(frozen=True)
class Matched:
    """The pairs, what only one side has, and the cells that two metrics measured. ``renamed``: the model's name in A and in B."""

    pairs: tuple[Pair, ...]
    only_a: tuple[ChangeCell, ...]
    only_b: tuple[ChangeCell, ...]
    other_metric: tuple[ChangeCell, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)


def match(a: Side, b: Side) -> Matched:
    """Cells are matched by model, treatment and target; where each side has one model, its name may differ."""
    renamed = _renamed(a.matrix, b.matrix)
    first = {_key(cell.row, cell.target, renamed): cell for cell in a.matrix.cells.values()}
    second = {_key(cell.row, cell.target, {}): cell for cell in b.matrix.cells.values()}
    both = [key for key in first if key in second]
    if not both:
        raise DataError(_nothing_in_common(a, b))
    alike = [key for key in both if _comparable(first[key], second[key])]
    recorded = a.recorded and b.recorded
    return Matched(
        tuple(Pair(first[key], second[key], recorded and _same(first[key], second[key])) for key in alike),
        tuple(cell for key, cell in first.items() if key not in second),
        tuple(cell for key, cell in second.items() if key not in first),
        tuple(first[key] for key in both if not _comparable(first[key], second[key])),
        renamed,
    )


def _renamed(a: TransferMatrix, b: TransferMatrix) -> dict[str, str]:
    first, second = _models(a), _models(b)
    if len(first) == len(second) == 1 and first != second:
        return {first[0]: second[0]}
    return {}


def _models(matrix: TransferMatrix) -> list[str]:
    return list(dict.fromkeys(row.model for row, _ in matrix.cells))


def _key(row: Treatment, target: Point, renamed: Mapping[str, str]) -> Hashable:
    return renamed.get(row.model, row.model), row.label, row.source, row.source_variant, target


def _comparable(a: ChangeCell, b: ChangeCell) -> bool:
    named_alike = a.metric.name == b.metric.name or a.metric.reads in _TABLES or b.metric.reads in _TABLES
    return a.unit == b.unit and a.metric.higher_is_better == b.metric.higher_is_better and named_alike


def _same(a: ChangeCell, b: ChangeCell) -> bool:
    """The same records, computed in the same way: another device can give other answers under the same id."""
    return (
        (a.record_ids, a.control_ids, a.items) == (b.record_ids, b.control_ids, b.items)
        and np.array_equal(a.treated_statistics, b.treated_statistics)
        and np.array_equal(a.control_statistics, b.control_statistics)
    )


def _nothing_in_common(a: Side, b: Side) -> str:
    for side in (a, b):
        if not side.matrix.cells:
            return f"{side.name}: expected changes to compare; it has none yet: 'crossgraft run' computes them"
    for what, names in (("model", _models), ("treatment", _treatments), ("target", _targets)):
        first, second = names(a.matrix), names(b.matrix)
        if what == "model" and _renamed(a.matrix, b.matrix):
            continue
        if not set(first) & set(second):
            return (
                f"expected the same {what} in both; {a.name} has {listed(first)}, {b.name} has {listed(second)}: "
                "cells are matched by model, treatment and target"
            )
    return f"{a.name} and {b.name} have no cell in common: cells are matched by model, treatment, source and target"


def _treatments(matrix: TransferMatrix) -> list[str]:
    return list(dict.fromkeys(row.label for row, _ in matrix.cells))


def _targets(matrix: TransferMatrix) -> list[str]:
    return list(dict.fromkeys(str(target) for _, target in matrix.cells))


def bases(pairs: tuple[Pair, ...]) -> Iterator[Pair]:
    """One pair for every model and target: its cells have the base in common."""
    seen: set[Hashable] = set()
    for pair in pairs:
        key = pair.a.row.model, pair.a.target
        if key not in seen:
            seen.add(key)
            yield pair
