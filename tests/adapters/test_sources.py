"""What is trained on: shares of mixtures, and versions that can teach less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from crossgraft.adapters.items.sources import Mixture, Source, sources
from crossgraft.adapters.tasks import AnyItem, Item, OpenItem, TextItem
from crossgraft.core import Point
from crossgraft.errors import DataError, SpecError

A, B = Point("a", "en"), Point("b", "de")
ITEMS: dict[Point, Sequence[AnyItem]] = {
    A: [Item(f"a{n}", f"Question {n}?\nAnswer:", (" x", " y", " z"), n % 3) for n in range(60)],
    B: [OpenItem(f"b{n}", f"Frage {n}?\nAntwort:", (str(n),)) for n in range(20)],
}


def test_a_mixture_has_its_shares() -> None:
    mixed = Source("mix", ((A, 3.0), (B, 1.0)))

    counted = Counter(item.id[0] for _, item in mixed.items(lambda point: ITEMS[point], 40))

    assert counted == {"a": 30, "b": 10}


def test_without_a_number_a_mixture_is_as_large_as_its_shares_allow() -> None:
    mixed = Source("mix", ((A, 1.0), (B, 1.0)))

    counted = Counter(item.id[0] for _, item in mixed.items(lambda point: ITEMS[point], 0))

    assert counted == {"a": 20, "b": 20}


def test_an_item_knows_the_part_it_is_from_in_every_variant() -> None:
    for variant in ("", "sham", "format-only"):
        drawn = Source("mix", ((A, 1.0), (B, 1.0)), variant).items(lambda point: ITEMS[point], 0)  # type: ignore[arg-type]

        assert {(point, item.id[0]) for point, item in drawn} == {(A, "a"), (B, "b")}


def test_fewer_items_are_a_part_of_more() -> None:
    source = Source("a/en", ((A, 1.0),))

    few, more = ({item.id for _, item in source.items(lambda p: ITEMS[p], count)} for count in (10, 30))

    assert few < more


def test_a_sham_keeps_questions_and_options_and_draws_the_answers() -> None:
    plain = {item.id: item for item in ITEMS[A]}

    sham = Source("a/en", ((A, 1.0),), "sham").items(lambda point: ITEMS[point], 0)
    items = [item for _, item in sham]

    assert all(item.prompt == plain[item.id].prompt for item in items)  # type: ignore[union-attr]
    right = sum(item.gold == plain[item.id].gold for item in items)  # type: ignore[union-attr]
    assert 8 < right < 34  # a third of 60 by chance


def test_written_answers_of_a_sham_belong_to_other_questions() -> None:
    sham = Source("b/de", ((B, 1.0),), "sham").items(lambda point: ITEMS[point], 0)
    items = [item for _, item in sham]

    assert sorted(item.references for item in items) == sorted(item.references for item in ITEMS[B])  # type: ignore[union-attr]
    assert sum(f"b{item.references[0]}" == item.id for item in items) < 5  # type: ignore[union-attr]


def test_format_only_leaves_what_all_prompts_end_with() -> None:
    shown = Source("a/en", ((A, 1.0),), "format-only").items(lambda point: ITEMS[point], 0)

    assert {item.prompt for _, item in shown} == {"?\nAnswer:"}  # type: ignore[union-attr]


def test_a_sham_teaches_no_point() -> None:
    assert Source("a/en", ((A, 1.0),)).point == A
    assert Source("a/en", ((A, 1.0),), "sham").point is None
    assert Source("mix", ((A, 1.0), (B, 1.0))).point is None


def test_running_text_has_no_sham() -> None:
    with pytest.raises(DataError, match="running text has no sham version"):
        Source("t/en", ((A, 1.0),), "sham").items(lambda point: [TextItem("1", "x")], 0)


def test_every_source_comes_in_every_variant() -> None:
    mixtures = {"mix": Mixture({"a/en": 1.0, "b/de": 2.0})}

    found = sources(["a/*", "mix"], [A, B], mixtures, ["", "sham"])

    assert [source.label for source in found] == ["a/en", "a/en (sham)", "mix", "mix (sham)"]


def test_a_mixture_of_unknown_points_is_refused() -> None:
    with pytest.raises(SpecError, match="'a/fr' is no task/language of this study; known: a/en, b/de"):
        sources(["mix"], [A, B], {"mix": Mixture({"a/fr": 1.0})}, [""])
