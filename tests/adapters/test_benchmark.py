"""The paper's benchmarks by name: rows of the hub's layout become the prompts of the harness and of the release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmark_rows import ROWS, write_data_set
from crossgraft.adapters.tasks import Item
from crossgraft.adapters.tasks.benchmark import NamedBenchmark
from crossgraft.adapters.tasks.benchmarks import BENCHMARKS
from crossgraft.errors import DataError, SpecError
from crossgraft.study import Origin

COUNT = {"train": 4, "test": 6}


def task(folder: Path, name: str, **settings: Any) -> NamedBenchmark:
    write_data_set(folder / name, name, ("de", "en"), COUNT)
    return NamedBenchmark(use=f"benchmark:{name}", languages=("de", "en"), folder=name, **settings)


def first(folder: Path, name: str, form: str) -> Item:
    return task(folder, name, form=form).items("en", "train", Origin(folder))[0]


LISTED = "A) red\nB) green [x]\nC) blue\nD) grey\nAnswer:"
PROMPTS = {
    ("arc-challenge", "harness"): "Question: What is item 0?\nAnswer:",
    ("arc-challenge", "release"): f"Question: What is [sic] item 0?\n{LISTED}",
    ("global-mmlu", "harness"): "Which is 0?\nA. red\nB. green [x]\nC. blue\nD. grey\nAnswer:",
    ("global-mmlu", "release"): "Which is 0?\nA. red\nB. green [x]\nC. blue\nD. grey\nAnswer:",
    ("hellaswag", "harness"): "Standing: A man 0 stands.. Then He",
    (
        "hellaswag",
        "release",
    ): "Standing: A man 0 stands.. Then He\nA) goes out.\nB) sits down.\nC) sings.\nD) sleeps.\nAnswer:",
    ("truthfulqa", "release"): "Question: Is it 0?\nAnswer:",
    ("truthfulqa", "text"): "Is it 0?\nAnswer:",
    ("truthfulqa", "letter"): "Is it 0?\nA. It is 0.\nB. It is not.\nC. Nobody knows.\nAnswer:",
}


@pytest.mark.parametrize(("name", "form"), PROMPTS)
def test_a_row_is_shown_as_its_form_says(tmp_path: Path, name: str, form: str) -> None:
    assert first(tmp_path, name, form).prompt == PROMPTS[name, form]


@pytest.mark.parametrize(
    ("name", "form", "options"),
    [
        ("arc-challenge", "harness", (" red", " green ", " blue", " grey")),
        ("arc-challenge", "release", (" A", " B", " C", " D")),
        ("global-mmlu", "harness", (" A", " B", " C", " D")),
        ("hellaswag", "harness", (" goes out.", " sits down.", " sings.", " sleeps.")),
        ("truthfulqa", "harness", (" It is 0.", " It is not.", " Nobody knows.")),
    ],
)
def test_answers_are_letters_or_texts(tmp_path: Path, name: str, form: str, options: tuple[str, ...]) -> None:
    assert first(tmp_path, name, form).options == options


def test_truthfulqa_is_asked_after_the_six_solved_questions_of_its_authors(tmp_path: Path) -> None:
    prompt = first(tmp_path, "truthfulqa", "harness").prompt

    assert prompt.count("Q: ") == 7
    assert prompt.endswith("held in Barcelona, Spain.\n\nQ: Is it 0?\nA:")


@pytest.mark.parametrize("name", BENCHMARKS.names())
def test_ids_are_the_same_in_all_languages_and_the_right_option_is_found(tmp_path: Path, name: str) -> None:
    one = task(tmp_path, name)

    ids = [[item.id for item in one.items(language, "test", Origin(tmp_path))] for language in ("de", "en")]

    assert ids[0] == ids[1]
    options = 3 if name == "truthfulqa" else 4
    assert [item.gold for item in one.items("de", "train", Origin(tmp_path))] == [n % options for n in range(4)]


@pytest.mark.parametrize("name", BENCHMARKS.names())
def test_json_lines_do_instead_of_parquet(tmp_path: Path, name: str) -> None:
    parquet = task(tmp_path, name).items("en", "train", Origin(tmp_path))
    lines = tmp_path / "lines" / "en"
    lines.mkdir(parents=True)
    (lines / "train.jsonl").write_text("".join(json.dumps(ROWS[name](n)) + "\n" for n in range(4)), "utf-8")

    same = NamedBenchmark(use=f"benchmark:{name}", languages=("en",), folder="lines").items(
        "en", "train", Origin(tmp_path)
    )

    assert same == parquet


@pytest.mark.parametrize(
    ("name", "field", "value", "said"),
    [
        (
            "arc-challenge",
            "answer",
            "E",
            "line 1: expected in 'answer' a letter or a number of one of 4 options; got 'E'",
        ),
        ("global-mmlu", "question", " ", "expected a text in 'question'; got ' '"),
        ("hellaswag", "endings", ["a"], "expected a list of two texts or more in 'endings'"),
        ("truthfulqa", "mc1_targets_labels", [0, 0, 0], "one of them 1; got [0, 0, 0]"),
    ],
)
def test_a_broken_row_is_named_with_its_file_and_line(
    tmp_path: Path, name: str, field: str, value: object, said: str
) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "train.jsonl").write_text(json.dumps({**ROWS[name](0), field: value}), "utf-8")
    one = NamedBenchmark(use=f"benchmark:{name}", languages=("en",), folder=".")

    with pytest.raises(DataError) as caught:
        one.items("en", "train", Origin(tmp_path))

    assert said in str(caught.value)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "train-00000-of-00001.parquet").write_bytes(b"not parquet at all")
    one = NamedBenchmark(use="benchmark:truthfulqa", languages=("en",), folder=".")

    with pytest.raises(DataError, match="expected a Parquet file"):
        one.items("en", "train", Origin(tmp_path))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"use": "benchmark:arc"}, "use"),
        ({"languages": ("sw",)}, "languages"),
        ({"revision": "main"}, "revision"),
        ({"revision": "a" * 40, "folder": "x"}, "revision"),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError) as caught:
        NamedBenchmark(**{"use": "benchmark:hellaswag", **settings})

    assert caught.value.key == (key,)


def test_without_a_commit_or_a_folder_one_sentence_names_the_layout() -> None:
    with pytest.raises(DataError) as caught:
        NamedBenchmark(use="benchmark:hellaswag", languages=("en",)).fetch(Origin())

    assert "FOLDER/LANGUAGE/train-00000-of-00001.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_a_network_one_sentence_names_the_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    one = NamedBenchmark(use="benchmark:hellaswag", languages=("en",), revision="0" * 40)

    with pytest.raises(DataError) as caught:
        one.items("en", "test", Origin())

    assert 'give its folder as folder = "…"' in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_data_set_in_the_hubs_cache_is_read_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "1" * 40
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "datasets--Dr4kl3s--hellaswag_coregrid_seed42" / "snapshots" / commit
    write_data_set(snapshot, "hellaswag", ("en",), COUNT)

    one = NamedBenchmark(use="benchmark:hellaswag", languages=("en",), revision=commit)

    assert len(one.items("en", "test", Origin())) == 6


@pytest.mark.parametrize(
    ("name", "folder", "more", "choices"),
    [
        ("arc-challenge", "arc_multilingual", {"option_e": None}, "choices"),
        ("hellaswag", "hellaswag_multilingual", {}, "choices"),
        ("truthfulqa", "truthfulqa_multilingual", {"mc2_targets_choices": [], "mc2_targets_labels": []}, "mc1_choices"),
    ],
)
def test_the_harness_asks_the_same(tmp_path: Path, name: str, folder: str, more: dict[str, Any], choices: str) -> None:
    utils = pytest.importorskip(f"lm_eval.tasks.okapi.{folder}.utils")
    datasets = pytest.importorskip("datasets")
    theirs = utils.process_docs(datasets.Dataset.from_list([{**ROWS[name](n), **more} for n in range(4)]))

    ours = task(tmp_path, name).items("en", "train", Origin(tmp_path))

    assert [item.prompt for item in ours] == list(theirs["query"])
    assert [[option[1:] for option in item.options] for item in ours] == list(theirs[choices])
