"""What a treatment harms, and which other adapter gains there: what remedies are proposed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.first.floor import can_show_harm
from crossgraft.analysis.questions.variance.posterior import Posterior, posterior
from crossgraft.core import Point, Treatment
from crossgraft.errors import DataError, SpecError, did_you_mean
from crossgraft.transfer.matrix import TransferMatrix

_HARM = -1.0  # percentage points


@dataclass(frozen=True)
class Loss:
    """A target that a treatment harms: the mean over models and recipes, in percentage points."""

    target: Point
    change: float
    sure: bool  # in one of these cells at least, the interval lies below zero


@dataclass(frozen=True)
class Donor:
    """Another adapter, and what it is expected to do on the harmed targets and on those that the treatment is for."""

    name: str
    change: float  # expected mean on the harmed targets, in percentage points


def rows_of(matrix: TransferMatrix, name: str) -> tuple[Treatment, ...]:
    """The trained treatments of that name, over models and recipes."""
    trained = [row for row in matrix.rows if row.kind == "trained" and not row.is_sham]
    rows = tuple(row for row in trained if name in (row.name, row.label))
    if not rows:
        names = list(dict.fromkeys(row.name for row in trained))
        if not names:
            raise SpecError(
                "no trained adapter has a result yet, so there is nothing to mitigate: 'crossgraft run' computes what is missing"
            )
        raise SpecError(
            f"expected an adapter that this study has trained and measured; got {name!r}{did_you_mean(name, names)}"
        )
    return rows


def losses(matrix: TransferMatrix, rows: Sequence[Treatment]) -> tuple[Loss, ...]:
    """Targets elsewhere that lose a point or more on average, and can show it; the largest loss first."""
    by_target: dict[Point, list[tuple[float, float]]] = {}
    cells = [cell for (row, _), cell in matrix.cells.items() if row in rows and cell.unit == "pp"]
    for cell in select.elsewhere(cells):
        if can_show_harm(cell):
            by_target.setdefault(cell.target, []).append((cell.change.mean, cell.change.high))
    found = [
        Loss(target, float(np.mean([mean for mean, _ in changes])), any(high < 0 for _, high in changes))
        for target, changes in by_target.items()
    ]
    return tuple(sorted((loss for loss in found if loss.change <= _HARM), key=lambda loss: loss.change))


def donor(matrix: TransferMatrix, rows: Sequence[Treatment], targets: Sequence[Point]) -> Donor | None:
    """The other trained adapter with the largest expected mean on these targets; none where none is expected to gain.

    The expectation is the posterior mean, so that choosing the best of many does not inflate it.
    """
    try:
        found = posterior(matrix)
    except DataError:
        return None
    columns = [place for place, target in enumerate(found.columns) if target in targets]
    if not columns:
        return None
    means = _means(found, rows, columns)
    best = max(means, key=lambda name: means[name], default="")
    return Donor(best, means[best]) if best and means[best] > 0 else None


def _means(found: Posterior, rows: Sequence[Treatment], columns: Sequence[int]) -> dict[str, float]:
    """Of every other trained adapter with the same recipes, over models and recipes."""
    wanted = {(row.model, row.recipe) for row in rows}
    values: dict[str, dict[tuple[object, ...], float]] = {}
    for place, row in enumerate(found.rows):
        if row.kind == "trained" and row.name != rows[0].name and (row.model, row.recipe) in wanted:
            values.setdefault(row.name, {})[row.model, row.recipe] = float(found.mean[place, columns].mean())
    return {name: float(np.mean(list(own.values()))) for name, own in values.items() if len(own) == len(wanted)}
