"""Scores of rankings in which one or several words are right, by each convention of the literature.

Plain names (``MAP``, ``P@1``) count source words of which a translation is in the vocabulary, and any of their
translations is right, as in MUSE (Conneau et al., 2018) and VecMap. After a colon:

- ``:published``: each line of the test file is a query of its own, repeated lines and lines whose source word was
  seen in training too; other translations of the word count as errors above the right one; lines with a word out of
  vocabulary are left out. So count Glavaš et al. (2019).
- ``:strict``: each different pair once, none whose source word is in the training dictionary, and other right
  translations are taken out of the ranking before the rank is counted.
- ``:all``: as the plain name, but source words that are out of vocabulary count as wrong. So counts fastText's
  alignment (Joulin et al., 2018), for P@1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from crossgraft.core import Answers, Floats
from crossgraft.metrics.base import METRICS, Metric, mean_metric

Gain = Callable[[Floats], Floats]  # what a rank is worth, from 0 to 1


@mean_metric("MAP", reads="ranking")
def average_precision(answers: Answers) -> Floats:
    """Mean average precision over the queries whose words are known."""
    ranks = np.sort(answers.columns["ranks"], axis=1)  # (n, golds); NaN sorts last
    found = np.arange(1, ranks.shape[1] + 1)
    counts = np.count_nonzero(~np.isnan(ranks), axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(found / ranks, axis=1) / np.where(counts, counts, np.nan))


@mean_metric("MRR", reads="ranking")
def reciprocal_rank(answers: Answers) -> Floats:
    """Mean reciprocal rank of the best-placed right word, over the queries whose words are known."""
    return np.asarray(1.0 / _best_rank(answers))


def _best_rank(answers: Answers) -> Floats:
    ranks = answers.columns["ranks"]
    known = ~np.isnan(ranks).all(axis=1)
    best = np.full(len(ranks), np.nan)
    best[known] = np.nanmin(ranks[known], axis=1)
    return best


def _reciprocal(ranks: Floats) -> Floats:
    return np.asarray(1.0 / ranks)


def _within(cutoff: int) -> Gain:
    return lambda ranks: np.where(np.isnan(ranks), np.nan, (ranks <= cutoff).astype(np.float64))


def _precision_at(cutoff: int) -> Metric:
    def within(answers: Answers) -> Floats:
        return _within(cutoff)(_best_rank(answers))

    within.__doc__ = f"A right word is among the {cutoff} nearest, over the queries whose words are known."
    return mean_metric(f"P@{cutoff}", reads="ranking")(within)


def _published(name: str, gain: Gain) -> None:
    def statistics(answers: Answers) -> Floats:
        return _over_pairs(gain(answers.columns["ranks"]), answers.columns["lines"])

    _add(name, "published", statistics, "each line of the file is a query, over the lines whose words are known")


def _strict(name: str, gain: Gain) -> None:
    def statistics(answers: Answers) -> Floats:
        fresh = ~answers.columns["leaked_source"].astype(bool)
        ranks = _among_wrong(answers.columns["ranks"])
        return _over_pairs(gain(ranks), np.broadcast_to(fresh[:, None], ranks.shape))

    _add(name, "strict", statistics, "each pair once, none whose source word is in training, ranked among wrong words")


def _all(name: str, plain: Metric) -> None:
    def statistics(answers: Answers) -> Floats:
        rows = plain.statistics(answers)
        return np.stack([rows[:, 0], np.ones(len(rows))], axis=1)

    _add(name, "all", statistics, "over all queries; those whose words are not known are wrong")


_COLUMNS = {"published": "lines", "strict": "leaked_source", "all": ""}


def _add(name: str, convention: str, statistics: Callable[[Answers], Floats], said: str) -> None:
    description = f"{name}: {said}"
    full = f"{name}:{convention}"
    METRICS.add(full, Metric(full, "ranking", statistics, description=description, column=_COLUMNS[convention]))


def _over_pairs(gains: Floats, times: npt.NDArray[Any]) -> Floats:
    """Sums of gains and of weights over the translations of each query that are known. (n, 2)"""
    weights = np.where(np.isnan(gains), 0.0, times)
    return np.stack([np.sum(np.nan_to_num(gains) * weights, axis=1), weights.sum(axis=1)], axis=1)


def _among_wrong(ranks: Floats) -> Floats:
    """Ranks with the other right words taken out: less by those that stand before."""
    return np.asarray(ranks - ranks.argsort(axis=1).argsort(axis=1))


for _name, _plain, _gain in (
    ("MAP", average_precision, _reciprocal),
    *((f"P@{cutoff}", _precision_at(cutoff), _within(cutoff)) for cutoff in (1, 5, 10)),
):
    _published(_name, _gain)
    _strict(_name, _gain)
    _all(_name, _plain)


@mean_metric("coverage", reads="ranking")
def coverage(answers: Answers) -> Floats:
    """Share of the queries whose word, and at least one right word, are in the vocabularies."""
    return np.asarray(~np.isnan(answers.columns["ranks"]).all(axis=1), dtype=np.float64)


def _known_lines(answers: Answers) -> Floats:
    lines = np.nan_to_num(answers.columns["lines"])
    known = ~np.isnan(answers.columns["ranks"])
    return np.stack([np.sum(lines * known, axis=1), lines.sum(axis=1)], axis=1)


METRICS.add(
    "coverage:published",
    Metric(
        "coverage:published",
        "ranking",
        _known_lines,
        description="Share of the lines of the test file of which both words are in the vocabularies.",
        column="lines",
    ),
)
