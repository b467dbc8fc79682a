from __future__ import annotations

from pathlib import Path

import pytest

from crossgraft.adapters.tasks import Item, Split, choose
from crossgraft.adapters.tasks.choice import Choice
from crossgraft.errors import DataError, SpecError
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
