"""The scores of a base by itself, with their intervals over items and what guessing would score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.analysis.results import require_study
from crossgraft.core import Answers, Floats, Point, Treatment
from crossgraft.metrics import METRICS, Metric
from crossgraft.runs.storage.store import Store
from crossgraft.stats.cells.change import wilson
from crossgraft.transfer.pairing import chance

_DRAWS = 1000  # for metrics that are no mean of shares


@dataclass(frozen=True)
class BaseScore:
    """One target of the base: the score in the unit of its metric, with a 95 % interval over items."""

    target: Point
    metric: Metric
    value: float
    low: float
    high: float
    n: int
    chance: float | None  # none where there is nothing to guess among

    @property
    def verdict(self) -> str:
        if self.chance is None:
            return ""
        if self.low > self.chance:
            return "above chance"
        return "below chance" if self.high < self.chance else "not significantly different from chance"

    @property
    def texts(self) -> tuple[str, ...]:
        """A row of a table: target, metric, score, interval, items, chance, verdict."""

        def level(value: float) -> str:
            return f"{value:.1%}" if self.metric.unit == "share" else f"{value:.3f}"

        ends = f"[{level(self.low)}, {level(self.high)}]"
        guessed = "–" if self.chance is None else level(self.chance)
        return str(self.target), self.metric.name, level(self.value), ends, str(self.n), guessed, self.verdict


def base_scores(store: Store, study: str) -> Iterator[BaseScore]:
    """Every target of a study that its base was measured on; of several pairings, the first."""
    cells = [cell for job in require_study(store, study).jobs if _is_plain(job.treatment) for cell in job.cells]
    records = {record.id: record for record in store.read(cell.record_id for cell in cells)[0]}
    for cell in cells:
        if cell.record_id in records:
            yield score_of(cell.target, METRICS.get(cell.metric), records[cell.record_id].answers)


def _is_plain(treatment: Treatment) -> bool:
    return treatment.is_control and not treatment.variant


def score_of(target: Point, metric: Metric, answers: Answers) -> BaseScore:
    """A score with its interval, of a base or of any other record."""
    rows = metric.statistics(answers)
    groups = answers.columns.get("group")
    labels = np.arange(len(rows)) if groups is None else np.unique(groups.astype(str), return_inverse=True)[1]
    score = metric.score(answers)
    share = metric.is_mean and metric.unit == "share"
    low, high = _of_share(rows, labels) if share else _bootstrapped(rows, labels, metric)
    guessed = chance(answers) if metric.name.startswith("accuracy") else None
    return BaseScore(target, metric, score.value, low, high, score.n, guessed)


def _of_share(rows: Floats, groups: npt.NDArray[np.integer]) -> tuple[float, float]:
    """Wilson's (1927), of as many items as the groups are worth: n over the design effect (Kish, 1965)."""
    values, groups = rows[rows[:, 1] > 0, 0], groups[rows[:, 1] > 0]
    if not len(values):
        return float("nan"), float("nan")
    deviations = values - values.mean()
    alone = float(deviations @ deviations)
    together = float((np.bincount(groups, weights=deviations) ** 2).sum())
    effect = max(1.0, together / alone) if alone > 0 else 1.0
    return wilson(float(values.mean()), len(values) / effect)


def _bootstrapped(rows: Floats, groups: npt.NDArray[np.integer], metric: Metric) -> tuple[float, float]:
    units = int(groups.max()) + 1
    drawn = np.random.default_rng(0).multinomial(units, np.full(units, 1 / units), size=_DRAWS)
    low, high = np.quantile(metric.aggregate(drawn[:, groups].astype(float) @ rows), [0.025, 0.975])
    return float(low), float(high)
