from __future__ import annotations

from pathlib import Path

import pytest

from crossgraft.adapters.check.guess import Guess, language_in, tasks_of
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


def guess(folder: Path, *rows: dict[str, object]) -> Guess:
    write_jsonl(folder / "x.en.jsonl", list(rows))
    return tasks_of([folder / "x.en.jsonl"])["x"]


def test_files_that_differ_in_the_language_are_one_task(tmp_path: Path) -> None:
    guesses = tasks_of(files(tmp_path, "quiz.de.test.jsonl", "quiz.sw.test.jsonl", "other.de.jsonl"))

    assert list(guesses) == ["quiz", "other"]
    assert guesses["quiz"].table["languages"] == ["de", "sw"]
    assert guesses["quiz"].table["files"] == str(tmp_path / "quiz.{language}.test.jsonl")


def test_codes_of_a_files_name_become_language_tags(tmp_path: Path) -> None:
    table = tasks_of(files(tmp_path, "belebele_swh_Latn.jsonl"))["belebele"].table

    assert (table["languages"], table["codes"]) == (["swh-Latn"], {"swh-Latn": "swh_Latn"})


def test_a_file_without_a_language_is_undetermined(tmp_path: Path) -> None:
    table = tasks_of(files(tmp_path, "items.jsonl"))["items"].table

    assert (table["languages"], table["files"]) == (["und"], str(tmp_path / "items.jsonl"))


def test_rows_tell_the_language_that_the_name_does_not(tmp_path: Path) -> None:
    table = tasks_of(files(tmp_path, "items.jsonl", row={**ROW, "language": "sw"}))["items"].table

    assert table["languages"] == ["sw"]


def numbered(count: int, *rows: dict[str, object]) -> list[dict[str, object]]:
    """Each of the rows so many times, with ids and texts of their own."""
    every = [row for row in rows for _ in range(count)]
    return [
        {"id": n} | {k: v.replace("#", str(n)) if isinstance(v, str) else v for k, v in row.items()}
        for n, row in enumerate(every)
    ]


NLI = {"premise": "It rains # times.", "hypothesis": "It is wet # times."}
TALK = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."}]


@pytest.mark.parametrize(
    ("rows", "layout", "more"),
    [
        ([ROW], "multiple choice", {"options": "choices", "prompt": "{question}\nAnswer:"}),
        ([{**ROW, "question": "effect", "premise": "p"}], "multiple choice of causes and effects",
         {"prompt": "{premise}\nWhat was the {question}?\nAnswer:"}),
        ([{"passage": "p", "question": "q", "A": "x", "B": "y", "C": "z", "D": "w", "label": "B"}], "multiple choice",
         {"options": ["{A}", "{B}", "{C}", "{D}"], "prompt": "{passage}\n{question}\nAnswer:"}),
        ([{"question": "q", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "answerKey": "B"}], "multiple choice",
         {"options": "choices.text", "labels": "choices.label", "answer": "answerKey"}),
        ([{"flores_passage": "p", "question": "q", "mc_answer1": "x", "mc_answer2": "y", "correct_answer_num": n}
          for n in ("1", "2")], "multiple choice", {"options": ["{mc_answer1}", "{mc_answer2}"], "labels": ["1", "2"]}),
        (numbered(1, *({**NLI, "label": label} for label in ("neutral", "entailment"))), "natural language inference",
         {"labels": ["entailment", "neutral", "contradiction"], "options": ["True", "Neither", "False"]}),
        (numbered(1, *({"sentence1": "a #", "sentence2": "b #", "label": one} for one in ("entailment", "not_entailment"))),
         "natural language inference", {"labels": ["entailment", "not_entailment"], "options": ["True", "False"]}),
        (numbered(2, {"text": "play #", "topic": "sports"}, {"text": "vote #", "topic": "politics"}), "classification",
         {"options": ["politics", "sports"], "prompt": "{text}\nTopic:", "answer": "topic"}),
        (numbered(2, {"question1": "q #", "question2": "r #", "label": "same"},
                  {"question1": "q #", "question2": "r #", "label": "other"}), "classification",
         {"options": ["other", "same"], "prompt": "{question1}\n{question2}\nLabel:"}),
        ([{"passage": "p", "question": "q", "answer": one} for one in (True, False)], "classification",
         {"options": ["no", "yes"], "labels": ["false", "true"]}),
        ([{"question": "2 + 2?", "answer": "4"}], "questions with written answers", {"kind": "open", "metric": "number-match"}),
        ([{"context": "c", "question": "q", "answers": {"text": ["a"], "answer_start": [3]}}],
         "questions with written answers", {"answer": "answers.text", "prompt": "{context}\n{question}\nAnswer:"}),
        ([{"ctx": "He is", "ctx_a": "He", "endings": ["up.", "down."], "label": "0"}], "multiple choice",
         {"prompt": "{ctx}", "options": "endings"}),
        ([{"messages": TALK}], "conversations", {"prompt": "{messages[-2].content}", "answer": "messages[-1].content"}),
        ([{"prompt": "Where?", "completion": "Here."}], "questions with written answers", {"prompt": "{prompt}"}),
        ([{"text": "A story."}], "running text", {"kind": "text"}),
    ],
)  # fmt: skip
def test_known_layouts_are_recognised(
    tmp_path: Path, rows: list[dict[str, object]], layout: str, more: dict[str, object]
) -> None:
    found = guess(tmp_path, *rows)

    assert (found.layout, found.doubt) == (layout, "")
    assert more.items() <= found.table.items()


