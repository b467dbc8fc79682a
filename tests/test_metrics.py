from __future__ import annotations

import numpy as np
import pytest

from crossgraft.core import Answers, Floats
from crossgraft.metrics import METRICS, Metric, all_scores, ratio

NAN = float("nan")


def choice(loglik: list[list[float]], gold: list[int], characters: list[list[float]] | None = None) -> Answers:
    scores = np.array(loglik)
    lengths = np.array(characters) if characters else np.ones_like(scores)
    columns = {"loglik": scores, "gold": np.array(gold), "tokens": lengths, "characters": lengths, "bytes": lengths}
    return Answers("choice", tuple(map(str, range(len(gold)))), columns)


def ranking(ranks: list[list[float]]) -> Answers:
    return Answers("ranking", tuple(map(str, range(len(ranks)))), {"ranks": np.array(ranks)})


def value(name: str, answers: Answers) -> float:
    return METRICS.get(name).score(answers).value


def test_accuracy_takes_the_likeliest_option() -> None:
    assert value("accuracy", choice([[-1, -2, NAN], [-3, -2, -4]], [0, 0])) == 0.5


def test_tied_options_share_the_credit_whatever_their_place() -> None:
    answers = choice([[-1, -1, -2], [-1, -1, -1]], [1, 2])

    assert value("accuracy", answers) == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_length_normalisation_can_turn_the_answer() -> None:
    answers = choice([[-2, -3]], [1], characters=[[1, 4]])

    assert value("accuracy", answers) == 0
    assert value("accuracy-per-char", answers) == 1


def test_ranking_metrics_by_hand() -> None:
    answers = ranking([[1, 3], [2, NAN], [NAN, NAN]])

    assert value("MAP", answers) == pytest.approx(((1 / 1 + 2 / 3) / 2 + 1 / 2) / 2)
    assert value("MRR", answers) == pytest.approx((1 + 1 / 2) / 2)
    assert value("P@1", answers) == 0.5
    assert value("P@5", answers) == 1
    assert value("coverage", answers) == pytest.approx(2 / 3)


def test_average_precision_ignores_the_order_in_which_golds_are_listed() -> None:
    assert value("MAP", ranking([[3, 1]])) == value("MAP", ranking([[1, 3]]))


def test_a_score_counts_only_the_items_with_weight() -> None:
    score = METRICS.get("MAP").score(ranking([[1], [NAN]]))

    assert (score.n, score.value) == (1, 1.0)


def test_no_weight_at_all_is_missing_not_zero() -> None:
    assert np.isnan(value("MAP", ranking([[NAN]])))


def test_a_corpus_measure_is_its_aggregate_of_summed_statistics() -> None:
    def bits(answers: Answers) -> Floats:
        return np.stack([answers.columns["nll"], answers.columns["bytes"]], axis=1)

    def per_byte(sums: Floats) -> Floats:
        return np.asarray(sums[..., 0] / sums[..., 1] / np.log(2))

    metric = Metric("bits-per-byte", "text", bits, per_byte, unit="bits", higher_is_better=False)
    answers = Answers("text", ("a", "b"), {"nll": np.array([1.0, 3.0]), "bytes": np.array([1.0, 7.0])})

    assert metric.score(answers).value == pytest.approx(0.5 / np.log(2))
    assert not metric.is_mean
    assert ratio(np.array([[1.0, 2.0]])) == [0.5]


def test_all_scores_reads_only_metrics_of_its_kind() -> None:
    names = {score.metric for score in all_scores(ranking([[1]]))}

    assert "MAP" in names
    assert "accuracy" not in names
