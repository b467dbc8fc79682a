"""One rank table by hand, and the different accuracies that the conventions read from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossgraft.core import Answers
from crossgraft.embeddings.lexicon import Lexicon
from crossgraft.embeddings.queries import Query, queries, rank_table
from crossgraft.embeddings.spaces.space import Space
from crossgraft.metrics import METRICS, all_scores
from crossgraft.stats.cells.levels import share_level

FILE = Path("d.tsv")
NAN = float("nan")

TEST = Lexicon(
    (
        ("bank", "banque"),  # line 1
        ("bank", "rive"),
        ("sun", "soleil"),  # line 3
        ("taxi", "taxi"),
        ("taxi", "taxi"),  # line 5
        ("moon", "lune"),
        ("moon", "satellite"),  # out of the target vocabulary
        ("zyzzyva", "soleil"),  # out of the source vocabulary
    ),
    FILE,
)
TRAIN = Lexicon((("sun", "astre"), ("taxi", "taxi")), FILE)


def table(train: Lexicon | None = TRAIN) -> Answers:
    """Words on a circle: the angle between two says how similar they are."""
    source = circle({"taxi": 0, "sun": 90, "bank": 180, "moon": 270})
    target = circle({"taxi": 1, "rive": 182, "banque": 184, "lune": 265, "soleil": 268})
    return rank_table(queries(TEST, train), source, target)[0]


def circle(angles: dict[str, float]) -> Space:
    turns = np.radians(list(angles.values()))
    return Space(tuple(angles), np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32))


def test_a_query_is_a_source_word_with_its_lines() -> None:
    assert queries(TEST, TRAIN)[0] == Query("bank", ("banque", "rive"), (1, 1), 1, (False, False), False)
    assert queries(TEST, TRAIN)[3] == Query("taxi", ("taxi",), (2,), 4, (True,), True)


def test_fewer_queries_are_among_the_more() -> None:
    some, more = ({one.word for one in queries(TEST, limit=limit)} for limit in (2, 4))

    assert len(some) == 2
    assert some < more


def test_the_rank_table_by_hand() -> None:
    answers = table()

    assert answers.items == ("bank", "moon", "sun", "taxi", "zyzzyva")
    columns = {name: column.tolist() for name, column in answers.columns.items() if name not in ("ranks", "lines")}
    np.testing.assert_equal(answers.columns["ranks"], [[2, 1], [2, NAN], [5, NAN], [1, NAN], [NAN, NAN]])
    np.testing.assert_equal(answers.columns["lines"], [[1, 1], [1, 1], [1, NAN], [2, NAN], [1, NAN]])
    np.testing.assert_equal(columns["leaked_pairs"], [[0, 0], [0, 0], [0, NAN], [1, NAN], [0, NAN]])
    assert columns["leaked_source"] == [False, False, True, True, False]
    np.testing.assert_equal(columns["frequency"], [3, 4, 2, 1, NAN])
    assert columns["identical"] == [False, False, False, True, False]
    assert columns["concept"] == [1, 6, 3, 4, 8]
    assert columns["answer"] == ["rive", "soleil", "taxi", "taxi", ""]


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("P@1", 2 / 4),  # bank and taxi, of the four words that are known
        ("P@1:published", 3 / 6),  # rive and twice taxi, of the six lines that are known
        ("P@1:strict", 2 / 3),  # banque and rive, of these and lune
        ("P@1:all", 2 / 5),
        ("P@5", 1),
        ("P@5:all", 4 / 5),
        ("MAP", (1 + 1 / 2 + 1 / 5 + 1) / 4),
        ("MAP:published", (1 / 2 + 1 + 1 / 2 + 1 / 5 + 1 + 1) / 6),
        ("MAP:strict", (1 + 1 + 1 / 2) / 3),
        ("MAP:all", (1 + 1 / 2 + 1 / 5 + 1 + 0) / 5),
        ("coverage", 4 / 5),
        ("coverage:published", 6 / 8),
    ],
)
def test_each_convention_has_its_own_score(metric: str, value: float) -> None:
    assert METRICS.get(metric).score(table()).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("metric", "n"), [("MAP", 4), ("MAP:published", 6), ("P@1:strict", 3), ("MAP:all", 5), ("coverage:published", 8)]
)
def test_n_is_what_the_convention_counts_words_or_lines_or_pairs(metric: str, n: int) -> None:
    found = METRICS.get(metric)

    assert (found.score(table()).n, share_level(found.statistics(table())).n) == (n, n)


def test_on_a_clean_dictionary_with_one_translation_a_word_all_conventions_agree() -> None:
    lexicon = Lexicon((("sun", "soleil"), ("moon", "lune"), ("bank", "rive")), FILE)
    source = circle({"sun": 90, "bank": 180, "moon": 270})
    target = circle({"rive": 182, "lune": 265, "soleil": 100})

    answers, _ = rank_table(queries(lexicon, Lexicon((("taxi", "taxi"),), FILE)), source, target)

    scores = {score.metric: score.value for score in all_scores(answers)}
    for name in ("MAP", "P@1", "P@5"):
        assert scores[name] == scores[f"{name}:published"] == scores[f"{name}:strict"] == scores[f"{name}:all"]


def test_without_a_training_dictionary_nothing_is_called_strict() -> None:
    names = {score.metric for score in all_scores(table(train=None))}

    assert "MAP:published" in names
    assert not {name for name in names if name.endswith(":strict")}


def test_the_hub_of_the_answers_comes_along() -> None:
    source, target = circle({"a": 0, "b": 10, "c": 20}), circle({"hub": 10, "far": 170, "farther": 190})
    lexicon = Lexicon((("a", "hub"), ("b", "far"), ("c", "farther")), FILE)

    _, hubs = rank_table(queries(lexicon), source, target)

    assert (hubs.queries, hubs.k, hubs.largest) == (3, 3, 3)  # every word is among the 3 nearest


def test_without_a_known_query_there_are_no_ranks_and_no_hubs() -> None:
    answers, hubs = rank_table(queries(TEST), circle({"x": 0}), circle({"y": 0}))

    assert np.isnan(answers.columns["ranks"]).all()
    assert set(answers.columns["answer"]) == {""}
    assert (hubs.queries, hubs.never) == (0, 1.0)
