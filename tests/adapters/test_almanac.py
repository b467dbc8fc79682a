"""The almanac's data: true, parallel, split by fact; no item of train or test is in the text of pre-training."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import pytest

pytest.importorskip("babel")

from crossgraft.adapters.almanac.facts import LANGUAGES, TASKS, currencies, names, official_languages, questions
from crossgraft.adapters.almanac.items import asked, items, statements, translations, validation
from crossgraft.adapters.almanac.wording import WORDINGS, Fact
from crossgraft.adapters.tasks import Item
from crossgraft.adapters.tasks import almanac as kind
from crossgraft.adapters.tasks.almanac import Almanac
from crossgraft.errors import SpecError
from crossgraft.spec import load_study
from crossgraft.study import Origin

EVERY_CELL = [(task, language) for task in TASKS for language in LANGUAGES]


def test_the_kind_and_the_facts_name_the_same_languages() -> None:
    assert kind.LANGUAGES == LANGUAGES == tuple(WORDINGS)


def test_facts_are_true_where_we_can_check_them_by_hand() -> None:
    assert (currencies()["DE"], currencies()["JP"], currencies()["GB"]) == ("EUR", "JPY", "GBP")
    assert "HT" not in currencies()  # two currencies
    assert official_languages()["BR"] == ("pt",)
    assert set(official_languages()["CH"]) == {"de", "fr", "it", "gsw"}


@pytest.mark.parametrize("about", TASKS)
def test_answers_are_right_and_distractors_are_not(about: str) -> None:
    for question in questions(about):
        slots = {slot: name[1] for slot, name in question.slots.items()}
        assert question.answer not in question.wrong
        if about == "sums":
            assert int(question.answer[1]) == int(slots["a"]) + int(slots["b"])
        elif about == "largest":
            assert int(question.answer[1]) == max(int(slots[slot]) for slot in "abc")
        elif about == "calendar":
            length = 12 if question.asks == "months" else 7
            assert (int(question.answer[1]) - int(slots["x"]) - int(slots["n"])) % length == 0
        elif question.asks == "currency_user":
            assert currencies()[question.answer[1]] == slots["y"]
            assert all(currencies()[country] != slots["y"] for _, country in question.wrong)
        elif question.asks == "tongue_user":
            assert official_languages()[question.answer[1]][0] == slots["y"]
            assert all(slots["y"] not in official_languages()[country] for _, country in question.wrong)
        elif question.asks == "tongue":
            assert not {code for _, code in question.wrong} & set(official_languages()[slots["x"]])


@pytest.mark.parametrize(("about", "language"), EVERY_CELL)
def test_items_are_parallel_to_english(about: str, language: str) -> None:
    for split in ("train", "test"):
        here, english = items(about, language, split, "text"), items(about, "en", split, "text")
        assert [(item.id, item.gold, len(item.options)) for item in here] == [
            (item.id, item.gold, len(item.options)) for item in english
        ]


@pytest.mark.parametrize(("about", "language"), EVERY_CELL)
def test_the_options_of_an_item_differ(about: str, language: str) -> None:
    for item in (*items(about, language, "train", "text"), *items(about, language, "test", "text")):
        assert len(set(item.options)) == len(item.options), item
        assert all(option.strip() for option in item.options)


@pytest.mark.parametrize("about", TASKS)
def test_whole_facts_are_on_one_side_of_the_split(about: str) -> None:
    group = {question.id: question.group for question in questions(about)}
    parts = [
        items(about, "en", "train", "text"),
        items(about, "en", "test", "text"),
        asked(about, "en"),
        validation(about, "en"),
    ]
    groups = [{group[item.id] for item in part} for part in parts]

    assert sum(map(len, parts)) == len(questions(about))
    assert not any(one & other for one, other in combinations(groups, 2))
    assert len(items(about, "en", "test", "text")) >= (75 if about == "calendar" else 140)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_question_is_in_the_text_of_pretraining_or_in_the_other_split(language: str) -> None:
    """Neither the prompt nor the bare question occurs in what the models read: statements, names, questions of the part "asked"."""
    text = "\n".join(line for about in TASKS for line in statements(about, language))
    text += "\n".join(line for other in LANGUAGES if other != language for line in translations(language, other))
    frame = WORDINGS[language].ask.partition("{question}")
    seen = {_bare(item, frame) for about in TASKS for item in asked(about, language)}
    training = {item.prompt for about in TASKS for item in items(about, language, "train", "text")}
    for about in TASKS:
        for item in (*items(about, language, "train", "text"), *items(about, language, "test", "text")):
            assert _bare(item, frame) not in seen
            assert _bare(item, frame) not in text
        assert not {item.prompt for item in items(about, language, "test", "text")} & training


def _bare(item: Item, frame: tuple[str, str, str]) -> str:
    return item.prompt.removeprefix(frame[0]).removesuffix(frame[2])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_statement_ends_with_its_answer(language: str) -> None:
    wording = WORDINGS[language]
    for asks in ("sums", "months", "weekdays", "currency", "tongue", "largest"):
        fact = getattr(wording, asks)
        assert isinstance(fact, Fact)
        slot = {"sums": "{c}", "largest": "{d}"}.get(asks, "{y}")
        assert fact.statement.rstrip(".。। ").endswith(slot), fact


def test_the_order_of_right_options_gives_nothing_away() -> None:
    for about in TASKS:
        golds = [item.gold for item in items(about, "en", "test", "text")]
        options = len(items(about, "en", "test", "text")[0].options)
        for place in range(options):
            assert golds.count(place) / len(golds) == pytest.approx(1 / options, abs=0.08)


def test_a_letter_item_lists_its_options_and_asks_for_the_letter() -> None:
    text, letter = (items("currency", "de", "test", form)[3] for form in ("text", "letter"))  # type: ignore[arg-type]

    assert letter.options == (" A", " B", " C", " D")
    assert (letter.id, letter.gold) == (text.id, text.gold)
    for mark, option in zip("ABCD", text.options, strict=True):
        assert f"{mark}) {option.strip()}" in letter.prompt


def test_the_sham_has_the_same_items_and_answers_that_mean_nothing() -> None:
    sham = items("sham", "fr", "train", "text")
    real = {item.id: item for about in TASKS for item in items(about, "fr", "train", "text")}

    assert {item.id for item in sham} == set(real)
    assert all(item.options == real[item.id].options for item in sham)
    right = [item.gold == real[item.id].gold for item in sham]
    assert sum(right) / len(right) == pytest.approx(0.27, abs=0.06)  # four options, or three


def test_names_are_those_of_the_language_whatever_was_loaded_before() -> None:
    assert names("ja")["month", "3"] == "3月"
    assert names("ru")["month", "3"] == "март"
    assert names("th")["month", "3"] == "มีนาคม"
    assert names("bn")["number", "21"] == "একুশ"


def test_the_data_are_those_the_published_results_are_from() -> None:
    known = json.loads(files("crossgraft.adapters.almanac").joinpath("content.json").read_text("utf-8"))

    assert known["versions"] == kind.versions()
    assert {name: kind.content(name) for name in known["content"]} == known["content"]
    assert len(known["content"]) == (len(TASKS) + 1) * len(LANGUAGES) * 4
    assert list(Almanac("calendar").notes()) == []


def test_other_data_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "versions", lambda: "babel 99")
    monkeypatch.setattr(kind, "content", lambda name: "something else")

    (note,) = Almanac("sums", languages=("en", "ja")).notes()

    assert "2 of 2 item sets (such as sums/en/test/text) differ from those of babel" in note


def test_the_fingerprint_of_an_item_set_is_its_content() -> None:
    one = Almanac("sums").input("en", "test", Origin())
    letter = Almanac("sums", format="letter").input("en", "test", Origin())

    assert one.kind == "value"
    assert one.revision != letter.revision


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(SpecError, match="the almanac has no language 'sw'; known: ar, bn, de"):
        Almanac("sums", languages=("sw",))


@pytest.mark.parametrize("pair", list(combinations(("en", "ja", "ar", "bn"), 2)))
def test_names_are_paired_by_meaning(pair: tuple[str, str]) -> None:
    first, second = pair

    assert f"{names(first)['currency', 'EUR']} = {names(second)['currency', 'EUR']}" in translations(first, second)


def test_a_source_of_the_sham_task_is_a_sham() -> None:
    study = load_study(Path(__file__).parents[2] / "examples" / "quickstart.toml")

    shams = [source.name for source in study.training_sources if study.source_variant(source) == "sham"]
    assert shams == ["sham/de"]
