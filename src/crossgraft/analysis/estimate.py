"""A mean of changes with its interval, and what that interval is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Literal

from crossgraft.analysis.wording import TINY
from crossgraft.matrix import ChangeCell

AS_MEASURED = "a share of the cells as measured"
SHARE_CELLS = 10  # a share of fewer cells moves in steps of more than a tenth: it has no interval
Weighted = Sequence[tuple[ChangeCell, float]]
Verdict = Literal["better", "worse", "not distinguishable"]


@dataclass(frozen=True)
class Estimate:
    """A mean of changes over cells, in percentage points, with its 95 % interval.

    Where nothing is known of its noise the interval is unbounded, and ``why`` says what is missing.
    """

    mean: float
    low: float
    high: float
    cells: int
    items: int  # different items the cells rest on; none where only scores are known
    basis: str = "new items and seeds"  # what the interval is about
    why: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "not distinguishable"

    @property
    def error(self) -> float:
        """The standard error that the interval stands for."""
        return (self.high - self.low) / (2 * 1.96)

    @property
    def p(self) -> float:
        """Two-sided, of a mean of zero, by the normal distribution: draws alone cannot tell small ones apart."""
        return erfc(abs(self.mean) / self.error / sqrt(2)) if self.error > 0 else 1.0


def exact(value: float) -> float:
    """Without what rounding left of a zero."""
    return 0.0 if abs(value) < TINY else value