@pytest.mark.parametrize(
    ("rows", "doubt"),
    [
        ([{"foo": 1, "bar": 2}], "cannot tell which fields are question and answer among 'foo', 'bar'"),
        ([{**ROW, "hypothesis": "It is wet."}], "'hypothesis' would not be read, and looks like content"),
        ([{**ROW, "options": ["c", "d"]}], "'choices' would not be read"),
        ([{"question": "q", "question2": "r", "answer": "a"}], "'question2' would not be read"),
        ([{"question": "q", "answer": "a", "background": "Long ago, in a far country."}], "'background' would not be read"),
        ([{"question": "q", "answer": "a", "turns": ["x"]}], "'turns' would not be read"),
        (numbered(3, *({**NLI, "label": one} for one in (0, 1, 2))), "'label' has numbers, and nothing says what they"),
        (numbered(3, *({"text": "t #", "label": one} for one in (0, 1, 2))), "'label' has numbers, and nothing says"),
        ([{**ROW, "answer": 1}], "'answer' may count the options from 0 or from 1"),
        ([{**ROW, "answer": 2}, {**ROW, "answer": 0}], "'answer' has numbers beyond the options"),
        ([{**ROW, "choices": ["2", "1"], "answer": "1"}], "'answer' may be the text of an option, or its number"),
        ([{**ROW, "answer": "neither"}], "'answer' is not always an index, a letter or the text of an option"),
        ([{"choices": ["a", "b"], "answer": 0}], "no field is known to hold the question"),
        ([{"text": "t", "label": "one"}, {"text": "u", "label": "two"}], "'label' has 2 different values in 2 rows"),
        ([{"question": "q", "answer": "long " * 30}], "the answers are long"),
        ([{"question": "q", "answers": []}], "'answers' does not hold a text or a list of texts in every row"),
        ([{"question": "q", "answer": "a", "answer_start": 3}], "answers are parts of a passage, and no field holds"),
        ([{"messages": TALK * 2}], "earlier turns would not be read"),
        ([{**ROW, "language": "en"}, {**ROW, "language": "sw"}], "'language' has 2 languages in x.en.jsonl"),
    ],
)  # fmt: skip
def test_what_is_not_certain_has_a_doubt(tmp_path: Path, rows: list[dict[str, object]], doubt: str) -> None:
    assert doubt in guess(tmp_path, *rows).doubt


def test_fields_about_an_item_may_be_left_out_and_are_named(tmp_path: Path) -> None:
    found = guess(tmp_path, {**ROW, "subject": "a long name of a subject", "parallel_group": "7", "answer_id": 3})

    assert (found.doubt, found.unused) == ("", ("subject", "parallel_group", "answer_id"))


def test_only_the_test_split_is_read_where_a_field_tells_it(tmp_path: Path) -> None:
    found = guess(tmp_path, {**ROW, "split": "train"}, {**ROW, "split": "validation"})

    assert (found.table["split_field"], found.table["splits"]) == ("split", {"test": "validation"})
    assert "test_share" not in found.table


def test_an_id_that_is_not_unique_is_none(tmp_path: Path) -> None:
    assert guess(tmp_path, ROW, ROW).table["id"] == ""


def test_labels_of_all_files_are_options(tmp_path: Path) -> None:
    for language, labels in {"de": "aabb", "sw": "bbcc"}.items():
        write_jsonl(tmp_path / f"{language}.jsonl", [{"text": f"t {n}", "label": one} for n, one in enumerate(labels)])

    (found,) = tasks_of(sorted(tmp_path.glob("*.jsonl"))).values()

    assert (found.table["options"], found.doubt) == (["a", "b", "c"], "")


def test_labels_in_the_words_of_each_language_are_a_doubt(tmp_path: Path) -> None:
    for language, labels in {"de": ("ja", "nein"), "en": ("yes", "no")}.items():
        write_jsonl(tmp_path / f"{language}.jsonl", [{"text": f"t {n}", "label": labels[n % 2]} for n in range(8)])

    (found,) = tasks_of(sorted(tmp_path.glob("*.jsonl"))).values()

    assert "'label' has other labels in other files" in found.doubt
