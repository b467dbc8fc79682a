"""Sums of squares in sequence: what each factor explains beyond the fixed effects and the coarser factors (Henderson, 1953).

The parts are orthogonal and positive, so that each is near its expectation times χ²/df, which the quadratic forms of
REML are not. Their expectations are linear in the components and triangular, so that components follow from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from crossgraft.core import Floats
from crossgraft.stats.mixed.design import Design

_RANK = 1e-9  # of a factor's own squares: less is rounding


@dataclass(frozen=True, eq=False)
class Strata:
    """Orthonormal bases of the strata, in terms of cross products with a response."""

    design: Design
    order: tuple[int, ...]  # factors, coarser ones first
    bases: tuple[Floats, ...]  # of the fixed effects, then of the factors in this order: (df, q + p)

    @classmethod
    def of(cls, design: Design) -> Strata:
        """Factors by their number of levels: what is nested in a factor has more."""
        cross = design.cross()
        spans, q = _spans(design), sum(design.sizes)
        order = tuple(sorted(range(len(design.factors)), key=lambda place: design.factors[place].levels))
        left, bases = cross.copy(), []
        to_response = np.eye(len(cross))  # of the columns, less what earlier strata explain
        for span in (slice(q, len(cross)), *(spans[place] for place in order)):
            values, vectors = np.linalg.eigh(left[span, span])
            kept = values > _RANK * max(float(np.trace(cross[span, span])), 1.0)
            turned = vectors[:, kept] / np.sqrt(values[kept])
            bases.append(turned.T @ to_response[span])
            explained = turned.T @ left[span]
            left = left - explained.T @ explained
            to_response = to_response - explained.T @ bases[-1]
        return cls(design, order, tuple(bases))

    @cached_property
    def df(self) -> tuple[int, ...]:
        """Of each factor in the design's order, then of the residual."""
        own = dict(zip(self.order, (len(basis) for basis in self.bases[1:]), strict=True))
        left = len(self.design.fixed) - sum(len(basis) for basis in self.bases)
        return (*(own[place] for place in range(len(own))), left)

    def squares(self, responses: Floats) -> Floats:
        """(m, n) → (m, k + 1): of each factor in the design's order, then of the residual."""
        crossed = np.array([self.design.with_response(y) for y in responses]).T
        fixed, *parts = (np.square(basis @ crossed).sum(axis=0) for basis in self.bases)
        found = np.empty((len(responses), len(parts) + 1))
        found[:, list(self.order)] = np.array(parts).T.reshape(len(responses), len(parts))
        found[:, -1] = np.maximum(np.square(responses).sum(axis=1) - fixed - found[:, :-1].sum(axis=1), 0.0)
        return found

    def residual(self, y: Floats) -> Floats:
        """What all strata leave of y: (n,) → (n,)."""
        crossed = self.design.with_response(y)
        effects = np.sum([basis.T @ (basis @ crossed) for basis in self.bases], axis=0)
        return np.asarray(y - self.design.predict(effects))

    @cached_property
    def expected(self) -> Floats:
        """The squares that a unit of each component is expected to give: (k + 1, k + 1), rows are strata."""
        cross, spans, k = self.design.cross(), _spans(self.design), len(self.order)
        found = np.zeros((k + 1, k + 1))
        for place, basis in zip(self.order, self.bases[1:], strict=True):
            found[place, :k] = [float(np.square(basis @ cross[:, span]).sum()) for span in spans]
        found[:, -1] = self.df
        return found


def _spans(design: Design) -> list[slice]:
    ends = np.cumsum((0, *design.sizes)).tolist()
    return [slice(first, last) for first, last in pairwise(ends)]
