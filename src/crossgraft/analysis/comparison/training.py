"""What training anew adds to the difference of two changes: from the seeds of the treatment, or from those of others on its task.

Two or three seeds tell a variance badly. The variances of all treatments of a model on a task are drawn towards one another (``stats.cells.moderate``);
a treatment with a single seed takes the variance of the others, of its own study first. Where no treatment has two seeds the
noise of training is not known. The targets of a task count as one estimate: a training run moves them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from crossgraft.analysis.comparison.matching import Pair
from crossgraft.analysis.intervals.estimate import Estimate
from crossgraft.core import Treatment
from crossgraft.stats.cells.moderate import moderated
from crossgraft.transfer.matrix import ChangeCell

ITEMS_ALONE = "new items alone"  # what an interval without the noise of training is about
_TRAINED = ("trained", "derived")


@dataclass(frozen=True)
class RunNoise:
    """What training runs add to the change of a cell: the variance beyond that of its items, and ``whole`` with it, in pp²."""

    variance: float
    whole: float
    df: float  # degrees of freedom by which the whole is known
    borrowed: bool = False  # from other treatments


@dataclass(frozen=True)
class Spread:
    """What seeds add to the variance of a sum, in pp², and Σ v²/df of its parts for Satterthwaite's formula."""

    variance: float = 0.0
    spent: float = 0.0

    @classmethod
    def of(cls, noises: Sequence[RunNoise]) -> Spread:
        """Of a sum of independent runs. Each study knows its own noise; what is borrowed can be the same estimate twice, and wrong twice."""
        if any(noise.borrowed for noise in noises):
            whole = sum(noise.whole for noise in noises)
            spent = whole**2 / min(noise.df for noise in noises)
        else:
            spent = sum(noise.whole**2 / noise.df for noise in noises)
        return cls(sum(noise.variance for noise in noises), spent)


@dataclass(frozen=True)
class _Runs:
    """The variance of one run of a treatment on a task, ``answers`` being what single answers put into it, in pp²."""

    variance: float
    answers: float
    df: float

    def over(self, seeds: int, *, borrowed: bool = False) -> RunNoise:
        beyond = max(0.0, self.variance - self.answers)
        return RunNoise(beyond / seeds, self.variance / seeds, self.df, borrowed)


@dataclass(frozen=True)
class _Family:
    """The treatments of a model on a task that have several seeds; ``typical`` is a run of one like them."""

    rows: Mapping[Treatment, _Runs]
    typical: _Runs


Known = tuple[RunNoise | None, RunNoise | None]  # in A and in B; none where the noise of training is not known


def run_noise(pairs: Sequence[Pair]) -> list[Known]:
    """Of every pair."""
    families = [_families((pair.a.row.model, (pair.a, pair.b)[side]) for pair in pairs) for side in (0, 1)]
    found = []
    for pair in pairs:
        key = pair.a.row.model, pair.a.target.task
        own = [of_side.get(key) for of_side in families]
        found.append((_noise(pair.a, own[0], own[1]), _noise(pair.b, own[1], own[0])))
    return found


def is_trained(cell: ChangeCell) -> bool:
    """Whether a new run would give another adapter; one that exists already is compared as it is."""
    return cell.row.kind in _TRAINED or len(cell.seeds) > 1


def is_tested(estimate: Estimate) -> bool:
    """Not where the noise of training is not known: it could be all of the difference."""
    return estimate.basis != ITEMS_ALONE


def _noise(cell: ChangeCell, own: _Family | None, other: _Family | None) -> RunNoise | None:
    if not is_trained(cell):
        return RunNoise(0.0, 0.0, np.inf)
    if len(cell.seed_changes) > 1 and own:
        return own.rows[cell.row].over(len(cell.seeds))
    if len(cell.seeds) > 1:  # a mean over seeds, with what they vary by
        added = cell.change.seed_variance
        return RunNoise(added, added, len(cell.seeds) - 1.0) if added > 0 else None
    like = own or other
    return like.typical.over(1, borrowed=True) if like and cell.items and cell.unit == "pp" else None


def _families(cells: Iterable[tuple[str, ChangeCell]]) -> dict[tuple[str, str], _Family]:
    groups: dict[tuple[str, str], dict[Treatment, list[ChangeCell]]] = {}
    for model, cell in cells:
        if len(cell.seed_changes) > 1:
            groups.setdefault((model, cell.target.task), {}).setdefault(cell.row, []).append(cell)
    return {key: _family(rows) for key, rows in groups.items()}


def _family(rows: Mapping[Treatment, Sequence[ChangeCell]]) -> _Family:
    alone = [_alone(cells) for cells in rows.values()]
    most = sum(runs.df for runs in alone)  # no more is known of what they have in common
    if len(alone) == 1:
        return _Family(dict(zip(rows, alone, strict=True)), alone[0])
    better = moderated(np.array([runs.variance for runs in alone]), np.array([runs.df for runs in alone]))
    drawn = [
        _Runs(float(variance), runs.answers, min(float(df), most))
        for runs, variance, df in zip(alone, better.variances, better.df, strict=True)
    ]
    answers = float(np.mean([runs.answers for runs in alone]))
    typical = _Runs(better.prior, answers, min(better.prior_df or 1.0, most))
    return _Family(dict(zip(rows, drawn, strict=True)), typical)


def _alone(cells: Sequence[ChangeCell]) -> _Runs:
    """The mean over the targets of a task, with the degrees of freedom of one of them."""
    variance = float(np.mean([np.var(cell.seed_changes, ddof=1) for cell in cells]))
    scale = 1e4 if cells[0].unit == "pp" else 1.0
    answers = scale * float(np.mean([cell.sampled for cell in cells]))
    return _Runs(variance, answers, min(len(cell.seed_changes) for cell in cells) - 1.0)


def together(parts: Iterable[tuple[Treatment, float, RunNoise]]) -> Spread:
    """What borrowed noise adds to a weighted sum of cells, at most: a run moves all its targets alike, treatments are independent."""
    sums: dict[Treatment, tuple[float, float]] = {}
    df = np.inf
    for row, weight, noise in parts:
        beyond, whole = sums.get(row, (0.0, 0.0))
        sums[row] = beyond + abs(weight) * sqrt(noise.variance), whole + abs(weight) * sqrt(noise.whole)
        df = min(df, noise.df)
    return Spread.of([RunNoise(beyond**2, whole**2, df, borrowed=True) for beyond, whole in sums.values()])
