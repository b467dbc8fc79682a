"""Metrics of what a model wrote, and of running text, against sacrebleu and counts by hand."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest

from crossgraft.core import Answers
from crossgraft.metrics import METRICS
from crossgraft.metrics.generation import normal, number
from crossgraft.runs.storage.layout import read_record, record_table
from outcomes import BASE, measured

WRITTEN = ["the sky is blue", "a green tree", "", "no idea at all"]
RIGHT = ["the sky is blue", "the tree is green\x1fa green tree there", "water", "stone"]


def answers(written: list[str], right: list[str], language: str = "en") -> Answers:
    columns = {"answer": written, "references": right, "language": [language] * len(written)}
    items = tuple(f"i{n}" for n in range(len(written)))
    return Answers("generation", items, {name: np.array(value, dtype=object) for name, value in columns.items()})


def values(metric: str, written: list[str], right: list[str], language: str = "en") -> list[float]:
    return METRICS.get(metric).statistics(answers(written, right, language))[:, 0].tolist()


@pytest.mark.parametrize(
    ("text", "language", "plain"),
    [
        ("  The  Answer: BLUE. ", "en", "answer blue"),
        ("Die Antwort!", "de", "die antwort"),
        ("ＡＢＣ", "ja", "abc"),
        ("¿Qué?", "es", "qué"),
        ("3.5", "en", "3.5"),
    ],
)
def test_texts_are_compared_without_what_does_not_matter(text: str, language: str, plain: str) -> None:
    assert normal(text, language) == plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("so it is 1,234.5 euros", 1234.5),
        ("1.234,5", 1234.5),
        ("1,234", 1234),
        ("12,5", 12.5),
        ("0,125", 0.125),
        ("1 plus 2 = 3.", 3),
        ("-7", -7),
        ("٤٢", 42),
        ("৪২", 42),
        ("๔๒", 42),
        ("1.234.567", 1234567),
        ("none", None),
    ],
)
def test_a_number_is_read_in_whatever_digits(text: str, value: float | None) -> None:
    assert number(text) == value


def test_any_right_answer_counts() -> None:
    assert values("exact-match", ["A Green tree there."], ["x\x1fa green tree there"]) == [1]
    assert values("number-match", ["I think 43"], ["42\x1f43"]) == [1]
    assert values("number-match", ["I think"], ["42"]) == [0]


def test_f1_counts_words_and_where_there_are_no_spaces_characters() -> None:
    assert values("f1", ["blue green"], ["green red"]) == [0.5]
    assert values("f1", ["東京都"], ["東京"], "ja") == [pytest.approx(0.8)]
    assert values("f1", ["กรุงเทพ"], ["กรุงเทพ"], "th") == [1]
    assert values("f1", [""], ["x"]) == [0]


@pytest.mark.parametrize(("metric", "scorer"), [("chrf", "CHRF"), ("bleu", "BLEU")])
def test_corpus_measures_are_sacrebleus(metric: str, scorer: str) -> None:
    sacrebleu = pytest.importorskip("sacrebleu.metrics")
    streams = [
        [row.split("\x1f")[0] for row in RIGHT],
        [*(row.split("\x1f")[n] if (n := len(row.split("\x1f")) - 1) else None for row in RIGHT)],
    ]
    expected = getattr(sacrebleu, scorer)().corpus_score(WRITTEN, streams).score / 100

    assert METRICS.get(metric).score(answers(WRITTEN, RIGHT)).value == pytest.approx(expected)


def test_another_language_is_found_where_there_is_enough_text() -> None:
    pytest.importorskip("py3langid")
    german, short = "Das ist ein ganz gewöhnlicher deutscher Satz.", "Ja."

    score = METRICS.get("wrong-language").score(answers([german, german, short], ["x"] * 3, "fr"))

    assert (score.value, score.n, score.higher_is_better) == (1.0, 2, False)
    assert METRICS.get("wrong-language").score(answers([german], ["x"], "de")).value == 0


def test_answers_that_cannot_be_read_are_counted() -> None:
    assert values("unparseable", ["", "seven", "7", "red"], ["x", "7", "7", "blue"]) == [1, 1, 0, 0]


def test_bits_per_byte_are_a_ratio_of_sums() -> None:
    columns = {"loglik": np.array([-8 * log(2), -2 * log(2)]), "bytes": np.array([2.0, 8.0]), "tokens": np.ones(2)}

    score = METRICS.get("bits-per-byte").score(Answers("text", ("a", "b"), columns))

    assert (score.value, score.n, score.unit, score.higher_is_better) == (1.0, 2, "bits per byte", False)


def test_written_answers_survive_the_disk(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    _, record = measured(BASE, answers(WRITTEN, RIGHT), metric="f1")
    pq.write_table(record_table(record), tmp_path / "r.parquet")

    assert read_record((tmp_path / "r.parquet").read_bytes()).answers == record.answers


def test_pmi_takes_out_how_likely_options_are_by_themselves() -> None:
    columns = {
        "loglik": np.array([[-1.0, -2.0]]),
        "unconditional": np.array([[-1.0, -5.0]]),
        "gold": np.array([1]),
    }
    told = Answers("choice", ("a",), columns)

    assert METRICS.get("accuracy").score(told).value == 0
    assert METRICS.get("accuracy-pmi").score(told).value == 1
