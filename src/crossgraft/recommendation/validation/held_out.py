"""How good are recommendations on this very matrix? Parts are held out, rules choose without them, and what they chose is looked up there.

Every target that was held out is asked for in turn; protected are those of the question that were held out too. What is
looked up is noisy: more losses are seen than there truly are, so each choice has a probability of a *seen* loss, from the draws
with the noise of the held-out part added, beside the promise about true changes. The largest of noisy changes is too
large, so all regrets are too: they compare rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.questions.variance.posterior import posterior
from crossgraft.core import Floats, Treatment
from crossgraft.errors import DataError
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import Options
from crossgraft.recommendation.rules import RULES, choose
from crossgraft.recommendation.validation.folds import Fold, folds
from crossgraft.recommendation.yardsticks import PLAIN, taken
from crossgraft.transfer.matrix import TransferMatrix

_TOP = 3


@dataclass(frozen=True)
class Validated:
    """One rule, where one kind of part is held out: means over all questions that it answers; none where no question tells."""

    held_out: str
    rule: str
    questions: int
    pairs: float | None  # share of pairs of treatments that it ranks as the held-out part does
    ndcg: float | None  # of its first three treatments
    regret: float  # against the best choice in the held-out part, in percentage points
    recommends: float  # share of the questions
    promised: float | None = None  # mean probability that what it takes truly harms
    expected: float | None = None  # … that a loss is seen in the held-out part, with its noise
    seen: float | None = None  # share of what it takes in which a loss was seen


@dataclass(frozen=True)
class _Score:
    """One question, one rule."""

    pairs: float
    ndcg: float
    regret: float
    recommends: float
    promised: float
    expected: float
    seen: float


def validate(matrix: TransferMatrix, asked: Asked) -> tuple[Validated, ...]:
    """By what is held out, then by rule."""
    return validate_folds(folds(matrix, asked.model), asked)


def validate_folds(parts: Iterable[Fold], asked: Asked) -> tuple[Validated, ...]:
    """The same for parts that were held out in another way."""
    found: dict[tuple[str, str], list[_Score]] = {}
    for fold in parts:
        for rule, score in _of_fold(fold, asked):
            found.setdefault((fold.kind, rule), []).append(score)
    if not found:
        raise DataError("nothing can be held out: there are no items, no seeds, one language, one task and one model")
    return tuple(_mean(kind, rule, scores) for (kind, rule), scores in found.items())


def _mean(kind: str, rule: str, scores: Sequence[_Score]) -> Validated:
    def mean(name: str) -> float:
        values = np.array([getattr(score, name) for score in scores])
        return np.nan if np.isnan(values).all() else float(np.nanmean(values))

    def known(name: str) -> float | None:
        return None if np.isnan(mean(name)) else mean(name)

    return Validated(
        held_out=kind,
        rule=rule,
        questions=len(scores),
        pairs=known("pairs"),
        ndcg=known("ndcg"),
        regret=mean("regret"),
        recommends=mean("recommends"),
        promised=known("promised"),
        expected=known("expected"),
        seen=known("seen"),
    )


def _of_fold(fold: Fold, asked: Asked) -> Iterator[tuple[str, _Score]]:
    try:
        drawn = posterior(fold.left, whole=True)
    except DataError:  # too little is left to fit
        return
    held = fold.targets
    for target in held:
        protect = tuple(point for point in asked.protect if point in held and point != target)
        one = Asked(asked.question, asked.model, (target,), protect)
        options = Options.of(one, drawn)
        kept = [0, *(at for at, row in enumerate(options.rows) if row and _is_known(row, one, fold))]
        if len(kept) > _TOP:
            yield from _of_question(options.of_rows(kept), fold)


def _is_known(row: Treatment, asked: Asked, fold: Fold) -> bool:
    return all((row, target) in fold.held for target in (*asked.improve, *asked.protect))


@dataclass(frozen=True, eq=False)
class _Seen:
    """What the held-out part says of the options, the base first."""

    options: Options
    gains: Floats
    harmed: Floats  # 1.0 where some protected target was seen to lose too much
    expected: Floats  # the probability of that, by the draws and the noise of the part

    @classmethod
    def of(cls, options: Options, fold: Fold) -> _Seen:
        asked, rows = options.asked, [row for row in options.rows if row is not None]
        gains = np.array([0.0, *(fold.held[row, asked.improve[0]][0] for row in rows)])
        results = np.array([[fold.held[row, target] for target in asked.protect] for row in rows])
        results = results.reshape(len(rows), len(asked.protect), 2)
        limit = -asked.question.tolerance
        noise = np.random.default_rng(0).standard_normal(options.protected[:, 1:].shape) * results[..., 1]
        lost = (options.protected[:, 1:] + noise < limit).any(axis=2).mean(axis=0)
        harmed = (results[..., 0] < limit).any(axis=1)
        return cls(options, gains, np.append(0.0, harmed), np.append(0.0, lost))

    def score(self, scores: Floats, places: Sequence[int]) -> _Score:
        """Of a rule's scores of the treatments, and of what it takes."""
        worth = np.where(self.harmed > 0, np.minimum(self.gains, 0.0), self.gains)
        nothing = not self.options.asked.protect or 0 in places

        def mean(values: Floats) -> float:
            return np.nan if nothing else float(values[list(places)].mean())

        return _Score(
            pairs=pair_accuracy(scores, self.gains[1:]),
            ndcg=ndcg(scores, self.gains[1:], _TOP),
            regret=float(worth.max() - worth[list(places)].mean()),
            recommends=float(0 not in places),
            promised=mean(self.options.harms.mean(axis=0)),
            expected=mean(self.expected),
            seen=mean(self.harmed),
        )


