from __future__ import annotations

from pathlib import Path

import pytest

from crossgraft.adapters.tasks import Item, Split, choose
from crossgraft.adapters.tasks.choice import Choice
from crossgraft.errors import DataError, SpecError
from crossgraft.identity import content_id
from crossgraft.study import Origin
from parts import write_jsonl


def read(tmp_path: Path, rows: list[dict[str, object]], task: Choice | None = None) -> tuple[Item, ...]:
    write_jsonl(tmp_path / "en.test.jsonl", rows)
    task = task or Choice(files="{language}.{split}.jsonl", languages=("en",), prompt="Q: {q}\nA:")
    return task.items("en", "test", Origin(tmp_path))


def test_an_item_is_its_prompt_and_options(tmp_path: Path) -> None:
    (item,) = read(tmp_path, [{"id": 7, "q": "why?", "options": ["x", "y"], "answer": 1}])

    assert item == Item("7", "Q: why?\nA:", (" x", " y"), 1)


@pytest.mark.parametrize(("answer", "gold"), [(1, 1), ("1", 1), ("B", 1), ("b", 1), ("no", 1), ("yes", 0)])
def test_an_answer_may_be_index_letter_or_text(tmp_path: Path, answer: object, gold: int) -> None:
    (item,) = read(tmp_path, [{"id": "a", "q": "", "options": ["yes", "no"], "answer": answer}])

    assert item.gold == gold


def test_options_may_be_templates(tmp_path: Path) -> None:
    task = Choice(files="{language}.{split}.jsonl", languages=("en",), prompt="{q}", options=("{a}", "{b}", "none"))

    (item,) = read(tmp_path, [{"id": "1", "q": "?", "a": "x", "b": "y", "answer": "C"}], task)

    assert (item.options, item.gold) == ((" x", " y", " none"), 2)


def test_a_prompt_may_be_one_a_language(tmp_path: Path) -> None:
    task = Choice(files="{language}.{split}.jsonl", languages=("en",), prompt={"en": "In English: {q} {{}}"})

    (item,) = read(tmp_path, [{"id": "1", "q": "?", "options": ["x", "y"], "answer": 0}], task)

    assert item.prompt == "In English: ? {}"


def test_without_split_files_ids_are_divided_the_same_way_in_every_language(tmp_path: Path) -> None:
    for language in ("en", "sw"):
        rows = [{"id": n, "q": language, "options": ["x", "y"], "answer": 0} for n in range(200)]
        write_jsonl(tmp_path / f"{language}.jsonl", rows)
    task = Choice(files="{language}.jsonl", languages=("en", "sw"), prompt="{q}", test_share=0.25)

    def ids(language: str, split: Split) -> set[str]:
        return {item.id for item in task.items(language, split, Origin(tmp_path))}

    assert ids("en", "test") == ids("sw", "test")
    assert not ids("en", "train") & ids("sw", "test")
    assert len(ids("en", "test")) == pytest.approx(50, abs=20)


def test_a_field_may_tell_the_split(tmp_path: Path) -> None:
    rows = [{"id": n, "q": "", "options": ["x", "y"], "answer": 0, "fold": "dev" if n % 2 else "tr"} for n in range(6)]
    write_jsonl(tmp_path / "en.jsonl", rows)
    task = Choice(
        files="{language}.jsonl",
        languages=("en",),
        prompt="{q}",
        split_field="fold",
        splits={"train": "tr", "test": "dev"},
    )

    assert [item.id for item in task.items("en", "test", Origin(tmp_path))] == ["1", "3", "5"]


GOOD: dict[str, object] = {"id": "1", "q": "?", "options": ["x", "y"], "answer": 0}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {**GOOD, "answer": 2},
            "line 2: expected in 'answer' an index from 0 to 1, a letter from A to B or one of the options; got 2",
        ),
        ({**GOOD, "answer": -1}, "got -1"),
        ({**GOOD, "answer": True}, "got True"),
        ({**GOOD, "answer": "maybe"}, "got 'maybe'"),
        ({**GOOD, "options": "x y"}, "expected a list of options in 'options'; got 'x y'"),
        ({**GOOD, "options": ["x"]}, "expected at least two options"),
        ({**GOOD, "options": ["x", " "]}, "an option is empty"),
        ({"id": "1", "options": ["x", "y"], "answer": 0}, "line 2: no field 'q'; it has 'id', 'options', 'answer'"),
        ({**GOOD, "id": "0"}, "line 2: the id '0' is already on line 1; ids must be unique in a split"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, row: dict[str, object], message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, [{**GOOD, "id": "0"}, row])

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"id": "1"\n', "line 1: not valid JSON"),
        (b"[1, 2]\n", "line 1: expected a JSON object"),
        (b'{"id": "\xff"}\n', "line 1: expected UTF-8 text; byte 8 of the line is 0xff"),
        (b"\n", "no items for language 'en' in the test split"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "en.test.jsonl").write_bytes(content)

    with pytest.raises(DataError) as caught:
        Choice(files="{language}.{split}.jsonl", languages=("en",), prompt="{q}").items("en", "test", Origin(tmp_path))

    assert message in str(caught.value)


