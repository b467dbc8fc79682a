"""Scores of documents for topics → the rank of every relevant document, and the documents at the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from crossgraft.core import Answers, Floats


def retrieval_answers(
    topics: Sequence[str],
    scores: Floats,  # (topics, documents), minus infinity where a document is not retrieved
    documents: Sequence[str],
    judged: Sequence[Mapping[str, int]],  # of each topic, its relevant documents
    *,
    depth: int = 0,  # documents of a ranking that count as retrieved, 0 for all
    kept: int = 100,
) -> Answers:
    """Columns of ``metrics/retrieval.py``, and the first documents of each topic for run files.

    Ties are broken by the order of the documents. ``retrieved`` has names with spaces between, ``scores`` their scores.
    """
    place = {name: column for column, name in enumerate(documents)}
    width = max((len(one) for one in judged), default=0)
    ranks, gains = np.full((2, len(topics), width), np.nan)
    best = np.full((len(topics), min(kept, len(documents))), np.nan)
    names = np.full(len(topics), "", dtype=object)
    for row, relevant in enumerate(judged):
        order = np.argsort(-scores[row], kind="stable")
        order = order[np.isfinite(scores[row, order])][: depth or None]
        rank = np.full(len(documents), np.inf)
        rank[order] = np.arange(1, len(order) + 1)
        ranks[row, : len(relevant)] = [rank[place[name]] for name in relevant]
        gains[row, : len(relevant)] = list(relevant.values())
        top = order[: best.shape[1]]
        best[row, : len(top)] = scores[row, top]
        names[row] = " ".join(documents[one] for one in top)
    answer = np.array([name.partition(" ")[0] for name in names], dtype=object)
    return Answers(
        "retrieval",
        tuple(topics),
        {"ranks": ranks, "gains": gains, "scores": best, "retrieved": names, "answer": answer},
    )
