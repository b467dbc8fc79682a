"""The linear model against scikit-learn, and scores of classes against theirs."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.core import Answers
from crossgraft.embeddings.downstream.anchored import anchored
from crossgraft.embeddings.downstream.classifiers.encoded import Encoded, encode, rarity
from crossgraft.embeddings.downstream.classifiers.linear import regression
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.spaces.space import Space
from crossgraft.metrics import METRICS


def test_regression_has_the_weights_of_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(80, 5)), rng.integers(3, size=80)

    found = regression(x, labels, 3, 0.01, np.zeros((6, 3)))

    theirs = linear_model.LogisticRegression(C=1 / (0.01 * 80), tol=1e-10, max_iter=5000).fit(x, labels)
    np.testing.assert_allclose(found[:-1].T, theirs.coef_, atol=2e-3)
    np.testing.assert_allclose(found[-1] - found[-1].mean(), theirs.intercept_ - theirs.intercept_.mean(), atol=2e-3)


def classes(n: int = 60) -> Answers:
    rng = np.random.default_rng(2)
    columns = {
        "loglik": rng.normal(size=(n, 3)),
        "gold": rng.integers(3, size=n),
        "classes": np.full(n, 3.0),
        "positive": np.full(n, 1.0),
    }
    return Answers("choice", tuple(map(str, range(n))), columns)


def test_f1_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    answers = classes()
    gold, said = answers.columns["gold"], answers.columns["loglik"].argmax(axis=1)

    assert METRICS.get("macro-F1").score(answers).value == pytest.approx(metrics.f1_score(gold, said, average="macro"))
    assert METRICS.get("micro-F1").score(answers).value == pytest.approx(metrics.f1_score(gold == 1, said == 1))


def test_classes_have_no_score_by_length() -> None:
    names = {name for name in METRICS.names() if METRICS.get(name).applies_to(classes())}

    assert names == {"accuracy", "micro-F1", "macro-F1"}


def test_an_anchored_mapping_keeps_every_cosine_and_leaves_the_source() -> None:
    rng = np.random.default_rng(1)
    w, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    x, z = rng.normal(size=(2, 9, 6)).astype(np.float32)
    mapping = Mapping(w, rng.normal(size=(6, 6)))

    turned = anchored(mapping)

    assert turned.source is None
    before = mapping.map_source(x) @ mapping.map_target(z).T
    np.testing.assert_allclose(turned.map_source(x) @ turned.map_target(z).T, before, atol=1e-4)
    stretched = Mapping(w * 1.1)
    assert anchored(stretched) is stretched


def test_averages_weigh_words_and_leave_out_unknown_ones() -> None:
    space = Space(("a", "b"), np.eye(2, dtype=np.float32))
    items = [("a b b x",), ("b",), ("x",)]

    found = encode(items, space, lambda vectors: vectors, rarity(items, space))

    expected = np.array([np.log(3) + 1, 2 * (np.log(3 / 2) + 1)])
    np.testing.assert_allclose(found.averages()[0], expected / np.linalg.norm(expected), rtol=1e-6)
    np.testing.assert_allclose(found.averages()[1:], [[0, 1], [0, 0]])
    assert found.bare == 1


def test_the_digest_sees_words_their_order_and_where_a_text_ends() -> None:
    vectors, weights = np.eye(2, dtype=np.float32), np.ones(2)
    rows = [np.array(one) for one in ([0, 1], [1, 0], [0], [1])]

    digests = {
        Encoded(vectors, weights, texts).digest() for texts in (((rows[0],),), ((rows[1],),), ((rows[2],), (rows[3],)))
    }

    assert len(digests) == 3
