"""What the paper printed of its regimes, beside a table of its results that may lack models or cells.

Of a whole table every figure must be the printed one. Of a part, the printed figure says what the missing cells must have: their
mean and their shares, within the rounding of print.

Changes are steps of a third of an item, so some are a loss of exactly one point: whether such a cell is "harm" (Δ ≤ −1) depends on
rounding in the last bit. The share of harm is therefore a range, without and with these cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crossgraft.analysis.cells import in_regimes, sourced
from crossgraft.core import REGIME_WORDS, Floats, Regime
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix

HARM = -1.0  # percentage points: the paper's harm is a change at or below it
_EDGE = 1e-5  # percentage points: tables are rounded to six decimals
_ROUNDING = 1e-9
ALL_TRANSFER = "all transfer cells"

MODELS = (
    "Llama-3.1-8B-Instruct",
    "Llama-3.2-1B-Instruct",
    "Llama-3.2-3B-Instruct",
    "Qwen2.5-0.5B-Instruct",
    "Qwen2.5-1.5B-Instruct",
    "Qwen2.5-3B-Instruct",
    "Qwen2.5-7B-Instruct",
    "gemma-3-1b-it",
    "gemma-3-4b-it",
)
TASKS = ("arc_challenge", "global_mmlu", "hellaswag", "truthfulqa")
LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")

Figure = Literal["mean", "median", "positive", "harm"]
Verdict = Literal["equal", "differs", "possible", "impossible"]


@dataclass(frozen=True)
class Printed:
    """One figure as it stands in the paper, with the half of its last digit."""

    over: Regime | None  # None: all transfer cells
    cells: int
    figure: Figure
    value: float  # pp, or percent of the cells

    @property
    def words(self) -> str:
        return f"{self.over}, {REGIME_WORDS[self.over]}" if self.over else ALL_TRANSFER

    @property
    def half(self) -> float:
        return 0.0005 if self.figure in ("mean", "median") else 0.05


@dataclass(frozen=True)
class Beside:
    """A printed figure and the same of the cells that are here; what the missing cells must have, where any are missing."""

    printed: Printed
    cells: int
    value: float
    least: float  # below ``value`` where losses of exactly a point may not count as harm
    missing: tuple[float, float] | None  # what print allows; None of a median, and where no cell is missing
    verdict: Verdict | None  # None of the median of a part, of which nothing follows


def _printed() -> Iterator[Printed]:
    """Dymkiewicz et al. (Findings of EMNLP 2026), nine models."""
    rows: tuple[tuple[Regime | None, int, float, float, float], ...] = (
        ("MT-ML", 396, 2.020, 68.2, 9.3),
        ("MT-CL", 3960, 1.246, 66.4, 7.1),
        ("CT-ML", 1188, 0.808, 56.9, 11.4),
        ("CT-CL", 11880, 0.785, 57.7, 9.5),
        (None, 17028, 0.894, 59.7, 9.1),
    )
    for over, cells, mean, positive, harm in rows:
        yield Printed(over, cells, "mean", mean)
        if over is None:
            yield Printed(over, cells, "median", 0.250)
        yield Printed(over, cells, "positive", positive)
        yield Printed(over, cells, "harm", harm)


PRINTED = tuple(_printed())


def is_the_papers(matrix: TransferMatrix) -> bool:
    """Whether all models, tasks and languages are the paper's."""
    points = {*matrix.columns, *(row.source for row in matrix.rows if row.source)}
    return (
        {row.model for row in matrix.rows} <= set(MODELS)
        and {point.task for point in points} <= set(TASKS)
        and {point.lang for point in points} <= set(LANGUAGES)
    )


def beside_the_printed(matrix: TransferMatrix) -> tuple[Beside, ...]:
    """Every printed figure of which the matrix has a cell."""
    if not is_the_papers(matrix):
        return ()
    cells = list(matrix.cells.values())
    found = ((printed, _over(cells, printed)) for printed in PRINTED)
    return tuple(beside(printed, np.array([cell.change.mean for cell in group])) for printed, group in found if group)


def missing_cells(matrix: TransferMatrix) -> dict[str, int]:
    """How many of its 44 × 44 cells each model lacks, of those that lack any."""
    whole = (len(TASKS) * len(LANGUAGES)) ** 2
    counts = {model: sum(row.model == model for row, _ in matrix.cells) for model in MODELS}
    return {model: whole - count for model, count in counts.items() if count < whole}


def _over(cells: Sequence[ChangeCell], printed: Printed) -> list[ChangeCell]:
    return sourced(cells) if printed.over is None else in_regimes(cells, printed.over)


def figure(changes: Floats, name: Figure) -> float:
    """As the paper defines it: positive is above zero, harm is a loss of a point or more; both in percent."""
    if name == "mean":
        return float(changes.mean())
    if name == "median":
        return float(np.median(changes))
    return 100 * float((changes > 0).mean() if name == "positive" else (changes <= HARM).mean())


def beside(printed: Printed, changes: Floats) -> Beside:
    """The changes (pp) of the cells that are here, of all or of a part of those that were printed."""
    value, count = figure(changes, printed.figure), len(changes)
    least, most = _range(changes, printed.figure)
    lacking = printed.cells - count
    if not lacking:
        equal = least - printed.half - _ROUNDING <= printed.value <= most + printed.half + _ROUNDING
        return Beside(printed, count, value, least, None, "equal" if equal else "differs")
    if printed.figure == "median":
        return Beside(printed, count, value, least, None, None)
    low = (printed.cells * (printed.value - printed.half) - count * most) / lacking
    high = (printed.cells * (printed.value + printed.half) - count * least) / lacking
    lowest, highest = (-100.0, 100.0) if printed.figure == "mean" else (0.0, 100.0)
    if low > highest or high < lowest:
        return Beside(printed, count, value, least, (low, high), "impossible")
    return Beside(printed, count, value, least, (max(low, lowest), min(high, highest)), "possible")


def _range(changes: Floats, name: Figure) -> tuple[float, float]:
    """The figure without and with losses of exactly a point, up to rounding; other figures have no such edge."""
    if name != "harm":
        return (value := figure(changes, name)), value
    without, with_them = (100 * float((changes <= HARM + side * _EDGE).mean()) for side in (-1, 1))
    return without, with_them
