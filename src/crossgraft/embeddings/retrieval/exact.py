"""Similarities of single pairs in float64: they decide what the float32 products leave open.

A product of matrices in float32 depends, in its last bits, on the library, the device, the number of threads and the
place of a row in its block. It is therefore only used to find the few pairs that matter; which of two of them comes
first is decided here. So ranks and neighbours are the same on every machine, and equal vectors are exactly tied.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.embeddings.spaces.space import Vectors

Rows = npt.NDArray[np.int64]

_CHUNK = 256  # pairs at a time: in float64 they stay in the cache
_UNIT = 2.0**-24  # half the distance from 1 to the next float32


@dataclass(frozen=True)
class Pairwise:
    """Scores of (query, target) pairs: the inner product less the penalty of the target."""

    queries: Vectors  # (n, d)
    targets: Vectors  # (m, d)
    penalty: Vectors | None = None  # (m,)

    def scores(self, rows: Rows, columns: Rows) -> Floats:
        found = np.empty(len(rows))
        for start in range(0, len(rows), _CHUNK):
            part = slice(start, start + _CHUNK)
            x, y = (side.astype(np.float64) for side in (self.queries[rows[part]], self.targets[columns[part]]))
            found[part] = np.einsum("ij,ij->i", x, y)
        return found if self.penalty is None else found - self.penalty[columns]

    def swapped(self) -> Pairwise:
        """The same pairs seen from the targets, without penalty."""
        return Pairwise(self.targets, self.queries)

    def slack(self) -> float:
        """How far a float32 score may lie from its true value.

        Errors of d roundings grow like √d (Higham & Mary, 2019); four times that is never seen to be passed.
        """
        width = self.queries.shape[1]
        size = _longest(self.queries) * _longest(self.targets)
        offset = 0.0 if self.penalty is None or not len(self.penalty) else float(np.abs(self.penalty).max())
        return 4 * _UNIT * (math.sqrt(width) * size + size + offset)


def _longest(vectors: Vectors) -> float:
    return math.sqrt(np.einsum("ij,ij->i", vectors, vectors).max(initial=0))
