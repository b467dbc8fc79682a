"""Against trec_eval through ir_measures where it is installed, and against a ranking worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.embeddings.downstream.documents.ranked import retrieval_answers
from crossgraft.metrics import METRICS, all_scores

NAMES = [f"d{n:03}" for n in range(150)]


def ranking(topics: int = 20, depth: int = 0):  # type: ignore[no-untyped-def]
    """Scores at random, some documents not retrieved, and graded judgements."""
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(topics, len(NAMES)))
    scores[rng.random(scores.shape) < 0.1] = -np.inf
    judged = [
        {name: int(rng.integers(1, 4)) for name in rng.choice(NAMES, size=rng.integers(1, 9), replace=False)}
        for _ in range(topics)
    ]
    return scores, judged, retrieval_answers([f"t{n}" for n in range(topics)], scores, NAMES, judged, depth=depth)


def test_a_ranking_worked_by_hand() -> None:
    scores = np.array([[4.0, 3.0, 2.0, 1.0, -np.inf]])
    answers = retrieval_answers(["t"], scores, list("abcde"), [{"b": 1, "d": 2, "e": 1}])

    values = {score.metric: score.value for score in all_scores(answers)}

    assert values["AP"] == pytest.approx((1 / 2 + 2 / 4 + 0) / 3)
    assert values["RR"] == pytest.approx(1 / 2)
    assert values["precision@10"] == pytest.approx(0.2)
    assert values["recall@100"] == pytest.approx(2 / 3)
    gain = 1 / np.log2(3) + 2 / np.log2(5)
    assert values["nDCG@10"] == pytest.approx(gain / (2 + 1 / np.log2(3) + 1 / np.log2(4)))


def test_average_precision_is_the_mean_precision_at_relevant_ranks() -> None:
    scores, judged, answers = ranking()

    expected = []
    for row, relevant in zip(scores, judged, strict=True):
        order = [NAMES[place] for place in np.argsort(-row) if np.isfinite(row[place])]
        hits = [place for place, name in enumerate(order, 1) if name in relevant]
        expected.append(sum(n / place for n, place in enumerate(hits, 1)) / len(relevant))
    rows = METRICS.get("AP").statistics(answers)
    np.testing.assert_allclose(rows[:, 0], expected)


@pytest.mark.parametrize("depth", [0, 25])
def test_scores_are_those_of_trec_eval(depth: int) -> None:
    ir_measures = pytest.importorskip(
        "ir_measures", reason="ir_measures is not installed; pip install 'crossgraft[checks]'"
    )
    scores, judged, answers = ranking(depth=depth)
    run = [
        ir_measures.ScoredDoc(f"t{topic}", NAMES[place], scores[topic, place])
        for topic in range(len(scores))
        for place in np.argsort(-scores[topic])[: depth or None]
        if np.isfinite(scores[topic, place])
    ]
    qrels = [
        ir_measures.Qrel(f"t{topic}", name, grade) for topic, one in enumerate(judged) for name, grade in one.items()
    ]

    theirs = {
        "AP": ir_measures.AP,
        "RR": ir_measures.RR,
        "nDCG@10": ir_measures.nDCG @ 10,
        "precision@10": ir_measures.P @ 10,
        "recall@100": ir_measures.R @ 100,
    }
    found = ir_measures.calc_aggregate(list(theirs.values()), qrels, run)
    for name, measure in theirs.items():
        assert METRICS.get(name).score(answers).value == pytest.approx(found[measure], abs=1e-9), name
