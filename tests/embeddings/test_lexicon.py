from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from crossgraft.embeddings.lexicon import Lexicon, direction_note, frequency_bands, leaks, read_lexicon
from crossgraft.embeddings.spaces.space import Space
from crossgraft.errors import DataError


def test_a_word_may_have_several_translations(tmp_path: Path) -> None:
    file = tmp_path / "d.tsv"
    file.write_text("# comment\nhaus\thouse\nhaus\tbuilding\n\nhund\tdog\nhaus\thouse\n")

    assert read_lexicon(file).golds() == {"haus": ["house", "building"], "hund": ["dog"]}


def test_rows_are_the_pairs_that_both_vocabularies_know(tmp_path: Path) -> None:
    file = tmp_path / "d.tsv"
    file.write_text("haus\thouse\nhund\tdog\nkatze\tcat\n")
    source = Space(("katze", "haus", "hund"), np.eye(3, dtype=np.float32))
    target = Space(("house", "cat"), np.eye(2, dtype=np.float32))

    assert read_lexicon(file).rows(source, target).tolist() == [[1, 0], [0, 1]]
    assert read_lexicon(file).flipped().rows(target, source).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"haus house", "line 2: expected two words separated by a tab; got 'haus house'"),
        (b"a\tb\tc", "line 2"),
        (b"\xff\tb", "UTF-8"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: bytes, message: str) -> None:
    file = tmp_path / "d.tsv"
    file.write_bytes(b"a\tb\n" + line + b"\n")

    with pytest.raises(DataError) as caught:
        read_lexicon(file)

    assert message in str(caught.value)


def lexicon(*lines: str) -> Lexicon:
    return Lexicon(tuple((x, y) for x, y in (line.split() for line in lines)), Path("d.tsv"))


@pytest.mark.parametrize(
    ("content", "pairs"),
    [
        ("a b\nc   d\n", [("a", "b"), ("c", "d")]),
        ("New York\tNowy Jork\na\tb c\n", [("New York", "Nowy Jork"), ("a", "b c")]),
        ("\ufeffa\tb\r\n\r\nc\td\r\n", [("a", "b"), ("c", "d")]),
        ("# one\na b\n", [("a", "b")]),
    ],
)
def test_words_are_separated_by_tabs_or_else_by_spaces(
    tmp_path: Path, content: str, pairs: list[tuple[str, str]]
) -> None:
    (tmp_path / "d.txt").write_text(content, "utf-8", newline="")

    assert list(read_lexicon(tmp_path / "d.txt").pairs) == pairs


def test_a_phrase_needs_tabs(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text("a b\nNew York Nowy\n")

    with pytest.raises(DataError, match=r"line 2: expected two words separated by spaces \(phrases need a tab\)"):
        read_lexicon(tmp_path / "d.txt")


def test_a_dictionary_may_be_packed(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_bytes(gzip.compress(b"a\tb\n"))

    assert read_lexicon(tmp_path / "d.txt").pairs == (("a", "b"),)


def test_case_is_only_folded_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text("Haus\tHouse\n")

    assert read_lexicon(tmp_path / "d.txt").pairs == (("Haus", "House"),)
    assert read_lexicon(tmp_path / "d.txt", case="lower").pairs == (("haus", "house"),)


def test_lines_a_training_dictionary_gives_away_are_found() -> None:
    train = lexicon("a x", "b y")
    test = lexicon("a x", "a z", "c y", "c y", "d w")

    found = leaks(train, test)

    assert found.pair.tolist() == [True, False, False, False, False]
    assert found.source.tolist() == [True, True, False, False, False]
    assert found.repeated.tolist() == [False, False, False, True, False]
    assert test.only(found.strict).pairs == (("c", "y"), ("d", "w"))
    assert found.notes == (
        "1 pairs of the test dictionary are also in the training dictionary",
        "1 pairs of the test dictionary have a source word of the training dictionary",
        "1 lines of the test dictionary repeat an earlier one",
    )


def test_a_clean_split_leaks_nothing() -> None:
    found = leaks(lexicon("a x"), lexicon("b y", "c x"))

    assert (found.notes, found.strict.all()) == ((), True)


def test_identical_strings_are_marked() -> None:
    assert lexicon("taxi taxi", "Taxi taxi").identical().tolist() == [True, False]


def test_bands_end_at_their_edges() -> None:
    rows = np.array([0, 9, 10, 24, 25, -1])

    assert frequency_bands(rows, (10, 25)).tolist() == ["1-10", "1-10", "10-25", "10-25", "25+", ""]


def test_a_dictionary_in_the_wrong_direction_is_noticed() -> None:
    german = Space(("haus", "hund", "taxi"), np.eye(3, dtype=np.float32))
    english = Space(("house", "dog", "taxi"), np.eye(3, dtype=np.float32))
    right = lexicon("haus house", "hund dog", "taxi taxi")

    assert direction_note(right, german, english) == ""
    assert direction_note(right.flipped(), german, english) == (
        "the dictionary d.tsv seems to be written in the other direction: as it is, 1 of its 3 pairs are in both "
        "vocabularies; with its columns swapped, 3"
    )
