from __future__ import annotations

import numpy as np
import pytest

from crossgraft.core import Answers, Pairing, Point, Treatment
from crossgraft.errors import SpecError


def test_a_point_splits_at_the_last_slash() -> None:
    assert Point.parse("almanac/sums/de") == Point("almanac/sums", "de")


@pytest.mark.parametrize("text", ["xnli/zh-Hant", "bli/de:fi", "bli/zh-Hant:fi", "intent/no"])
def test_a_point_reads_back_its_own_text(text: str) -> None:
    assert str(Point.parse(text)) == text


@pytest.mark.parametrize("text", ["xnli", "xnli/", "/de", "xnli/d e", "xnli/..", "bli/de:fi:en"])
def test_a_text_that_is_no_point_is_refused_with_what_came(text: str) -> None:
    with pytest.raises(SpecError, match="expected (a task|task)"):
        Point.parse(text)


@pytest.mark.parametrize(
    ("target", "regime"), [("a/en", "MT-ML"), ("a/de", "MT-CL"), ("b/en", "CT-ML"), ("b/de", "CT-CL")]
)
def test_the_regime_says_what_source_and_target_share(target: str, regime: str) -> None:
    assert Point.parse("a/en").regime(Point.parse(target)) == regime


def test_a_row_is_the_treatment_without_its_seed() -> None:
    one = Treatment("small", "a/en", "trained", Point("a", "en"), (("rank", 8),), seed=1)
    two = Treatment("small", "a/en", "trained", Point("a", "en"), (("rank", 8),), seed=2)

    assert one.row == two.row
    assert one.label == "a/en (rank 8)"


def test_a_pairing_differs_by_threads() -> None:
    assert Pairing("cpu", "sdpa", 1).id != Pairing("cpu", "sdpa", 2).id


def test_answers_need_one_row_an_item() -> None:
    with pytest.raises(ValueError, match="2 rows for 1 items"):
        Answers("choice", ("a",), {"gold": np.zeros(2)})
