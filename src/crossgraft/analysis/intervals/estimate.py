"""A mean of changes with its interval, and what that interval is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from crossgraft.analysis.wording import TINY
from crossgraft.stats.cells.student import two_sided
from crossgraft.transfer.matrix import ChangeCell

AS_MEASURED = "a share of the cells as measured"
SHARE_CELLS = 10  # a share of fewer cells moves in steps of more than a tenth: it has no interval
Weighted = Sequence[tuple[ChangeCell, float]]
Verdict = Literal["better", "worse", "not distinguishable"]


@dataclass(frozen=True)
class Estimate:
    """A mean of changes over cells, in percentage points, with its 95 % interval.

    Where nothing is known of its noise the interval and the error are infinite, and ``why`` says what is missing.
    """

    mean: float
    low: float
    high: float
    error: float  # standard error
    cells: int
    items: int  # different items the cells rest on; none where only scores are known
    basis: str = "new items and seeds"  # what the interval is about
    why: str = ""
    df: float = inf  # degrees of freedom by which the error is known

    @property
    def verdict(self) -> Verdict:
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "not distinguishable"

    @property
    def p(self) -> float:
        """Two-sided, of a mean of zero, by Student's t: a thousand draws resolve no small p-values."""
        return two_sided(self.mean, self.error, self.df)


def exact(value: float) -> float:
    """Without what rounding left of a zero."""
    return 0.0 if abs(value) < TINY else value
