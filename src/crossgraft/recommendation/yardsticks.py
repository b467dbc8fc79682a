"""What people do without a recommendation, to compare it with: English, the nearest language, the best mean donor, …

A plain rule scores treatments by labels and by changes as they were measured, and takes the one with the highest score. Where it
cannot tell several apart (two languages are as near), it takes any of them, and what is said of it is their mean. Rules that go by the source
take whole adapters, not scaled ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from crossgraft.analysis.questions.paper.typology import FACTS, distance
from crossgraft.analysis.wording import listed
from crossgraft.core import Point, Treatment
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import Options
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix

Scores = Mapping[Treatment, float]  # the higher the better; of the treatments that a rule considers


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


@dataclass(frozen=True)
class Plain:
    """A plain rule: its scores, and why it has none where it has none."""

    scores: Callable[[TransferMatrix, Asked, Sequence[Treatment]], Scores]
    why: str


def yardsticks(matrix: TransferMatrix, options: Options) -> tuple[Yardstick, ...]:
    rows = [row for row in options.rows if row is not None]
    return tuple(_judged(name, rule, rule.scores(matrix, options.asked, rows), options) for name, rule in PLAIN.items())


def taken(scores: Scores) -> list[Treatment]:
    """Those of the highest score."""
    most = max(scores.values(), default=inf)
    return [row for row, score in scores.items() if score == most]


def _judged(name: str, rule: Plain, scores: Scores, options: Options) -> Yardstick:
    rows = taken(scores)
    if not rows:
        return Yardstick(name, (), why=_why(rule, options.asked))
    places = [options.rows.index(row) for row in rows]
    gains = options.gains[:, places].mean(axis=1)
    low, high = np.quantile(gains, [0.025, 0.975])
    risk = float(options.harms[:, places].mean())
    return Yardstick(name, tuple(rows), Expected(float(gains.mean()), float(low), float(high), risk))


def _why(rule: Plain, asked: Asked) -> str:
    unknown = sorted({point.lang for point in asked.improve if _code(point.lang) not in FACTS})
    if rule.scores is in_the_nearest_language and unknown:
        return f"the table of facts about languages lacks {listed(unknown)}"
    return rule.why


def in_english(_: TransferMatrix, asked: Asked, rows: Sequence[Treatment]) -> Scores:
    """The task of a target to improve, in English."""
    skills = {target.skill for target in asked.improve}
    return {
        row: 1.0
        for row in rows
        if row.source and row.kind != "derived" and row.source.skill in skills and _code(row.source.lang) == "en"
    }


def in_the_nearest_language(_: TransferMatrix, asked: Asked, rows: Sequence[Treatment]) -> Scores:
    """The task of a target to improve, in the language that shares most of family, genus, script and word order with it."""
    return {row: -near for row in rows if (near := _nearness(row, asked)) < inf}


def _nearness(row: Treatment, asked: Asked) -> float:
    """The distance to the nearest target to improve that has the source's task and another language; infinite where none has."""
    if row.source is None or row.kind == "derived" or _code(row.source.lang) not in FACTS:
        return inf
    others = [point for point in asked.improve if row.source.regime(point) == "MT-CL" and _code(point.lang) in FACTS]
    return min((distance(_code(row.source.lang), _code(other.lang)) for other in others), default=inf)


def best_mean_donor(matrix: TransferMatrix, _: Asked, rows: Sequence[Treatment]) -> Scores:
    """The mean change, as measured, over all targets but the own source."""
    cells = {row: [cell for cell in _cells(matrix, row, matrix.columns) if cell.regime != "MT-ML"] for row in rows}
    return {row: _mean(own) for row, own in cells.items() if own}


def best_as_measured(matrix: TransferMatrix, asked: Asked, rows: Sequence[Treatment]) -> Scores:
    """The mean change, as measured, on the targets to improve; of treatments that were measured on all of them."""
    cells = {row: _cells(matrix, row, asked.improve) for row in rows}
    return {row: _mean(own) for row, own in cells.items() if len(own) == len(asked.improve)}


def mixed(_: TransferMatrix, __: Asked, rows: Sequence[Treatment]) -> Scores:
    """Mixtures have no single source."""
    return {row: 1.0 for row in rows if row.kind == "trained" and row.source is None}


PLAIN: Mapping[str, Plain] = {
    "the target's own task in English": Plain(in_english, "no treatment was trained on the task in English"),
    "its task in the nearest language": Plain(
        in_the_nearest_language, "no treatment was trained on the task in another language of which the facts are known"
    ),
    "the best mean donor": Plain(best_mean_donor, "no treatment has a result off its source"),
    "the largest measured change": Plain(best_as_measured, "no treatment was measured on all targets to improve"),
    "sources mixed": Plain(mixed, "no mixture of sources was measured"),
}


def _cells(matrix: TransferMatrix, row: Treatment, targets: Sequence[Point]) -> list[ChangeCell]:
    return [one for target in targets if (one := matrix.cells.get((row, target))) and one.unit == "pp"]


def _mean(cells: Sequence[ChangeCell]) -> float:
    return float(np.mean([cell.change.mean for cell in cells]))


def _code(language: str) -> str:
    """Without script and region: the facts are about languages."""
    return language.partition("-")[0].lower()
