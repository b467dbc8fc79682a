"""Labels and arrays of a study: rows are treatments, columns targets, cells changes in percentage points.

Missing stays missing: a cell without a record is NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from crossgraft.core import Floats, Job, Labels, Point, Record, Treatment
from crossgraft.errors import MissingExtra
from crossgraft.transfer.changes import ChangeCell as ChangeCell
from crossgraft.transfer.pairing import ControlCheck as ControlCheck
from crossgraft.transfer.pairing import Gap as Gap
from crossgraft.transfer.pairing import Pairs

if TYPE_CHECKING:
    import pandas
    import polars


@dataclass(frozen=True)
class TransferMatrix:
    """All cells of a study: labels, and one array a number, all of the same shape."""

    rows: tuple[Treatment, ...]
    columns: tuple[Point, ...]
    cells: Mapping[tuple[Treatment, Point], ChangeCell]
    gaps: tuple[Gap, ...] = ()
    control_checks: tuple[ControlCheck, ...] = ()
    labels: Labels = Labels()

    @classmethod
    def from_records(
        cls, jobs: Sequence[Job], records: Iterable[Record], labels: Labels | None = None
    ) -> TransferMatrix:
        """Pair what the jobs of a study asked for with what was recorded."""
        pairs = Pairs(jobs, records)
        cells, gaps = pairs.cells()
        return cls(pairs.rows, pairs.columns, cells, gaps, pairs.control_checks(), labels or Labels())

    @property
    def change(self) -> Floats:
        """Changes (rows, columns), positive when better; NaN where missing."""
        return self._array(lambda cell: cell.change.mean)

    @property
    def low(self) -> Floats:
        return self._array(lambda cell: cell.change.low)

    @property
    def high(self) -> Floats:
        return self._array(lambda cell: cell.change.high)

    @property
    def n(self) -> Floats:
        """Items a cell is based on; NaN where missing."""
        return self._array(lambda cell: float(cell.change.n))

    def _array(self, value: Any) -> Floats:
        table = np.full((len(self.rows), len(self.columns)), np.nan)
        for i, row in enumerate(self.rows):
            for j, column in enumerate(self.columns):
                cell = self.cells.get((row, column))
                if cell is not None:
                    table[i, j] = value(cell)
        return table

    def tidy(self) -> list[dict[str, Any]]:
        """One plain row a cell, for tables."""
        return [_tidy(cell) for cell in self.cells.values()]

    def _repr_html_(self) -> Markup:
        """In a notebook: the change of every treatment on every target, in points, with its interval when pointed at."""
        head = Markup("").join(Markup("<th>{}</th>").format(target) for target in self.columns)
        rows = Markup("\n").join(
            Markup("<tr><th>{}</th>{}</tr>").format(
                row, Markup("").join(self._square(row, target) for target in self.columns)
            )
            for row in self.rows
        )
        return Markup("<table><tr><th></th>{}</tr>\n{}</table>").format(head, rows)

    def _square(self, row: Treatment, target: Point) -> Markup:
        cell = self.cells.get((row, target))
        if cell is None:
            return Markup("<td>·</td>")
        change = cell.change
        hint = f"[{change.low:+.1f}, {change.high:+.1f}] {cell.unit}, n = {change.n}"
        return Markup('<td title="{}">{}</td>').format(hint, f"{change.mean:+.1f}")

    def to_pandas(self) -> pandas.DataFrame:
        """The tidy table as a pandas frame, if pandas is installed."""
        try:
            import pandas
        except ImportError as error:
            raise MissingExtra("to_pandas", "pandas") from error
        return pandas.DataFrame(self.tidy(), columns=TIDY_COLUMNS)

    def to_polars(self) -> polars.DataFrame:
        """The tidy table as a polars frame, if polars is installed."""
        try:
            import polars
        except ImportError as error:
            raise MissingExtra("to_polars", "polars") from error
        return polars.DataFrame(self.tidy(), schema_overrides={"regime": polars.String, "source": polars.String})


TIDY_COLUMNS = [
    "model",
    "treatment",
    "recipe",
    "source",
    "target",
    "regime",
    "metric",
    "n",
    "seeds",
    "control",
    "treated",
    "change",
    "low",
    "high",
    "unit",
    "detectable",
    "p",
    "discordant",
    "record",
    "control_record",
]


def _finite(value: float) -> float | None:
    """An end of an interval, where there is one."""
    return value if isfinite(value) else None


def _tidy(cell: ChangeCell) -> dict[str, Any]:
    values = [
        cell.row.model,
        cell.row.name,
        ", ".join(f"{key}={value}" for key, value in cell.row.recipe),
        str(cell.row.source) if cell.row.source else None,
        str(cell.target),
        cell.regime,
        cell.metric.name,
        cell.change.n or None,
        len(cell.seeds),
        cell.control,
        cell.treated,
        cell.change.mean,
        _finite(cell.change.low),
        _finite(cell.change.high),
        cell.unit,
        _finite(cell.change.detectable),
        cell.change.p,
        cell.change.discordant,
        " ".join(cell.record_ids),
        " ".join(cell.control_ids),
    ]
    return dict(zip(TIDY_COLUMNS, values, strict=True))
