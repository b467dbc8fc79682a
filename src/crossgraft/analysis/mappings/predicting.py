"""Does lexicon induction predict downstream scores? Over methods, within language pairs, and over pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from crossgraft.analysis.wording import listed
from crossgraft.core import Floats, Point, Treatment
from crossgraft.metrics import Metric
from crossgraft.stats.matrices.predicting import Predicting, predicting
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix

DRAWS = 2000
_SEED = 0
_RELAXED = "rcsls"  # the method that the paper leaves out: it is best at BLI, and not orthogonal
_FEWEST = 3  # rows for a correlation


@dataclass(frozen=True)
class Level:
    """The mean score of a row over the pairs of a task, and what it is above the control, in its unit (shares in points)."""

    row: Treatment
    task: str
    metric: str
    score: float
    gain: float
    pairs: tuple[str, ...]
    is_induction: bool


@dataclass(frozen=True)
class Prediction:
    """One task of lexicon induction beside another task, over the rows that both have on all of ``pairs``."""

    bli: str
    task: str
    metric: str
    without: str  # the method that is left out, "" for none
    rows: tuple[Treatment, ...]
    left_out: tuple[Treatment, ...]  # rows without a score on some of the pairs
    pairs: tuple[str, ...]
    found: Predicting
    is_transductive: bool = False  # the vectors have learnt from the texts of the task

    @property
    def verdict(self) -> str:
        """Whether the order of methods by BLI is that of the task."""
        if self.is_transductive:
            return "transductive, not judged"
        link = self.found.rows
        if isnan(link.low):
            return "too few methods to say"
        if link.low > 0:
            return "BLI orders methods"
        return "BLI orders methods the other way round" if link.high < 0 else "not shown to order methods"


def predictions(matrix: TransferMatrix) -> tuple[Prediction, ...]:
    """Each task of lexicon induction with every other task of language pairs; twice where RCSLS is among the methods."""
    cells = _of_pairs(matrix)
    tasks = list(dict.fromkeys(target.task for _, target in cells))
    induced = [task for task in tasks if _metric(cells, task).reads == "ranking"]
    return tuple(
        prediction
        for bli in induced
        for task in tasks
        if task not in induced
        for prediction in _predictions(matrix, cells, bli, task)
    )


Cells = dict[tuple[Treatment, Point], ChangeCell]


def _of_pairs(matrix: TransferMatrix) -> Cells:
    return {
        (row, target): cell
        for (row, target), cell in matrix.cells.items()
        if row.kind == "mapping" and not row.is_sham and ":" in target.lang
    }


def _metric(cells: Cells, task: str) -> Metric:
    return next(cell.metric for (_, target), cell in cells.items() if target.task == task)


def _predictions(matrix: TransferMatrix, cells: Cells, bli: str, task: str) -> Iterator[Prediction]:
    seen = matrix.labels.transductive.get(task, False)
    measured = {name: {(row, target.lang) for row, target in cells if target.task == name} for name in (bli, task)}
    both = measured[bli] & measured[task]
    pairs = tuple(dict.fromkeys(target.lang for _, target in cells if any(target.lang == pair for _, pair in both)))
    there = [row for row in matrix.rows if any((row, pair) in both for pair in pairs)]
    whole = [row for row in there if all((row, pair) in both for pair in pairs)]
    for without in ("", _RELAXED):
        kept = [row for row in whole if not without or row.name.partition(":")[0] != without]
        if len(kept) < _FEWEST or (without and len(kept) == len(whole)):
            continue
        found = predicting(
            _scores(cells, bli, kept, pairs),
            _scores(cells, task, kept, pairs),
            [row.name.partition(":")[0] for row in kept],
            draws=DRAWS,
            rng=np.random.default_rng(_SEED),
        )
        gone = tuple(row for row in there if row not in whole)
        yield Prediction(bli, task, _metric(cells, task).name, without, tuple(kept), gone, pairs, found, seen)


def _scores(cells: Cells, task: str, rows: Iterable[Treatment], pairs: Sequence[str]) -> Floats:
    return np.array([[cells[row, Point(task, pair)].treated for pair in pairs] for row in rows])


def sentence(found: Sequence[Prediction]) -> str:
    """What the study says, in one sentence; empty without a prediction."""
    shown = [prediction for prediction in found if not prediction.without]
    groups = {
        "orders methods for": [one for one in shown if one.verdict == "BLI orders methods"],
        "orders methods the other way round for": [one for one in shown if one.verdict.endswith("round")],
        "is not shown to order methods for": [one for one in shown if one.verdict.startswith("not")],
        "cannot be judged, with so few methods, for": [one for one in shown if one.verdict.startswith("too")],
    }
    said = [f"{verb} {', '.join(map(_named, ones))}" for verb, ones in groups.items() if ones]
    sentences = [f"In this study BLI {'; it '.join(said)}."] if said else []
    if seen := list(dict.fromkeys(prediction.task for prediction in shown if prediction.is_transductive)):
        sentences.append(f"Not judged, because the vectors have learnt from the texts: {listed(seen)}.")
    return " ".join(sentences)


def _named(prediction: Prediction) -> str:
    return f"{prediction.task} (r {prediction.found.rows.value:+.2f}, {prediction.found.rows.units} methods, {len(prediction.pairs)} pairs)"


def levels(matrix: TransferMatrix) -> tuple[Level, ...]:
    """The mean of every row on every task of language pairs, each pair with the same weight."""
    cells = _of_pairs(matrix)
    found = []
    for row in matrix.rows:
        for task in dict.fromkeys(target.task for _, target in cells):
            here = [cell for (one, target), cell in cells.items() if one == row and target.task == task]
            if here:
                score = float(np.mean([cell.treated for cell in here]))
                gain = float(np.mean([cell.change.mean for cell in here]))
                pairs = tuple(cell.target.lang for cell in here)
                metric = here[0].metric
                found.append(Level(row, task, metric.name, score, gain, pairs, metric.reads == "ranking"))
    return tuple(found)