def _of_question(options: Options, fold: Fold) -> Iterator[tuple[str, _Score]]:
    seen, question = _Seen.of(options, fold), options.asked.question
    gains = options.gains.mean(axis=0)
    for rule in RULES:
        yield rule, seen.score(gains[1:], [choose(options, RULES[rule](options.losses, question.risk))])
    rows = [row for row in options.rows if row is not None]
    for name, plain in PLAIN.items():
        found: Mapping[Treatment, float] = plain.scores(fold.left, options.asked, rows)
        if found:
            scores = np.array([found.get(row, -np.inf) for row in rows])
            yield name, seen.score(scores, [options.rows.index(row) for row in taken(found)])


def pair_accuracy(scores: Floats, truth: Floats) -> float:
    """The share of pairs that scores order as the truth does; a tie of scores is half right, one of the truth does not count.

    >>> pair_accuracy(np.array([3.0, 2.0, 2.0]), np.array([1.0, 0.0, -1.0]))
    0.8333333333333334
    """
    first, second = np.triu_indices(len(scores), 1)
    true = np.sign(truth[first] - truth[second])
    said = np.where(scores[first] == scores[second], 0.0, np.where(scores[first] > scores[second], 1.0, -1.0))
    counts = true != 0
    return float((1 + (said * true)[counts]).mean() / 2) if counts.any() else np.nan


def ndcg(scores: Floats, truth: Floats, top: int) -> float:
    """Normalised discounted cumulative gain of the first treatments (Järvelin and Kekäläinen, 2002); losses count as no gain.

    Treatments of the same score share the mean of their gains. NaN where nothing gains.

    >>> ndcg(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 4.0]), 3)
    1.0
    """
    gains = np.maximum(truth, 0.0)
    if not gains.any():
        return np.nan
    even = np.array([gains[scores == score].mean() for score in scores])
    discount = 1 / np.log2(np.arange(2, 2 + min(top, len(scores))))
    order = np.argsort(-scores, kind="stable")[:top]
    return float(even[order] @ discount / (np.sort(gains)[::-1][:top] @ discount))
