"""``map``, ``bli`` and ``translate`` as a user meets them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from crossgraft.cli import main
from parts import make_spaces

MAP = ("map", "de.vec", "en.vec", "--dictionary", "de-en.train.tsv", "--out", "mapped")


@pytest.fixture
def crossgraft(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    make_spaces(tmp_path)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crossgraft", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        assert isinstance(stop.value.code, int)
        return (stop.value.code, *capsys.readouterr())

    return call


def odd_files() -> None:
    """Files with one thing wrong with each, beside the right ones."""
    pairs = [line.split("\t") for line in Path("de-en.train.tsv").read_text().splitlines()]
    Path("turned.tsv").write_text("".join(f"{target}\t{source}\n" for source, target in pairs))
    Path("three.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in pairs[:3]))
    Path("narrow.vec").write_text("new 1 0\nen1 0 1\n")
    Path("nan.vec").write_text("a 1 0 0 0 0 0 0 0\nb nan 0 0 0 0 0 0 0\n")
    Path("large.bin").write_bytes(b"90000000000 8\nde1 " + bytes(range(32)))  # word2vec binary, by its header


def test_from_vectors_to_translations(crossgraft, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = crossgraft(*MAP, "--text")
    assert code == 0
    assert "procrustes from 60 of 60 pairs: 120 and 120 words" in out
    assert (tmp_path / "mapped/source.vec").read_text().startswith("120 8\nde0 ")

    code, out, _ = crossgraft("bli", "mapped", "de-en.test.tsv")
    assert code == 0
    assert out.startswith("MAP ")
    assert "n = 60" in out

    code, out, _ = crossgraft("translate", "mapped", "de7", "-k", "2")
    assert (code, out.splitlines()[0], out.splitlines()[1].split()[0]) == (0, "de7", "en7")
    assert len(out.splitlines()) == 3


def test_output_for_a_machine(crossgraft) -> None:  # type: ignore[no-untyped-def]
    crossgraft(*MAP)

    scores = json.loads(crossgraft("bli", "mapped", "de-en.test.tsv", "--json")[1])
    assert scores["MAP"]["low"] <= scores["MAP"]["value"] <= scores["MAP"]["high"]
    told = json.loads(crossgraft("translate", "mapped", "de7", "--json")[1])
    assert told["translations"][0]["target"] == "en7"


def test_an_induced_dictionary_is_tsv(crossgraft, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    crossgraft(*MAP)

    code, out, _ = crossgraft("translate", "mapped", "--all", "--mutual", "--retrieval", "csls")
    assert code == 0
    assert out.splitlines()[0].split("\t")[:2] == ["de0", "en0"]

    crossgraft("translate", "mapped", "--all", "--mutual", "--retrieval", "csls", "--out", "induced.tsv")
    assert (tmp_path / "induced.tsv").read_text() == out


def test_a_word_that_is_not_there_is_said(crossgraft) -> None:  # type: ignore[no-untyped-def]
    crossgraft(*MAP)

    code, out, err = crossgraft("translate", "mapped", "de7", "DE8")

    assert code == 2
    assert out.startswith("de7")
    assert err.startswith("'DE8' is not in the vocabulary; there is de8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bli", "mapped", "de-fi.test.tsv"), "de-fi.test.tsv: no entry has both its words in the vocabularies"),
        (("bli", "mapped", "turned.tsv"), "as it is, 0 of its 60 pairs are in both vocabularies; with its columns swapped, 3; swap them"),
        (("bli", "mapped", "three.tsv", "--retrieval", "csls"), "CSLS takes the mean of the 10 nearest source words, but there are only 3; take"),
        (("translate", "mapped", "de0", "--retrieval", "csls"), "CSLS takes the mean of the 10 nearest target words, but there are only 3; take"),
        (("translate", "mapped", "new", "--more", "narrow.vec"), "expected vectors of 8 dimensions, as the source had; got 2"),
    ],
)  # fmt: skip
def test_a_mistake_with_a_mapping_of_three_words(crossgraft, arguments: tuple[str, ...], message: str) -> None:  # type: ignore[no-untyped-def]
    odd_files()
    assert crossgraft(*MAP, "--top", "3")[0] == 0

    code, out, err = crossgraft(*arguments)

    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_three_words_are_translated_and_scored(crossgraft) -> None:  # type: ignore[no-untyped-def]
    odd_files()
    crossgraft(*MAP, "--top", "3")

    code, out, _ = crossgraft("translate", "mapped", "de0", "-k", "10")
    assert (code, len(out.splitlines())) == (0, 4)  # the word and all there are
    code, out, _ = crossgraft("bli", "mapped", "three.tsv")
    assert (code, out.split()[:2]) == (0, ["MAP", "1.000"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("map", "de.vec", "en.vec", "--out", "x"), "needs a dictionary"),
        (("map", "de.vec", "no.vec", "--dictionary", "de-en.train.tsv", "--out", "x"), "no such file: no.vec"),
        (("map", "de.vec", "en.vec", "--dictionary", "de-fi.train.tsv", "--out", "x"), "no entry has both its words"),
        (("map", "de.vec", "en.vec", "--dictionary", "turned.tsv", "--out", "x"), "as it is, 0 of its 60 pairs are in both vocabularies; with its columns swapped, 60"),
        (("map", "de.vec", "narrow.vec", "--dictionary", "de-en.train.tsv", "--out", "x"), "de.vec has 8 dimensions, narrow.vec 2"),
        (("map", "nan.vec", "en.vec", "--dictionary", "de-en.train.tsv", "--out", "x"), "nan.vec: the vector of 'b' has values that are not finite"),
        (("map", "large.bin", "en.vec", "--dictionary", "de-en.train.tsv", "--top", "0", "--out", "x"), "large.bin: its header says 90,000,000,000 words of 8 dimensions; the file has room for 1"),
        ((*MAP[:-1], "."), "is not empty"),
        (("bli", "nothing", "de-en.test.tsv"), "no mapping in nothing"),
        (("translate", "nothing", "x"), "no mapping in nothing"),
        (("translate", "nothing"), "expected words to translate, or --all"),
        (("translate", "nothing", "x", "--all"), "expected words to translate, or --all"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_exit_code_2(crossgraft, arguments: tuple[str, ...], message: str) -> None:  # type: ignore[no-untyped-def]
    odd_files()

    code, out, err = crossgraft(*arguments)

    assert (code, out) == (2, "")
    assert err.startswith("crossgraft: ")
    assert message in err
    assert err.count("\n") == 1
