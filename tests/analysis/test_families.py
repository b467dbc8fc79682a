"""Families of languages: one each, and none is guessed."""

from __future__ import annotations

from collections import Counter

import pytest

from crossgraft.analysis.questions.paper import families
from crossgraft.analysis.questions.paper.typology import FACTS
from crossgraft.core import is_language


def test_a_language_is_in_one_family_only() -> None:
    codes = Counter([*FACTS, *(code for some in families._OTHERS.values() for code in some.split())])

    assert {code for code, count in codes.items() if count > 1} == set()
    assert all(is_language(code) for code in codes)


def test_families_of_both_tables_have_the_same_names() -> None:
    alone = {"Basque", "Japonic", "Koreanic"}  # isolates, or families of one language in common data sets

    assert {facts[0] for facts in FACTS.values()} - alone <= set(families._OTHERS)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("sw", "Niger-Congo"),
        ("pt-BR", "Indo-European"),
        ("sr-Cyrl-RS", "Indo-European"),
        ("qaa", "unknown"),
        ("tr:qaa", "Turkic:unknown"),
        ("fi:et", "Uralic"),
    ],
)
def test_script_and_region_do_not_matter_and_unknown_stays_unknown(tag: str, expected: str) -> None:
    assert families.family(tag) == expected
