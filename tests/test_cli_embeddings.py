"""``map``, ``bli`` and ``translate`` as a user meets them."""

from __future__ import annotations

import json
import os
import re
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
        (("translate", "nothing", "x", "--mutual"), "--mutual is of --all"),
        (("translate", "nothing", "x", "--top", "5"), "--top is of --all"),
        (("translate", "nothing", "x", "--out", "y.tsv"), "--out is of --all"),
        (("translate", "nothing", "--all", "--more", "de.vec"), "--more is of WORDS, not of --all"),
        (("translate", "nothing", "x", "--neighbours", "5"), "--neighbours is of --retrieval csls; got --retrieval nn"),
        (("translate", "nothing", "x", "--retrieval", "csls", "--beta", "5"), "--beta is of --retrieval inverted-softmax"),
        (("translate", "nothing", "x", "--retrieval", "inverted-softmax", "--beta", "0"), "--beta: expected an inverse temperature above 0; got 0"),
        (("translate", "nothing", "x", "--read", "5"), "--read and --case are for two files of vectors; nothing is to be"),
        (("translate", "de.vec"), "expected the folder of a mapping, or two files of vectors; got de.vec alone"),
        (("translate", "de.vec", "en.vec", "--all", "--mutual", "-k", "2"), "words that choose each other have one translation; got 2"),
        (("translate", "de.vec", "narrow.vec", "de1"), "expected vectors in one space; de.vec has 8 dimensions, narrow.vec 2"),
        (("bli", "nothing", "de-en.test.tsv", "-k", "2"), "-k is of --words"),
        (("bli", "a", "b", "c", "de-en.test.tsv"), "expected FOLDER TEST, or SOURCE TARGET TEST; got 4 files"),
        (("bli", "nothing", "de-en.test.tsv", "--case", "lower"), "--read and --case are for two files of vectors"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_exit_code_2(crossgraft, arguments: tuple[str, ...], message: str) -> None:  # type: ignore[no-untyped-def]
    odd_files()

    code, out, err = crossgraft(*arguments)

    assert (code, out) == (2, "")
    assert err.startswith("crossgraft: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("out", ["de.vec", "de.vec/x", "x" * 256, "x/" + "y" * 256, "nul\0"])
def test_an_impossible_place_is_found_before_the_fit(crossgraft, out: str) -> None:  # type: ignore[no-untyped-def]
    code, printed, err = crossgraft("map", "no.vec", "en.vec", "--dictionary", "de-en.train.tsv", "--out", out)

    assert (code, printed, err.count("\n")) == (2, "", 1)
    assert "write to" in err  # and not that there is no no.vec
    assert not [*Path().glob(".*partial")]


@pytest.mark.parametrize("command", ["map", "translate"])
def test_a_full_disk_is_one_sentence_and_nothing_half_written_is_left(crossgraft, command: str) -> None:  # type: ignore[no-untyped-def]
    resource = pytest.importorskip("resource")
    crossgraft(*MAP)
    Path("induced.tsv").write_text("as it was")
    before = {*Path().iterdir()}
    asked = (*MAP[:-1], "new/er") if command == "map" else ("translate", "mapped", "--all", "--out", "induced.tsv")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        code, out, err = crossgraft(*asked)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("crossgraft: cannot write to")
    assert {*Path().iterdir()} - {Path("new")} == before
    assert Path("induced.tsv").read_text() == "as it was"


def test_a_folder_that_is_there_and_empty_is_filled(crossgraft) -> None:  # type: ignore[no-untyped-def]
    Path("there").mkdir()
    inode = Path("there").stat().st_ino

    assert crossgraft(*MAP[:-1], "there")[0] == 0

    assert Path("there").stat().st_ino == inode
    assert crossgraft("bli", "there", "de-en.test.tsv")[0] == 0
    assert not [*Path("there").glob(".*")]


def test_vectors_mapped_by_another_tool_are_scored_and_translated_with(crossgraft) -> None:  # type: ignore[no-untyped-def]
    crossgraft(*MAP, "--text")
    files = ("mapped/source.vec", "mapped/target.vec")

    assert crossgraft("bli", *files, "de-en.test.tsv") == crossgraft("bli", "mapped", "de-en.test.tsv")
    assert crossgraft("translate", *files, "de7", "de8") == crossgraft("translate", "mapped", "de7", "de8")
    assert crossgraft("translate", *files, "--all") == crossgraft("translate", "mapped", "--all")
    odd_files()
    assert "n = 3 " in crossgraft("bli", *files, "three.tsv", "--read", "3")[1]


def test_the_other_direction_asks_for_source_words(crossgraft) -> None:  # type: ignore[no-untyped-def]
    crossgraft(*MAP)
    odd_files()
    crossgraft(
        "map", "en.vec", "de.vec", "--dictionary", "turned.tsv", "--out", "back", "--normalise", "unit,center,unit"
    )

    assert crossgraft("translate", "mapped", "en7", "-k", "1", "--reverse")[1].split()[:2] == ["en7", "de7"]
    assert crossgraft("bli", "mapped", "de-en.test.tsv", "--reverse")[0] == 0
    scores = [
        json.loads(crossgraft(*asked, "--json")[1])["P@1"]["n"]
        for asked in (("bli", "mapped", "de-en.train.tsv", "--reverse"), ("bli", "back", "turned.tsv"))
    ]
    assert scores == [60, 60]
    assert crossgraft("translate", "mapped", "de7", "--reverse")[0] == 2


def test_queries_are_printed_with_rank_gold_and_what_was_found(crossgraft) -> None:  # type: ignore[no-untyped-def]
    crossgraft(*MAP)

    head, *lines = crossgraft("bli", "mapped", "de-en.test.tsv", "--words", "-k", "2")[1].splitlines()
    told = [
        json.loads(line) for line in crossgraft("bli", "mapped", "de-en.test.tsv", "--words", "--json")[1].splitlines()
    ]

    assert head.split("\t") == ["query", "rank", "gold", "found"]
    assert len(lines) == len(told) == 61
    assert "unknown\t\ten1\t" in lines
    query, rank, gold, found = next(line for line in lines if line.startswith("de100\t")).split("\t")
    assert (query, rank, gold, found.split(", ")[0], len(found.split(", "))) == ("de100", "1", "en100", "en100", 2)
    assert [one["golds"][0]["rank"] for one in told if one["query"] == "unknown"] == [None]


def test_strict_scores_leave_out_the_words_that_were_learnt_from(crossgraft) -> None:  # type: ignore[no-untyped-def]
    crossgraft(*MAP)
    test = "".join(Path(f"de-en.{part}.tsv").read_text() for part in ("test", "train"))
    Path("both.tsv").write_text(test)

    scores = json.loads(crossgraft("bli", "mapped", "both.tsv", "--train", "de-en.train.tsv", "--json")[1])

    assert (scores["MAP"]["n"], scores["MAP:strict"]["n"]) == (120, 60)


def test_parameters_of_retrieval_are_heard(crossgraft) -> None:  # type: ignore[no-untyped-def]
    crossgraft(*MAP)

    csls = [
        crossgraft("translate", "mapped", "de7", "--retrieval", "csls", *more)[1]
        for more in ((), ("--neighbours", "3"))
    ]
    asked = ("translate", "mapped", "de7", "--retrieval", "inverted-softmax")
    soft = [crossgraft(*asked, *more)[1] for more in ((), ("--beta", "1"))]

    assert len({*csls, *soft}) == 4
    assert crossgraft("bli", "mapped", "de-en.test.tsv", *asked[-2:])[1].startswith("MAP ")


def test_all_words_with_several_translations_as_lines_of_json(crossgraft) -> None:  # type: ignore[no-untyped-def]
    crossgraft(*MAP)

    lines = crossgraft("translate", "mapped", "--all", "-k", "3", "--top", "10", "--json")[1].splitlines()
    rows = crossgraft("translate", "mapped", "--all", "-k", "3", "--top", "10")[1].splitlines()

    told = [json.loads(line) for line in lines]
    assert [len(one["translations"]) for one in told] == [3] * 10
    assert [row.split("\t")[:2] for row in rows] == [
        [one["source"], it["target"]] for one in told for it in one["translations"]
    ]


def test_a_course_of_values_is_told_by_its_ends(crossgraft) -> None:  # type: ignore[no-untyped-def]
    out = crossgraft(*MAP, "--method", "proc-b:csls", "--set", "rounds=2")[1]

    assert re.search(r"^  pairs: 60 → \d+, 3 values$", out, re.MULTILINE)


def test_a_method_that_did_not_settle_says_so(crossgraft) -> None:  # type: ignore[no-untyped-def]
    _, out, err = crossgraft(*MAP, "--method", "proc-b:csls", "--set", "rounds=1")

    assert "converged: False" in out
    assert err == "note: proc-b:csls stopped before its pairs had settled; a larger --set rounds=N lets it go on\n"


def test_a_pipe_and_a_link_stay_what_they_are(crossgraft) -> None:  # type: ignore[no-untyped-def]
    crossgraft(*MAP)
    os.mkfifo("pipe")
    Path("link.tsv").symlink_to("file.tsv")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)

    for place in ("pipe", "link.tsv"):
        assert crossgraft("translate", "mapped", "--all", "--top", "2", "--out", place)[0] == 0

    assert os.read(reader, 100).startswith(b"de0\t")
    assert Path("pipe").is_fifo()
    assert Path("link.tsv").is_symlink()
    assert Path("file.tsv").read_text().startswith("de0\t")
    os.close(reader)


def dev_files() -> None:
    """A validation dictionary, of which one pair is in training; a test that shares a pair with it."""
    lines = Path("de-en.test.tsv").read_text().splitlines(keepends=True)
    Path("dev.tsv").write_text("".join([*lines[:30], "de1\ten1\n"]))
    Path("shared.tsv").write_text("".join(lines[29:]))


def spell_alike() -> None:
    """Ten to 49 become numerals of both vocabularies, and 50 a word of both."""
    for language in ("de", "en"):
        text = Path(f"{language}.vec").read_text().replace(f"\n{language}50 ", "\ntaxi ")
        Path(f"{language}.vec").write_text(re.sub(rf"^{language}([1-4]\d) ", r"19\1 ", text, flags=re.MULTILINE))


def test_the_value_that_is_best_on_the_validation_dictionary_is_kept(crossgraft) -> None:  # type: ignore[no-untyped-def]
    dev_files()
    asked = (*MAP[:-2], "--method", "fipp", "--set", "components=7,0", "--validate", "dev.tsv", "--out", "mapped")

    code, out, _ = crossgraft(*asked)

    assert code == 0
    assert "validation: 31 pairs of dev.tsv; 1 with a word of the training dictionary are left out" in out
    assert re.search(r"components=7: MAP 0\.\d+ .* n = 30\n.*components=0: MAP [\d.]+ .* n = 30  chosen", out)
    told = json.loads(Path("mapped/mapping.json").read_text())
    worse, best = told["validation"]["scores"]
    assert worse["MAP"] < best["MAP"]
    assert (best["chosen"], told["settings"]["components"]) == (True, 0)
    assert len(Path("mapped/validation.tsv").read_text().splitlines()) == 30


def test_a_test_that_shares_pairs_with_the_validation_dictionary_is_a_leak(crossgraft) -> None:  # type: ignore[no-untyped-def]
    dev_files()
    crossgraft(*MAP, "--validate", "dev.tsv")

    said = [crossgraft("bli", "mapped", "shared.tsv", *more)[2] for more in ((), ("--reverse",))]

    expected = "note: 1 pairs of the test dictionary are also in the validation dictionary, which chose the parameters"
    assert [one.startswith(expected) for one in said] == [True, True]
    assert crossgraft("bli", "mapped", "de-en.train.tsv")[2] == ""


@pytest.mark.parametrize(("kind", "said"), [("identical", "41 words"), ("numerals", "40 numerals")])
def test_words_spelt_alike_are_the_dictionary_of_a_method_that_needs_one(crossgraft, kind: str, said: str) -> None:  # type: ignore[no-untyped-def]
    spell_alike()

    code, out, _ = crossgraft(*MAP[:3], "--dictionary", kind, "--out", "mapped")

    assert code == 0
    assert f"procrustes from {said} spelt alike: 120 and 120 words" in out
    assert crossgraft("translate", "mapped", "de77", "-k", "1")[1].split()[1] == "en77"
    assert "MAP:strict" in crossgraft("bli", "mapped", "de-en.test.tsv", "--train", kind)[1]


def test_a_file_called_identical_is_the_dictionary(crossgraft) -> None:  # type: ignore[no-untyped-def]
    Path("identical").write_text(Path("de-en.train.tsv").read_text())

    _, out, err = crossgraft(*MAP[:3], "--dictionary", "identical", "--out", "mapped")

    assert "procrustes from 60 of 60 pairs" in out
    assert err == "note: the dictionary is the file 'identical', not the words that are spelt alike\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*MAP, "--set", "rounds=1,2", "--method", "proc-b"), "--set KEY=V1,V2 chooses by a validation dictionary: give one with --validate FILE"),
        ((*MAP, "--validate", "de-en.train.tsv"), "60 of its 60 pairs have a word of the training dictionary, and none of the others"),
        ((*MAP, "--validate", "de-fi.test.tsv"), "0 of its 61 pairs have a word of the training dictionary, and none of the others"),
        ((*MAP, "--validate", "no.tsv"), "no such file: no.tsv"),
        ((*MAP[:3], "--dictionary", "numerals", "--out", "x"), "no numeral is written the same in both vocabularies"),
        ((*MAP[:3], "--dictionary", "identical", "--out", "x", "--method", "muse:identical"), "uses no dictionary: leave out --dictionary identical"),
    ],
)  # fmt: skip
def test_a_mistake_with_validation_or_words_alike_is_one_sentence(
    crossgraft, arguments: tuple[str, ...], message: str
) -> None:  # type: ignore[no-untyped-def]
    code, out, err = crossgraft(*arguments)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
