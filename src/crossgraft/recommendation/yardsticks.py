"""What people do without a recommendation, to compare it with: English, the nearest language, the best mean donor, …

A yardstick names the treatments that a plain rule would take, from labels and from changes as they were measured. Where a rule
cannot tell several apart (two languages are as near), it takes any of them, and what is said of it is their mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from crossgraft.analysis.paper.typology import FACTS, distance
from crossgraft.analysis.wording import listed
from crossgraft.core import Treatment
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import Options
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix

Picked = tuple[list[Treatment], str]  # what a rule takes; why it takes nothing


@dataclass(frozen=True)
class Expected:
    """In percentage points with an interval that holds 95 % of the draws; ``risk`` is the joint probability of harm."""

    gain: float
    low: float
    high: float
    risk: float


@dataclass(frozen=True)
class Yardstick:
    """What a plain rule takes, and what that is expected to do: the mean over ``rows``; or why it takes nothing."""

    name: str
    rows: tuple[Treatment, ...]
    expected: Expected | None = None
    why: str = ""


def yardsticks(matrix: TransferMatrix, options: Options) -> tuple[Yardstick, ...]:
    rows = [row for row in options.rows if row is not None]
    return tuple(_judged(name, *rule(matrix, options.asked, rows), options) for name, rule in YARDSTICKS.items())


def _judged(name: str, rows: Sequence[Treatment], why: str, options: Options) -> Yardstick:
    if not rows:
        return Yardstick(name, (), why=why)
    places = [options.rows.index(row) for row in rows]
    gains = options.gains[:, places].mean(axis=1)
    low, high = np.quantile(gains, [0.025, 0.975])
    risk = float(options.harms[:, places].mean())
    return Yardstick(name, tuple(rows), Expected(float(gains.mean()), float(low), float(high), risk))


def in_english(_: TransferMatrix, asked: Asked, rows: Sequence[Treatment]) -> Picked:
    """The task of a target to improve, in English."""
    skills = {target.skill for target in asked.improve}
    found = [row for row in rows if row.source and row.source.skill in skills and _code(row.source.lang) == "en"]
    return found, f"no treatment was trained on {listed([f'{skill}/en' for skill in sorted(skills)])}"


def in_the_nearest_language(_: TransferMatrix, asked: Asked, rows: Sequence[Treatment]) -> Picked:
    """The task of a target to improve, in the language that shares most of family, genus, script and word order with it."""
    unknown = sorted({target.lang for target in asked.improve if _code(target.lang) not in FACTS})
    if unknown:
        return [], f"the table of facts of languages does not have {listed(unknown)}"
    apart = {row: near for row in rows if (near := _nearness(row, asked)) < inf}
    nearest = min(apart.values(), default=inf)
    why = "no treatment was trained on the task in another language of which the facts are known"
    return [row for row, near in apart.items() if near == nearest], why


def _nearness(row: Treatment, asked: Asked) -> float:
    """The distance to the nearest target to improve that has the source's task and another language; infinite where none has."""
    if row.source is None or _code(row.source.lang) not in FACTS:
        return inf
    others = [one for one in asked.improve if row.source.regime(one) == "MT-CL"]
    return min((distance(_code(row.source.lang), _code(one.lang)) for one in others), default=inf)


def best_mean_donor(matrix: TransferMatrix, _: Asked, rows: Sequence[Treatment]) -> Picked:
    """The largest mean change, as measured, over all targets but the own source."""
    means = {row: _mean([cell.change.mean for cell in _cells(matrix, row) if cell.regime != "MT-ML"]) for row in rows}
    return _largest(means), "no treatment has a result off its source"


def best_as_measured(matrix: TransferMatrix, asked: Asked, rows: Sequence[Treatment]) -> Picked:
    """The largest mean change, as measured, on the targets to improve; of treatments that were measured on all of them."""
    cells = {row: [matrix.cells.get((row, target)) for target in asked.improve] for row in rows}
    means = {row: _mean([cell.change.mean for cell in own if cell]) for row, own in cells.items() if all(own)}
    return _largest(means), "no treatment was measured on all targets to improve"


def mixed(_: TransferMatrix, __: Asked, rows: Sequence[Treatment]) -> Picked:
    """Mixtures have no single source."""
    return [row for row in rows if row.kind == "trained" and row.source is None], "no mixture of sources was measured"


YARDSTICKS: Mapping[str, Callable[[TransferMatrix, Asked, Sequence[Treatment]], Picked]] = {
    "the target's own task in English": in_english,
    "its task in the nearest language": in_the_nearest_language,
    "the best mean donor": best_mean_donor,
    "the largest measured change": best_as_measured,
    "sources mixed": mixed,
}


def _cells(matrix: TransferMatrix, row: Treatment) -> list[ChangeCell]:
    return [cell for target in matrix.columns if (cell := matrix.cells.get((row, target))) and cell.unit == "pp"]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else -inf


def _largest(means: Mapping[Treatment, float]) -> list[Treatment]:
    most = max(means.values(), default=-inf)
    return [row for row, mean in means.items() if mean == most > -inf]


def _code(language: str) -> str:
    """Without script and region: the facts are of languages."""
    return language.partition("-")[0].lower()
