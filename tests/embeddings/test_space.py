from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from crossgraft.embeddings.spaces.space import read_space
from crossgraft.errors import DataError


@pytest.mark.parametrize("header", ["", "3 2\n"])
def test_a_header_is_optional(tmp_path: Path, header: str) -> None:
    file = tmp_path / "x.vec"
    file.write_text(f"{header}a 1 0\nb 0 1\nc 1 1\n")

    space = read_space(file)

    assert space.words == ("a", "b", "c")
    assert space.vectors.tolist() == [[1, 0], [0, 1], [1, 1]]


def test_the_most_frequent_words_come_first_and_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "x.vec.gz"
    file.write_bytes(gzip.compress(b"a 1 0\nb 0 1\nc 1 1\n"))

    assert read_space(file, top=2).words == ("a", "b")


def test_case_is_only_folded_when_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "x.vec"
    file.write_text("Haus 1 0\nhaus 0 1\n")

    assert read_space(file).words == ("Haus", "haus")
    lowered = read_space(file, case="lower")
    assert (lowered.words, lowered.vectors.tolist()) == (("haus",), [[1, 0]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"a 1 0\nb .5 1 1\n",
            "x.vec, line 2: expected a word and 2 numbers, as on most lines; got 3 fields after 'b'",
        ),
        (b"a 1 0\nb 0 one\n", "line 2: expected 2 numbers after 'b'; got 'b 0 one'"),
        (b"a 1 nan\n", "x.vec: the vector of 'a' has values that are not finite"),
        (b"", "no word vectors"),
        (b"a 1 0\n\xff\xfe 0 1\n", "expected UTF-8"),
    ],
)
def test_a_broken_file_is_refused_with_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "x.vec"
    file.write_bytes(content)

    with pytest.raises(DataError) as caught:
        read_space(file)

    assert message in str(caught.value)
