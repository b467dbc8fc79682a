"""A user's mistakes, through the command line, are found before anything is computed: one sentence, exit code 2."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crossgraft.cli import main
from parts import make_choice_files, write_jsonl

Mistake = Callable[[Path], object]


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, spec: Path) -> tuple[int, str]:
    monkeypatch.chdir(spec.parent)
    monkeypatch.setattr(sys, "argv", ["crossgraft", "run", spec.name, "--device", "cpu", "--threads", "1"])
    with pytest.raises(SystemExit) as stop:
        main()
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert isinstance(stop.value.code, int)
    return stop.value.code, out + err


def replaced(name: str, old: str, new: str) -> Mistake:
    def mistake(folder: Path) -> None:
        file = folder / name
        assert old in file.read_text("utf-8")
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")

    return mistake


def appended(name: str, content: bytes) -> Mistake:
    def mistake(folder: Path) -> None:
        with (folder / name).open("ab") as stream:
            stream.write(content)

    return mistake


def row(**changed: object) -> bytes:
    return json.dumps({"uid": "new", "text": "?", "choices": ["a", "b"], "label": 0, **changed}).encode() + b"\n"


def without(field: str) -> bytes:
    values = json.loads(row())
    del values[field]
    return json.dumps(values).encode() + b"\n"


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        (lambda d: (d / "data/sw.test.jsonl").unlink(), "tasks.intent, language 'sw', test split: no such file: "),
        (appended("data/sw.test.jsonl", b'{"uid": "\xe9"}\n'), "sw.test.jsonl, line 13: expected UTF-8 text"),
        (appended("data/en.train.jsonl", b'{"uid": \n'), "en.train.jsonl, line 13: not valid JSON"),
        (appended("data/en.train.jsonl", without("text")), "line 13: no field 'text'; it has 'uid', 'choices', 'label'"),
        (appended("data/en.train.jsonl", row(label=2)), "line 13: expected in 'label' an index from 0 to 1"),
        (appended("data/en.train.jsonl", row(uid="train-3")), "line 13: the id 'train-3' is already on line 4"),
        (lambda d: write_jsonl(d / "data/no.test.jsonl", []), "no items for language 'no' in the test split"),
        (replaced("study.toml", "rank = 2", "rnak = 2"), "study.toml, line 22, recipe.rnak: unknown key 'rnak'; did you mean 'rank'?"),
        (replaced("study.toml", '["intent/en"]', '["intent/fr"]'), "line 18, grid.sources: the task 'intent' has no language 'fr'; it has en, sw, no"),
        (replaced("study.toml", '["intent/en"]', '["intend/en"]'), "'intend/en' is no task/language of this study; did you mean 'intent/en'?"),
        (replaced("study.toml", "rank = 2", 'rank = "two"'), "line 22, recipe.rank: expected a whole number; got 'two'"),
        (replaced("study.toml", 'id = "uid"', 'id = "uid"\nmetric = "acuracy"'), "did you mean 'accuracy'?"),
        (lambda d: (d / "model/tokenizer.json").unlink(), "models.tiny: .* has no tokenizer"),
        (lambda d: (d / "model").rename(d / "elsewhere"), "models.tiny: no such folder: "),
        (lambda d: (d / "model/model.safetensors").write_text("version https://git-lfs"), "is no whole safetensors file"),
        (lambda d: (d / "model/model.safetensors").unlink(), "pickled weights are not loaded"),
        (replaced("study.toml", 'path = "model"', 'hub = "owner/name", revision = "main"'), "models.tiny: cannot find revision 'main' of 'owner/name' on the model hub"),
        (replaced("study.toml", 'path = "model"', f'hub = "owner/name", revision = "{"0" * 40}"'), "models.tiny: the hub does not answer, and owner/name@0000000000 is not in its cache here"),
        (replaced("study.toml", 'path = "model"', 'hub = "owner/name"'), "line 7, models.tiny.revision: the hub model 'owner/name' needs revision"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_adapter_study(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    adapter_spec_without_model: Path,
    mistake: Mistake,
    sentence: str,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(adapter_spec_without_model.parent / "hub"))
    mistake(adapter_spec_without_model.parent)

    code, printed = run(capsys, monkeypatch, adapter_spec_without_model)

    assert re.search(sentence if ".*" in sentence else re.escape(sentence), printed), printed
    assert code == 2


def swapped(name: str) -> Mistake:
    def mistake(folder: Path) -> None:
        pairs = [line.split("\t") for line in (folder / name).read_text("utf-8").splitlines()]
        (folder / name).write_text("".join(f"{target}\t{source}\n" for source, target in pairs), "utf-8")

    return mistake


def three_words(folder: Path) -> None:
    for file in folder.glob("*.vec"):
        file.write_text("".join(file.read_text("utf-8").splitlines(keepends=True)[1:4]), "utf-8")


def too_large(folder: Path) -> None:
    replaced("study.toml", "[spaces]", "[spaces]\ntop = 0")(folder)
    (folder / "fi.vec").write_bytes(b"90000000000 8\nfi1 " + bytes(range(32)))  # word2vec binary, by its header


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        (lambda d: (d / "fi.vec").unlink(), "spaces.files, language 'fi': no such file: "),
        (lambda d: (d / "fi.vec").write_text(""), "fi.vec: no word vectors in it"),
        (lambda d: (d / "de-fi.train.tsv").unlink(), "training dictionary of de:fi, in either direction: no such file: "),
        (lambda d: (d / "de-fi.train.tsv").write_text(""), "de-fi.train.tsv: the dictionary is empty"),
        (appended("de-fi.train.tsv", b"one two\n"), "de-fi.train.tsv, line 61: expected two words separated by a tab"),
        (replaced("study.toml", '["procrustes"]', '["procrust"]'), "no mapping method is called 'procrust'; did you mean 'procrustes'?"),
        (appended("fi.vec", b"extra 1 2\n" * 2), "fi.vec, line 122: expected a word and 8 numbers, as on most lines; got 2 fields after 'extra' (2 of 122 entries are broken)"),
        (lambda d: (d / "de-fi.train.tsv").write_text("x\ty\n"), "de:fi: no entry of the dictionary de-fi.train.tsv is in both vocabularies"),
        (lambda d: (d / "de-fi.test.tsv").write_text("x\ty\n"), "de:fi: no word of the test dictionary de-fi.test.tsv is in both vocabularies"),
        (lambda d: (d / "fi.vec").write_text("fi1 1 0\nfi2 0 1\n"), "de:fi: the vectors of de have 8 dimensions, those of fi 2; a mapping needs spaces of one width"),
        (appended("fi.vec", b"nought nan 0 0 0 0 0 0 0\n"), "fi.vec: the vector of 'nought' has values that are not finite"),
        (three_words, "de:en: no word of the test dictionary de-en.test.tsv is in both vocabularies"),
        (replaced("study.toml", "[tasks.bli]", '[tasks.bli]\nretrieval = "csls"\nk = 121'), "de:en: CSLS takes the mean of the 121 nearest source words, but there are only 120; take a smaller k"),
        (swapped("de-fi.train.tsv"), "de:fi: the dictionary de-fi.train.tsv seems to be written in the other direction: as it is, 0 of its 20 pairs are in both vocabularies; with its columns swapped, 20; rename the file, or swap its columns"),
        (swapped("de-fi.test.tsv"), "de:fi: the dictionary de-fi.test.tsv seems to be written in the other direction: as it is, 0 of its 61 pairs are in both vocabularies; with its columns swapped, 60; rename the file, or swap its columns"),
        (too_large, "fi.vec: its header says 90,000,000,000 words of 8 dimensions; the file has room for 1; get it again"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_embedding_study(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    embedding_spec: Path,
    mistake: Mistake,
    sentence: str,
) -> None:
    mistake(embedding_spec.parent)

    code, printed = run(capsys, monkeypatch, embedding_spec)

    assert sentence in printed
    assert (code, "results computed" in printed) == (2, False)


def test_three_words_a_language_are_a_study(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, embedding_spec: Path
) -> None:
    three_words(embedding_spec.parent)
    for file in embedding_spec.parent.glob("*.test.tsv"):
        file.write_bytes(file.with_name(file.name.replace("test", "train")).read_bytes())

    code, printed = run(capsys, monkeypatch, embedding_spec)

    assert (code, "9 results computed, 0 left" in printed) == (0, True)


def test_what_was_computed_survives_a_mistake_made_later(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, embedding_spec: Path
) -> None:
    run(capsys, monkeypatch, embedding_spec)
    (embedding_spec.parent / "fi.vec").rename(embedding_spec.parent / "hidden")
    assert run(capsys, monkeypatch, embedding_spec)[0] == 2
    (embedding_spec.parent / "hidden").rename(embedding_spec.parent / "fi.vec")

    code, printed = run(capsys, monkeypatch, embedding_spec)

    assert (code, "0 results computed, 0 left" in printed) == (0, True)


def test_equal_ids_in_train_and_test_are_noted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, adapter_spec_without_model: Path
) -> None:
    folder = adapter_spec_without_model.parent
    make_choice_files(folder / "data")
    (folder / "data/sw.test.jsonl").write_text((folder / "data/en.train.jsonl").read_text())
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["crossgraft", "plan", "study.toml"])

    with pytest.raises(SystemExit):
        main()

    printed = capsys.readouterr().out
    assert "intent: 12 ids (such as 'train-0') are in the train split of one language and the test split" in printed
    assert "only 0% of the test ids are in all its languages" in printed
