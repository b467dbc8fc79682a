"""Blocks of the product of two matrices, on CPU or GPU: compared and searched where they lie.

A tile of 1024 × 1024 float32 stays in the cache of a core (or in the memory of the GPU); what leaves it are counts,
maxima and a few candidates. Nothing larger than a tile is ever made, whatever the size of the vocabularies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.embeddings.retrieval.exact import Rows
from crossgraft.embeddings.spaces.devices import place
from crossgraft.embeddings.spaces.space import Vectors

Device = Literal["auto", "cpu", "torch"]  # "auto": where --device says; "torch": torch on the CPU, for tests

SIDE = 1024  # columns of a tile, and mostly its rows; at most 2040, for `above` counts in bytes
GROUP = 64  # columns of which one maximum is taken, at most


class Tile(Protocol):
    """Similarities of some queries and targets, filled up with -inf to whole groups. It lasts until the next is made.

    Group j of g groups are the columns j, j + g, j + 2 g, …; a group has ``size`` columns, see ``group_size``.
    """

    @property
    def columns(self) -> int: ...

    def above(self, rows: Rows | slice, floor: Vectors) -> Rows:
        """How many columns of each of the rows are greater than its floor."""
        ...

    def between(self, rows: Rows, floor: Vectors, ceiling: Vectors) -> tuple[Rows, Rows]:
        """Places in ``rows``, and columns, of what is above the floor but not above the ceiling."""
        ...

    def maxima(self, size: int) -> Vectors:
        """The largest of each group. (rows, groups)"""
        ...

    def members(self, rows: Rows, groups: Rows, floor: Vectors, size: int) -> tuple[Rows, Rows, Vectors]:
        """Places in ``rows``, columns and values of what is at least the floor in the given groups."""
        ...

    def log_sum_exp(self, beta: float) -> Floats:
        """log Σ exp(β s) of each row."""
        ...

    def transposed(self) -> Tile: ...


class Product(Protocol):
    """Tiles of ``queries @ targets.T``, less a penalty of the targets."""

    def tiles(self, rows: slice) -> Iterator[tuple[int, Tile]]:
        """The first column of each tile and the tile, over all targets."""
        ...


def product(queries: Vectors, targets: Vectors, penalty: Vectors | None = None, *, device: Device = "auto") -> Product:
    """On a GPU by torch, otherwise in NumPy."""
    where = place() if device == "auto" else device
    if where == "cpu":
        return _ArrayProduct(queries, targets, penalty)
    return _TorchProduct(queries, targets, penalty, "cpu" if where == "torch" else where)


def blocks(total: int, size: int = SIDE) -> list[slice]:
    """Consecutive slices of at most the size; one, of nothing, where there is nothing."""
    return [slice(start, min(start + size, total)) for start in range(0, max(total, 1), size)]


def group_size(columns: int, k: int) -> int:
    """The largest groups of which a tile of so many columns has at least k.

    With fewer than k groups the k-th largest maximum is unknown, and every column would be looked at.

    >>> group_size(1024, 10), group_size(128, 10), group_size(1024, 50)
    (64, 8, 16)
    """
    size = GROUP
    while size > 2 and _whole_groups(columns) < k * size:
        size //= 2
    return size


def _whole_groups(size: int) -> int:
    return -(-size // GROUP) * GROUP


@dataclass(frozen=True)
class _ArrayTile:
    scores: Vectors  # a view of more, which is padding: (≥ rows, ≥ columns)
    rows: int
    columns: int
    room: Vectors  # half as many numbers, to work in: memory that is taken anew for each tile costs more than the work

    def above(self, rows: Rows | slice, floor: Vectors) -> Rows:
        chosen = self.scores[: self.rows, : _whole_groups(self.columns)][rows]
        greater = self.room.view(np.bool_)[: chosen.size].reshape(chosen.shape)
        np.greater(chosen, floor[:, None], out=greater)
        in_eights = np.add.reduce(greater.view(np.uint64), axis=1)  # eight counts of a byte each, side by side
        return np.asarray(in_eights[:, None].view(np.uint8).sum(axis=1, dtype=np.int64))

    def between(self, rows: Rows, floor: Vectors, ceiling: Vectors) -> tuple[Rows, Rows]:
        chosen = self.scores[rows, : self.columns]
        which, columns = np.nonzero((chosen > floor[:, None]) & (chosen <= ceiling[:, None]))
        return which, columns

    def maxima(self, size: int) -> Vectors:
        found = self.scores[: self.rows, : _whole_groups(self.columns)]
        width = found.shape[1] // 2
        room = self.room[: self.rows * width]
        by_rows = found.strides[1] == found.itemsize  # not so when transposed
        half = room.reshape(self.rows, width) if by_rows else room.reshape(width, self.rows).T
        np.maximum(found[:, :width], found[:, width:], out=half)
        groups = found.shape[1] // size
        while width > groups:
            width //= 2
            np.maximum(half[:, :width], half[:, width : 2 * width], out=half[:, :width])
        return half[:, :groups].copy()

    def members(self, rows: Rows, groups: Rows, floor: Vectors, size: int) -> tuple[Rows, Rows, Vectors]:
        columns = groups[:, None] + _whole_groups(self.columns) // size * np.arange(size)
        values = self.scores[rows[:, None], columns]
        which, member = np.nonzero(values >= floor[:, None])
        return which, columns[which, member], values[which, member]

    def log_sum_exp(self, beta: float) -> Floats:
        chosen = self.scores[: self.rows, : self.columns]
        largest = chosen.max(axis=1, keepdims=True)
        parts = np.exp(np.float32(beta) * (chosen - largest)).sum(axis=1)
        return np.asarray(beta * largest[:, 0].astype(np.float64) + np.log(parts.astype(np.float64)))

    def transposed(self) -> _ArrayTile:
        return _ArrayTile(self.scores.T, self.columns, self.rows, self.room)


@dataclass(frozen=True)
class _ArrayProduct:
    queries: Vectors
    targets: Vectors
    penalty: Vectors | None

    def tiles(self, rows: slice) -> Iterator[tuple[int, Tile]]:
        some = self.queries[rows]
        scores = np.full((_whole_groups(len(some)), SIDE), -np.inf, dtype=np.float32)
        room = np.empty(scores.size // 2, dtype=np.float32)
        for columns in blocks(len(self.targets)):
            width = columns.stop - columns.start
            part = scores[: len(some), :width]
            np.matmul(some, self.targets[columns].T, out=part)
            if self.penalty is not None:
                part -= self.penalty[columns]
            scores[: len(some), width : _whole_groups(width)] = -np.inf
            yield columns.start, _ArrayTile(scores, len(some), width, room)


@dataclass(frozen=True)
class _TorchTile:
    scores: Any  # a tensor (≥ rows, ≥ columns)
    rows: int
    columns: int

    def above(self, rows: Rows | slice, floor: Vectors) -> Rows:
        chosen = self._all[rows if isinstance(rows, slice) else self._there(rows)]
        counts: Rows = _here((chosen > self._there(floor)[:, None]).sum(dim=1))
        return counts

    def between(self, rows: Rows, floor: Vectors, ceiling: Vectors) -> tuple[Rows, Rows]:
        chosen = self._all[self._there(rows)]
        inside = (chosen > self._there(floor)[:, None]) & (chosen <= self._there(ceiling)[:, None])
        which, columns = inside.nonzero(as_tuple=True)
        return _here(which), _here(columns)

    def maxima(self, size: int) -> Vectors:
        found: Vectors = _here(self._grouped(size).amax(dim=1))
        return found

    def members(self, rows: Rows, groups: Rows, floor: Vectors, size: int) -> tuple[Rows, Rows, Vectors]:
        grouped = self._grouped(size)
        values = grouped[self._there(rows), :, self._there(groups)]
        which, member = (values >= self._there(floor)[:, None]).nonzero(as_tuple=True)
        found = _here(which)
        return found, groups[found] + grouped.shape[2] * _here(member), _here(values[which, member])

    def log_sum_exp(self, beta: float) -> Floats:
        found: Floats = _here((beta * self._all).logsumexp(dim=1)).astype(np.float64)
        return found

    def transposed(self) -> _TorchTile:
        return _TorchTile(self.scores.T, self.columns, self.rows)

    @property
    def _all(self) -> Any:
        return self.scores[: self.rows, : self.columns]

    def _grouped(self, size: int) -> Any:  # (rows, size, groups)
        padded = self.scores[: self.rows, : _whole_groups(self.columns)]
        return padded.unflatten(1, (size, padded.shape[1] // size))

    def _there(self, array: npt.NDArray[Any]) -> Any:
        return _tensor(array, self.scores.device)


class _TorchProduct:
    """Both matrices lie on the device as a whole; a tile is made anew each time."""

    def __init__(self, queries: Vectors, targets: Vectors, penalty: Vectors | None, device: str) -> None:
        self._queries = _tensor(queries, device)
        self._targets = _tensor(targets, device)
        self._penalty = None if penalty is None else _tensor(penalty, device)

    def tiles(self, rows: slice) -> Iterator[tuple[int, Tile]]:
        some = self._queries[rows]
        for columns in blocks(len(self._targets)):
            width = columns.stop - columns.start
            scores = some.new_full((_whole_groups(len(some)), _whole_groups(width)), -np.inf)
            part = some @ self._targets[columns].T
            scores[: len(some), :width] = part if self._penalty is None else part - self._penalty[columns]
            yield columns.start, _TorchTile(scores, len(some), width)


def _tensor(array: npt.NDArray[Any], device: Any) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def _here(tensor: Any) -> Any:
    return tensor.cpu().numpy()
