"""Scores by words that are shared, against the formulas a word and a document at a time."""

from __future__ import annotations

from collections import Counter
from math import log

import numpy as np
import pytest

from crossgraft.embeddings.downstream.documents.bags import Bags, bags
from crossgraft.embeddings.downstream.documents.lexical import BM25, Dirichlet, JelinekMercer
from crossgraft.embeddings.downstream.words import LookUp

TEXTS = [text.split() for text in ("a b a c", "b c d", "d d e f g", "h")]
QUERY = ["a", "d", "d"]


def documents() -> tuple[Bags, np.ndarray]:
    from scipy.sparse import csr_array

    found = bags(TEXTS, LookUp({}))
    row = [Counter(QUERY)[term] for term in found.terms]
    return found, csr_array(np.array([row], dtype=float))


def likelihood(kind: str, text: list[str], term: str) -> float:
    collection = sum(map(Counter, TEXTS), Counter())
    share = collection[term] / collection.total()
    if kind == "dirichlet":
        return (text.count(term) + 5 * share) / (len(text) + 5)
    return 0.7 * text.count(term) / len(text) + 0.3 * share


@pytest.mark.parametrize(("kind", "method"), [("dirichlet", Dirichlet(5.0)), ("jm", JelinekMercer(0.3))])
def test_query_likelihood_is_the_product_over_the_words_of_the_query(kind: str, method: Dirichlet) -> None:
    found, query = documents()

    scores = method.score(query, found)

    expected = [sum(log(likelihood(kind, text, term)) for term in QUERY) for text in TEXTS[:3]]
    np.testing.assert_allclose(scores[0, :3], expected)
    assert scores[0, 3] == -np.inf  # shares no word


def test_bm25_is_its_formula() -> None:
    found, query = documents()

    scores = BM25(1.5, 0.6).score(query, found)

    def gain(text: list[str], term: str) -> float:
        df, mean = sum(term in one for one in TEXTS), sum(map(len, TEXTS)) / 4
        tf, normal = text.count(term), 1.5 * (0.4 + 0.6 * len(text) / mean)
        return log(1 + (4 - df + 0.5) / (df + 0.5)) * tf * 2.5 / (tf + normal)

    np.testing.assert_allclose(scores[0, :3], [sum(gain(text, term) for term in QUERY) for text in TEXTS[:3]])


def test_sums_are_weighted_by_the_rarity_of_words() -> None:
    vectors = np.eye(4, dtype=np.float32)
    found = bags([["a", "b", "a"], ["b", "X"]], LookUp({"a": 2, "b": 0, "x": 1}))

    np.testing.assert_allclose(found.idf, [log(2), 0, log(2)])
    np.testing.assert_allclose(found.sums(vectors, found.idf)[0], [0, 0, 2 * log(2), 0], rtol=1e-6)
    np.testing.assert_allclose(found.sums(vectors)[1], [1, 1, 0, 0])


def test_embedded_texts_are_the_sums_of_the_vectors_at_hand() -> None:
    found = bags([["a", "b", "a"], ["b", "X"]], LookUp({"a": 2, "b": 0, "x": 1}))
    first, second = np.eye(3, dtype=np.float32), 2 * np.eye(3, dtype=np.float32)

    for vectors in (first, second, first):
        np.testing.assert_array_equal(found.embedded(vectors, weighted=False), found.sums(vectors))
        np.testing.assert_array_equal(found.embedded(vectors, weighted=True), found.sums(vectors, found.idf))


def test_a_form_that_several_words_share_is_one_term() -> None:
    found = bags([["Été", "ete", "Nix"], ["nix", "ETE"]], LookUp({"ete": 4}))

    assert found.terms == ("ete", "nix")
    assert found.rows.tolist() == [4, -1]
    assert found.counts.toarray().tolist() == [[2, 1], [1, 1]]