def test_fewer_items_are_a_part_of_more_and_the_same_in_all_languages() -> None:
    items = [Item(str(n), "p", (" a", " b"), 0) for n in range(50)]

    few, more = choose(items, 10), choose(list(reversed(items)), 20)

    assert set(few) < set(more)
    assert [item.id for item in few] == sorted(item.id for item in few)


def test_a_code_cannot_leave_the_folder() -> None:
    task = Choice(files="data/{language}.jsonl", languages=("en",), prompt="{q}", codes={"en": "../../etc/passwd"})

    with pytest.raises(SpecError, match="stays in its folder"):
        task.input("en", "test", Origin())


def choice(**told: object) -> Choice:
    return Choice(files="{language}.{split}.jsonl", languages=("en",), **{"prompt": "{q}", **told})  # type: ignore[arg-type]


NLI: dict[str, object] = {"id": "1", "q": "?", "answer": "neutral"}
THREE = ("entailment", "neutral", "contradiction")


def test_labels_of_a_file_are_verbalised_in_each_language(tmp_path: Path) -> None:
    task = choice(options={"en": ("yes", "maybe", "no")}, labels=THREE)

    (item,) = read(tmp_path, [NLI], task)

    assert (item.options, item.gold) == ((" yes", " maybe", " no"), 1)


def test_labels_may_count_from_one(tmp_path: Path) -> None:
    (item,) = read(tmp_path, [{**GOOD, "answer": 2}], choice(labels=("1", "2")))

    assert item.gold == 1


def test_labels_may_lie_beside_the_options_of_a_row(tmp_path: Path) -> None:
    row: dict[str, object] = {"id": "1", "q": "?", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answer": "2"}

    (item,) = read(tmp_path, [row], choice(options="choices.text", labels="choices.label"))

    assert (item.options, item.gold) == ((" x", " y"), 1)


def test_true_and_false_are_labels(tmp_path: Path) -> None:
    (item,) = read(tmp_path, [{**GOOD, "answer": True}], choice(options=("no", "yes"), labels=("false", "true")))

    assert item.answer == " yes"


def test_letters_are_scored_after_a_list_of_the_options(tmp_path: Path) -> None:
    row: dict[str, object] = {"id": "1", "q": "why?", "choices": ["x{", "y"], "answer": "y"}
    task = choice(format="letter", options="choices", prompt="{q}\n{options}\nAnswer:")

    (item,) = read(tmp_path, [row], task)

    assert item == Item("1", "why?\nA. x{\nB. y\nAnswer:", (" A", " B"), 1)


def test_a_prompt_may_name_one_of_a_list(tmp_path: Path) -> None:
    row: dict[str, object] = {**GOOD, "turns": [{"said": "a"}, {"said": "b"}]}

    (item,) = read(tmp_path, [row], choice(prompt="{options[0]} {options[-1]} {turns[1].said}"))

    assert item.prompt == "x y b"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"options": ("a", "b"), "labels": ("1", "2", "3")}, "a different label for each of the 2 options"),
        ({"format": "letter"}, 'format = "letter" needs a prompt with {options}'),
        ({"options": {"sw": ("a", "b")}}, "no options for the language 'en'"),
    ],
)
def test_labels_letters_and_options_that_do_not_fit_are_refused(told: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        choice(**told)


@pytest.mark.parametrize(
    ("row", "told", "message"),
    [
        (NLI, {"options": ("a", "b"), "labels": ("yes", "no")}, "one of the labels yes, no; got 'neutral'"),
        (GOOD, {"prompt": "{options[2]}"}, "line 1: no 'options[2]': 'options' holds"),
        (GOOD, {"prompt": "{q.text}"}, "line 1: no 'q.text': 'q' holds '?'"),
        ({**GOOD, "options": [str(n) for n in range(27)]}, {"format": "letter", "prompt": "{options}"}, "at most 26"),
    ],
)
def test_what_a_row_lacks_for_labels_and_letters_is_said(
    tmp_path: Path, row: dict[str, object], told: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, [row], choice(**told))

    assert message in str(caught.value)


def test_the_ids_of_specs_without_labels_and_letters_stay() -> None:
    plain, templates = choice(options="o"), choice(options=("a", "b"), premise="x")

    assert content_id(**plain.identity("en")) == "a80cf6a33a836b43ee0c17963cac3527"
    assert content_id(**templates.identity("en")) == "7fd049230c15a059033728962e01cf1c"


def test_labels_and_letters_make_other_items() -> None:
    tasks = [
        choice(options=("a", "b"), prompt="{options}"),
        choice(options=("a", "b"), prompt="{options}", labels=("1", "2")),
        choice(options=("a", "b"), prompt="{options}", format="letter"),
    ]

    assert len({content_id(**task.identity("en")) for task in tasks}) == 3
