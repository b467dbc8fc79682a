"""What would settle an abstention: which cells to measure on how many items or seeds, by what the draws say would be seen.

A posterior draw θ is taken for the truth. A cell of mean m and variance σ², measured until its variance is τ², will have the mean
m + w(θ - m) + ε with w = 1 - τ²/σ² and Var(ε) = wτ². Over many such truths this gives the probability that the option is then
allowed, or ruled out (preposterior analysis; Raiffa and Schlaifer, 1961).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats, Point, Treatment
from crossgraft.recommendation.options import Options
from crossgraft.recommendation.rules import RULES
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix

_TIMES = (1, 2, 3, 4, 6, 8, 12, 16)  # as many items, or seeds
_CLEAR = 0.5  # probability of a clear answer from which on it is more likely than not
_MATTERS = 0.1  # of the allowed risk: a target that adds less to it is not worth measuring
_TRUTHS = 200
_SEED = 0


@dataclass(frozen=True)
class Outlook:
    """With so many items per target and seeds: probabilities that the option is then allowed and gains, or is ruled out."""

    items: int
    seeds: int
    allowed: float
    ruled_out: float

    @property
    def clear(self) -> bool:
        return self.allowed + self.ruled_out >= _CLEAR


@dataclass(frozen=True)
class Settling:
    """The option that is worth most if it does no harm, and what measuring it more would show.

    Each way is the least that settles it: by items alone, by seeds alone, or where neither does, by both. Where nothing does, the
    only way is the most that was looked at, and is not ``clear``. There are no targets where no measurement is likely to help the option.
    """

    row: Treatment
    good: float  # probability that it gains enough and does no harm
    targets: tuple[Point, ...] = ()  # to measure
    unmeasured: tuple[Point, ...] = ()  # of these
    items: int = 0  # now
    seeds: int = 0
    ways: tuple[Outlook, ...] = ()


def settling(matrix: TransferMatrix, options: Options) -> Settling | None:
    """None where there is no option but the base."""
    if len(options.rows) < 2:
        return None
    least = options.asked.question.least
    worth = np.where(options.harms, 0.0, np.maximum(options.gains - least, 0.0))
    place = 1 + int(np.argmax(worth.mean(axis=0)[1:]))
    row = options.rows[place]
    assert row is not None
    good = float((worth[:, place] > 0).mean())
    if good < options.asked.question.risk:
        return Settling(row, good)
    doubt = Doubt.of(matrix, options, place)
    targets = tuple(target for target, one in zip(doubt.targets, doubt.doubtful, strict=True) if one)
    unmeasured = tuple(target for target in targets if target in options.missing[place])
    return Settling(row, good, targets, unmeasured, doubt.items, doubt.seeds, _ways(doubt))


def _ways(doubt: Doubt) -> tuple[Outlook, ...]:
    ways = [_first_clear(doubt.outlook(times, 1) for times in _TIMES)]
    if doubt.seeds > 1:  # with one the noise of seeds is not known
        ways.append(_first_clear(doubt.outlook(1, times) for times in _TIMES))
    if outlooks := tuple(way for way in ways if way):
        return outlooks
    both = [doubt.outlook(times, times) for times in _TIMES]
    return (_first_clear(iter(both)) or both[-1],)


def _first_clear(outlooks: Iterator[Outlook]) -> Outlook | None:
    return next((outlook for outlook in outlooks if outlook.clear), None)


@dataclass(frozen=True, eq=False)
class Doubt:
    """One option: draws of its cells (draws, targets), and by what each is measured."""

    options: Options
    targets: tuple[Point, ...]
    draws: Floats
    measured: npt.NDArray[np.bool_]
    doubtful: npt.NDArray[np.bool_]  # whether a target is to be measured more
    of_items: Floats  # noise variance, pp²
    of_seeds: Floats
    items: int
    seeds: int

    @classmethod
    def of(cls, matrix: TransferMatrix, options: Options, place: int) -> Doubt:
        asked, row = options.asked, options.rows[place]
        places = {target: options.protected[:, place, at] for at, target in enumerate(asked.protect)}
        places |= {target: options.improved[:, place, at] for at, target in enumerate(asked.improve)}
        cells = [cell for (other, target), cell in matrix.cells.items() if target in places and _is_known(cell)
                 and other.model == asked.model]  # fmt: skip
        own = {cell.target: cell for cell in cells if cell.row == row}
        usual = [median(values) for values in zip(*map(_noise, cells), strict=True)]
        noise = np.array([_noise(own[target]) if target in own else usual for target in places])
        draws = np.column_stack(list(places.values()))
        doubt = cls(
            options,
            tuple(places),
            draws,
            np.array([target in own for target in places]),
            np.ones(len(places), dtype=bool),
            noise[:, 0],
            noise[:, 1],
            round(median(cell.change.n for cell in cells)),
            round(median(len(cell.seeds) for cell in cells)),
        )
        return replace(doubt, doubtful=doubt._doubtful())

    def _doubtful(self) -> npt.NDArray[np.bool_]:
        """The protected targets that make up the risk; those to improve where the gain is not sure."""
        question, asked = self.options.asked.question, self.options.asked
        improved = np.array([target in asked.improve for target in self.targets])
        protected = np.array([target in asked.protect for target in self.targets])
        risks = np.where(protected, (self.draws < -question.tolerance).mean(axis=0), 0.0)
        found = risks > _MATTERS * question.risk
        gains = self.draws[:, improved].mean(axis=1)
        if (gains > question.least).mean() < 1 - question.risk:
            found = found | improved
        return np.asarray(found if found.any() else risks == risks.max())

    def outlook(self, items: int, seeds: int) -> Outlook:
        """With so many times the items and the seeds, on the doubtful targets."""
        noise = self.of_items / items + self.of_seeds / seeds
        question, mean, variance = self.options.asked.question, self.draws.mean(axis=0), self.draws.var(axis=0)
        floor = np.maximum(variance, 1e-12)
        told = np.where(self.measured, 1 / (self.of_items + self.of_seeds), 0.0)
        precision = np.maximum(1 / floor - told, 0.0) + 1 / noise
        after = np.where(self.doubtful, np.minimum(1 / precision, floor), floor)
        weight = 1 - after / floor
        rng = np.random.default_rng(_SEED)
        truths = self.draws[rng.integers(len(self.draws), size=_TRUTHS)]
        seen = mean + weight * (truths - mean) + np.sqrt(weight * after) * rng.standard_normal(truths.shape)
        later = seen + (np.sqrt(after / floor) * (self.draws - mean))[:, None]  # (draws, truths, targets)
        losses, gains = self._losses(later), self._gains(later)
        allowed = RULES[question.rule](losses, question.risk) & (gains.mean(axis=0) > question.least)
        harmful = (losses > 0).mean(axis=0) >= 1 - question.risk
        idle = (gains > question.least).mean(axis=0) <= question.risk
        return Outlook(
            _round(items * self.items),
            seeds * self.seeds,
            float(allowed.mean()),
            float((~allowed & (harmful | idle)).mean()),
        )

    def _losses(self, changes: Floats) -> Floats:
        places = [place for place, target in enumerate(self.targets) if target in self.options.asked.protect]
        return np.asarray(-changes[..., places].min(axis=-1, initial=np.inf) - self.options.asked.question.tolerance)

    def _gains(self, changes: Floats) -> Floats:
        places = [place for place, target in enumerate(self.targets) if target in self.options.asked.improve]
        return np.asarray(changes[..., places].mean(axis=-1))


def _is_known(cell: ChangeCell) -> bool:
    return cell.unit == "pp" and np.isfinite(cell.change.error) and cell.change.error > 0


def _noise(cell: ChangeCell) -> tuple[float, float]:
    """Of items and of seeds, in squared percentage points."""
    of_seeds = min(cell.change.seed_variance, 0.99 * cell.change.error**2)
    return cell.change.error**2 - of_seeds, of_seeds


def _round(count: int) -> int:
    """To two digits.

    >>> _round(1234), _round(150)
    (1200, 150)
    """
    size: int = 10 ** max(0, len(str(count)) - 2)
    return round(count / size) * size
