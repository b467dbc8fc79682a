"""From a matrix and a question to an answer: what to train, or to keep the base, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from crossgraft.analysis.questions.variance.posterior import Posterior, posterior
from crossgraft.errors import SpecError
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.doubts import doubts
from crossgraft.recommendation.options import Options
from crossgraft.recommendation.question import Question, Rule
from crossgraft.recommendation.rules import (
    Allowed,
    allowed,
    choose,
    frontier,
    probability_of_best,
    regret,
    tail,
)
from crossgraft.recommendation.settling import settling
from crossgraft.recommendation.verdicts import Recommendation, Verdict, Worst
from crossgraft.recommendation.wording import sentences
from crossgraft.recommendation.yardsticks import yardsticks
from crossgraft.transfer.matrix import TransferMatrix


def recommend(
    matrix: TransferMatrix,
    question: Question | None = None,
    *,
    improve: str | Sequence[str] = (),
    protect: str | Sequence[str] = (),
    tolerance: float = 1.0,
    risk: float = 0.1,
    rule: Rule = "chance",
    model: str = "",
) -> Recommendation:
    """What to train to improve some targets while others lose no more than ``tolerance`` points, with a joint risk of ``risk``.

    A question that was put together before takes the place of its parts.

    >>> from crossgraft.transfer.synthetic import SyntheticGrid
    >>> grid = SyntheticGrid(models=1, tasks=2, languages=3, items=400, on_source=8.0, same_task=4.0)
    >>> found = recommend(grid.matrix(seed=1), improve="task0/de", protect="task1/*", tolerance=4.0)
    >>> found.choice.name, found.abstains
    ('task0/de', False)
    """
    if question is not None and improve:
        raise SpecError("expected a question or its parts; got both")
    question = question or Question(_patterns(improve), _patterns(protect), tolerance, risk, rule, model)
    return decide(matrix, Asked.of(question, matrix), posterior(matrix))


def decide(matrix: TransferMatrix, asked: Asked, found: Posterior) -> Recommendation:
    """From draws of all cells, which serve several questions."""
    options = Options.of(asked, found)
    candidates = allowed(options)
    chosen = choose(options, candidates)
    verdicts = _verdicts(options, candidates)
    others = np.arange(len(options.rows)) != chosen
    second = choose(options, candidates & others)
    ranked = sorted(range(len(verdicts)), key=lambda place: (verdicts[place].is_out, -verdicts[place].gain))
    answer = Recommendation(
        asked,
        verdicts[chosen],
        verdicts[second] if second != chosen else None,
        tuple(verdicts[place] for place in ranked),
        frontier(options),
        yardsticks(matrix, options),
        settling(matrix, options) if chosen == 0 else None,
        tuple(doubts(matrix, options)),
    )
    return replace(answer, sentences=tuple(sentences(answer)))


def _patterns(told: str | Sequence[str]) -> tuple[str, ...]:
    return (told,) if isinstance(told, str) else tuple(told)


def _verdicts(options: Options, candidates: Allowed) -> list[Verdict]:
    question, gains, mean = options.asked.question, options.gains, options.gains.mean(axis=0)
    low, high = np.quantile(gains, [0.025, 0.975], axis=0)
    best, behind, risk = probability_of_best(options), regret(options), options.harms.mean(axis=0)
    tails = tail(options.losses, question.risk)
    return [
        Verdict(
            row,
            gain=float(mean[at]),
            low=float(low[at]),
            high=float(high[at]),
            best=float(best[at]),
            regret=float(behind[at]),
            risk=float(risk[at]),
            tail=float(tails[at]),
            worst=_worst(options, at),
            missing=options.missing[at],
            harmful=not candidates[at],
            idle=row is not None and bool(mean[at] <= question.least),
        )
        for at, row in enumerate(options.rows)
    ]


def _worst(options: Options, place: int) -> Worst | None:
    """Where no target ever loses too much, the one that loses most."""
    changes = options.protected[:, place]
    if not changes.shape[1] or options.rows[place] is None:
        return None
    risks, means = (changes < -options.asked.question.tolerance).mean(axis=0), changes.mean(axis=0)
    at = int(np.lexsort((means, -risks))[0])
    return Worst(options.asked.protect[at], float(means[at]), float(risks[at]))
