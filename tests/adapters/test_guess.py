from __future__ import annotations

from pathlib import Path

import pytest

from crossgraft.adapters.guess import language_in, tasks_of
from crossgraft.errors import DataError
from parts import write_jsonl

ROW = {"id": "1", "question": "What?", "choices": ["a", "b"], "answer": 0}


@pytest.mark.parametrize(
    ("stem", "tag"),
    [
        ("sw", "sw"),
        ("xcopa.et.test", "et"),
        ("belebele_swh_Latn", "swh-Latn"),
        ("mgsm-de", "de"),
        ("pt-BR", "pt-BR"),
        ("dev", None),
        ("items", None),
    ],
)
def test_the_language_is_found_in_a_name(stem: str, tag: str | None) -> None:
    found = language_in(stem)

    assert (found[1] if found else None) == tag


def files(folder: Path, *names: str, row: dict[str, object] = ROW) -> list[Path]:
    for name in names:
        write_jsonl(folder / name, [row])
    return [folder / name for name in names]


def test_files_that_differ_in_the_language_are_one_task(tmp_path: Path) -> None:
    tables = tasks_of(files(tmp_path, "quiz.de.test.jsonl", "quiz.sw.test.jsonl", "other.de.jsonl"))

    assert list(tables) == ["quiz", "other"]
    assert tables["quiz"]["languages"] == ["de", "sw"]
    assert tables["quiz"]["files"] == str(tmp_path / "quiz.{language}.test.jsonl")


def test_codes_of_a_files_name_become_language_tags(tmp_path: Path) -> None:
    table = tasks_of(files(tmp_path, "belebele_swh_Latn.jsonl"))["belebele"]

    assert (table["languages"], table["codes"]) == (["swh-Latn"], {"swh-Latn": "swh_Latn"})


def test_a_file_without_a_language_is_undetermined(tmp_path: Path) -> None:
    table = tasks_of(files(tmp_path, "items.jsonl"))["items"]

    assert (table["languages"], table["files"]) == (["und"], str(tmp_path / "items.jsonl"))


@pytest.mark.parametrize(
    ("row", "kind", "more"),
    [
        (ROW, "choice", {"options": "choices", "prompt": "{question}\nAnswer:"}),
        ({"passage": "p", "question": "q", "A": "x", "B": "y", "C": "z", "D": "w", "label": "B"}, "choice",
         {"options": ["{A}", "{B}", "{C}", "{D}"], "prompt": "{passage}\n{question}\nAnswer:"}),
        ({"question": "2 + 2?", "answer": "4"}, "open", {"answer": "answer"}),
        ({"text": "A story."}, "text", {}),
    ],
)  # fmt: skip
def test_the_kind_of_task_follows_from_the_fields(
    tmp_path: Path, row: dict[str, object], kind: str, more: dict[str, object]
) -> None:
    table = tasks_of(files(tmp_path, "x.de.jsonl", row=row))["x"]

    assert {"kind": kind, **more}.items() <= table.items()


def test_fields_that_say_nothing_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="cannot tell which fields are question and answer among 'foo', 'bar'; name them"
    ):
        tasks_of(files(tmp_path, "x.jsonl", row={"foo": 1, "bar": 2}))
