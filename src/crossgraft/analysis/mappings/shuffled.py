"""Methods fitted on a shuffled dictionary: whether a task can be done without knowing which word translates which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crossgraft.analysis.mappings.means import Means, PairMean
from crossgraft.analysis.mappings.tables import TaskTables, task_tables
from crossgraft.analysis.wording import listed
from crossgraft.core import Answers, Floats, Record, Treatment
from crossgraft.metrics import METRICS
from crossgraft.transfer.matrix import TransferMatrix

_PERMUTATIONS = 200  # of answers that are classes
_SEED = 0

Verdict = Literal["at chance", "above chance", "below chance", "chance not known"]


@dataclass(frozen=True)
class ShuffledControl:
    """A method on a task, its dictionary's target words in random order.

    ``chance`` is the mean score over the same runs if answers had nothing to do with the items: words or documents ranked in
    random order, classes as often as they were given; NaN where the records do not say among how many was ranked.
    """

    row: Treatment
    task: str
    metric: str
    mean: PairMean
    chance: float

    @property
    def verdict(self) -> Verdict:
        """By the interval of the mean, for new items."""
        if np.isnan(self.chance):
            return "chance not known"
        if self.mean.low > self.chance:
            return "above chance"
        return "below chance" if self.mean.high < self.chance else "at chance"


def shuffled_controls(matrix: TransferMatrix, records: Iterable[Record]) -> tuple[ShuffledControl, ...]:
    """One a method and task; empty in studies without such controls."""
    return tuple(control for tables in task_tables(matrix, records, shams=True) for control in _controls(tables))


def _controls(tables: TaskTables) -> Iterator[ShuffledControl]:
    means = Means(tables)
    for row in tables.rows:
        if mean := means.contrast([(row, 1.0)]):
            pairs = [[chance(run, tables.measure) for run in table.runs_of(row)] for table in tables.pairs]
            expected = float(np.mean([np.mean(runs) for runs in pairs if runs]))
            yield ShuffledControl(row, tables.task, tables.measure, mean, expected)


def chance(record: Record, metric: str) -> float:
    """What the answers of a record would score if they had nothing to do with its items."""
    answers = record.answers
    if answers.kind == "choice":
        return _of_classes(answers, metric)
    among = (
        record.provenance.get("vocabulary", [0, 0])[1]
        if answers.kind == "ranking"
        else record.provenance.get("documents", 0)
    )
    relevant = np.count_nonzero(~np.isnan(answers.columns["ranks"]), axis=1)
    relevant = relevant[relevant > 0]
    if not among or not len(relevant) or metric not in ("MAP", "AP"):
        return float("nan")
    return float(np.mean(random_average_precision(relevant.astype(np.float64), int(among))))


def random_average_precision(relevant: Floats, among: int) -> Floats:
    """The expected average precision of a random order with so many relevant ones (Bestgen, 2015).

    With one relevant of n it is H(n) / n, where H is the harmonic number.
    """
    harmonic = float(np.sum(1.0 / np.arange(1, among + 1)))
    others = (relevant - 1) / max(among - 1, 1) * (among - harmonic)
    return np.asarray((others + harmonic) / among)


def _of_classes(answers: Answers, metric: str) -> float:
    """The mean over random assignments of the answers to the items."""
    rng = np.random.default_rng(_SEED)
    loglik = answers.columns["loglik"]
    drawn = (rng.permutation(len(loglik)) for _ in range(_PERMUTATIONS))
    scores = [
        METRICS.get(metric)
        .score(Answers(answers.kind, answers.items, {**answers.columns, "loglik": loglik[order]}))
        .value
        for order in drawn
    ]
    return float(np.mean(scores))


def sentence(controls: Iterable[ShuffledControl]) -> str:
    """Whether methods are above chance when their dictionary is shuffled; empty without such controls."""
    by_task: dict[str, list[ShuffledControl]] = {}
    for control in controls:
        by_task.setdefault(control.task, []).append(control)
    said = [f"{task} {_on(ones)}" for task, ones in by_task.items()]
    return f"With a shuffled dictionary: {'; '.join(said)}." if said else ""


def _on(controls: list[ShuffledControl]) -> str:
    above = [control for control in controls if control.verdict == "above chance"]
    unknown = [control for control in controls if control.verdict == "chance not known"]
    if unknown:
        return "cannot be compared with chance"
    if not above:
        names = "all methods" if len(controls) > 1 else controls[0].row.name
        return f"not above chance ({names})"
    return "above chance: " + listed(
        [f"{one.row.label} {one.mean.value:.3f} (chance {one.chance:.3f})" for one in above]
    )
