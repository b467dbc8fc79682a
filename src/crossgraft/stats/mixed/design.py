"""A mixed model as arrays: which level of each random factor a row belongs to, and its fixed effects.

    y = X β + Σⱼ Zⱼ bⱼ + e,   bⱼ ~ N(0, γⱼ I),   e ~ N(0, σ² / w)

Everything that fitting needs of the rows are the cross products in ``Moments``: their number disappears.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.errors import DataError

Codes = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Factor:
    """A random effect: its levels are drawn from one normal distribution."""

    name: str
    codes: Codes  # (n,) in 0 … levels - 1
    levels: int

    @classmethod
    def of(cls, name: str, labels: Sequence[object]) -> Factor:
        """Labels of the rows; equal ones are one level, numbered as they appear."""
        places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
        return cls(name, np.array([places[label] for label in labels], dtype=np.intp), len(places))

    def sums(self, values: Floats) -> Floats:
        """Zᵀ values: (n,) → (levels,)."""
        return np.asarray(np.bincount(self.codes, values, self.levels), dtype=np.float64)

    def partition(self) -> bytes:
        """Equal for factors that part the rows in the same way, whatever they call their levels."""
        _, first, inverse = np.unique(self.codes, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[inverse].astype(np.int64).tobytes()


@dataclass(frozen=True, eq=False)
class Moments:
    """Cross products of T = [Z X] and the response y, weighted by w: the sufficient statistics of the model."""

    cross: Floats  # TᵀWT, (q + p, q + p)
    with_response: Floats  # TᵀWy, (q + p,)
    response: float  # yᵀWy
    rows: int
    log_weights: float  # Σ log w
    sizes: tuple[int, ...]  # levels of each factor; they add up to q

    @property
    def df(self) -> int:
        """Rows less fixed effects: ν."""
        return self.rows - (len(self.with_response) - sum(self.sizes))


@dataclass(frozen=True, eq=False)
class Design:
    """The random factors and the fixed columns (n, p) of a model; the columns must be independent."""

    factors: tuple[Factor, ...]
    fixed: Floats
    names: tuple[str, ...] = ("mean",)  # of the fixed columns

    def __post_init__(self) -> None:
        rows, columns = self.fixed.shape
        if columns != len(self.names):
            raise DataError(f"expected a name for each of the {columns} fixed columns; got {len(self.names)}")
        for factor in self.factors:
            if len(factor.codes) != rows:
                raise DataError(f"factor {factor.name!r} has {len(factor.codes)} rows, the fixed effects have {rows}")
        if rows <= columns or np.linalg.matrix_rank(self.fixed) < columns:
            raise DataError(f"{rows} rows cannot tell the {columns} fixed effects apart; leave some of them out")

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(factor.levels for factor in self.factors)

    def cross(self, weights: Floats | None = None) -> Floats:
        """TᵀWT by counting pairs of levels; no matrix of n rows and q columns is made."""
        q, p = sum(self.sizes), self.fixed.shape[1]
        ones = np.ones(len(self.fixed)) if weights is None else weights
        starts = np.cumsum((0, *self.sizes))
        found = np.zeros((q + p, q + p))
        for i, row in enumerate(self.factors):
            at = slice(starts[i], starts[i + 1])
            for j, column in enumerate(self.factors[: i + 1]):
                pairs = row.codes * column.levels + column.codes
                block = np.bincount(pairs, ones, row.levels * column.levels).reshape(row.levels, column.levels)
                found[at, starts[j] : starts[j + 1]] = block
                found[starts[j] : starts[j + 1], at] = block.T
            for k in range(p):
                found[at, q + k] = found[q + k, at] = row.sums(ones * self.fixed[:, k])
        found[q:, q:] = self.fixed.T @ (ones[:, None] * self.fixed)
        return found

    def with_response(self, y: Floats, weights: Floats | None = None) -> Floats:
        """TᵀWy: (n,) → (q + p,)."""
        weighted = y if weights is None else y * weights
        return np.concatenate([*(factor.sums(weighted) for factor in self.factors), self.fixed.T @ weighted])

    def moments(self, y: Floats, weights: Floats | None = None, cross: Floats | None = None) -> Moments:
        """The sufficient statistics; ``cross`` where it is known from an earlier response."""
        return Moments(
            cross=self.cross(weights) if cross is None else cross,
            with_response=self.with_response(y, weights),
            response=float(y @ (y if weights is None else y * weights)),
            rows=len(y),
            log_weights=0.0 if weights is None else float(np.log(weights).sum()),
            sizes=self.sizes,
        )

    def predict(self, effects: Floats) -> Floats:
        """T effects: (…, q + p) → (…, n)."""
        starts = np.cumsum((0, *self.sizes))
        found = self.fixed @ effects.T[starts[-1] :]  # rows first: draws of a level then lie side by side
        for factor, start, end in zip(self.factors, starts[:-1], starts[1:], strict=True):
            found += np.ascontiguousarray(effects.T[start:end])[factor.codes]
        return np.asarray(found.T)
