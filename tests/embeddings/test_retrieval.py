from __future__ import annotations

import numpy as np
import pytest

from crossgraft.embeddings.retrieval import gold_ranks


def test_ranks_agree_with_a_full_sort() -> None:
    rng = np.random.default_rng(0)
    queries, targets = rng.normal(size=(7, 5)).astype(np.float32), rng.normal(size=(40, 5)).astype(np.float32)
    golds = [[int(g) for g in rng.choice(40, size=rng.integers(1, 4), replace=False)] for _ in queries]

    ranks, nearest = gold_ranks(queries, targets, golds, block=3)

    cosine = (queries @ targets.T) / np.linalg.norm(queries, axis=1)[:, None] / np.linalg.norm(targets, axis=1)
    order = np.argsort(-cosine, axis=1)
    for row, rows in enumerate(golds):
        expected = [int(np.flatnonzero(order[row] == gold)[0]) + 1 for gold in rows]
        assert ranks[row, : len(rows)].tolist() == expected
        assert np.isnan(ranks[row, len(rows) :]).all()
    assert nearest.tolist() == order[:, 0].tolist()


@pytest.mark.parametrize(("gold", "rank"), [(0, 1), (1, 2), (2, 3)])
def test_of_equally_similar_words_the_more_frequent_comes_first(gold: int, rank: int) -> None:
    query = np.array([[1.0, 0.0]], dtype=np.float32)
    targets = np.array([[2.0, 0.0], [1.0, 0.0], [3.0, 0.0]], dtype=np.float32)

    assert gold_ranks(query, targets, [[gold]])[0].tolist() == [[rank]]
