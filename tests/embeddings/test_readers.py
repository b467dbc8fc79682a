"""Every format gives the same space; what is odd in a file is counted, what cannot be read is one sentence."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossgraft.embeddings.readers import npy, text
from crossgraft.embeddings.spaces.space import Vectors, read_space
from crossgraft.errors import DataError

WORDS = ("the", "von", "été", "12", "日本")
VECTORS: Vectors = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def as_text(*, header: bool, end: str = "\n", separator: str = " ") -> bytes:
    lines = ["5 4"] if header else []
    lines += [separator.join([word, *map(repr, row.tolist())]) for word, row in zip(WORDS, VECTORS, strict=True)]
    return "".join(f"{line}{end}" for line in lines).encode()


def as_binary(*, newline: bool = True) -> bytes:
    rows = [word.encode() + b" " + row.tobytes() for word, row in zip(WORDS, VECTORS, strict=True)]
    return b"5 4\n" + b"".join(row + b"\n" * newline for row in rows)


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (as_text(header=True), "text with a header"),
        (as_text(header=True, end=" \n"), "text with a header"),  # fastText ends lines with a space
        (as_text(header=True, end="\r\n"), "text with a header"),
        (as_text(header=False), "text without a header"),
        (as_text(header=False)[:-1], "text without a header"),
        (as_text(header=False, separator="\t"), "text without a header"),
        (b"\xef\xbb\xbf" + as_text(header=True), "text with a header"),
        (as_binary(), "word2vec binary"),
        (as_binary(newline=False), "word2vec binary"),
        (gzip.compress(as_text(header=True)), "text with a header"),
        (gzip.compress(as_binary()), "word2vec binary"),
        (zipped(x=as_text(header=False)), "text without a header"),
    ],
)
def test_a_format_is_known_by_its_content(tmp_path: Path, content: bytes, kind: str) -> None:
    file = tmp_path / "vectors.model"  # the name says nothing
    file.write_bytes(content)

    space = read_space(file)

    assert space.words == WORDS
    assert np.array_equal(space.vectors, VECTORS)
    assert space.reading is not None
    assert (space.reading.format, space.notes) == (kind, ())


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_an_npy_has_its_words_beside_it(tmp_path: Path, kind: type) -> None:
    np.save(tmp_path / "x.npy", VECTORS.astype(kind))
    (tmp_path / "x.words.txt").write_text("\n".join(WORDS), "utf-8")

    space = read_space(tmp_path / "x.npy")

    assert space.words == WORDS
    assert np.array_equal(space.vectors, VECTORS.astype(kind).astype(np.float32))


def test_words_of_an_npy_may_have_anything_but_an_end_of_line(tmp_path: Path) -> None:
    words = (" ", "a b", "\u2028", "\x85", "#")

    npy.write(tmp_path / "x.npy", words, VECTORS)

    assert read_space(tmp_path / "x.npy").words == words
    with pytest.raises(DataError, match="has an end of line in it"):
        npy.write(tmp_path / "y.npy", ("a\nb",), VECTORS[:1])


def counted(folder: Path, content: bytes, *, lines: int = 300, top: int = 0) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Words and notes of a file of which the first lines are the content, and the others are plain."""
    file = folder / "x.vec"
    plain = b"".join(b"w%d %d.5 1\n" % (n, n) for n in range(lines))
    file.write_bytes(content + plain)
    space = read_space(file, top=top)
    return space.words[: len(space.words) - lines], space.notes


def test_words_with_spaces_are_what_stands_before_the_numbers(tmp_path: Path) -> None:
    words, notes = counted(tmp_path, b"New York 1 2.5\nWindows 7 1.5 2.5\n. . . 3.5 4\n")

    assert words == ("New York", "Windows 7", ". . .")
    assert notes == ("3 entries of a word with spaces in it",)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"a 1.5\n", "expected a word and 2 numbers, as on most lines; got 1 fields after 'a'"),
        (b"a 1.5 2.5 3.5\n", "expected a word and 2 numbers, as on most lines; got 3 fields after 'a'"),
        (b" 1.5 2.5\n", "expected a word and 2 numbers, as on most lines; got 2 fields after ''"),
        (b"a 1.5 x\n", "expected 2 numbers after 'a'; got 'a 1.5 x'"),
        (b"\xff 1.5 2.5\n", "expected UTF-8 text; got '\ufffd 1.5 2.5'"),
    ],
)
def test_a_few_broken_lines_are_passed_over_and_counted(tmp_path: Path, line: bytes, what: str) -> None:
    words, notes = counted(tmp_path, b"first 1 2\n\n" + line)

    assert words == ("first",)
    assert notes == (f"1 entries broken and passed over, the first, line 3: {what}",)


def test_too_many_broken_lines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x.vec, line 1: expected .* \(4 of 304 entries are broken\)"):
        counted(tmp_path, b"a 1.5\n" * 4)


def test_duplicates_and_zero_vectors_are_counted(tmp_path: Path) -> None:
    words, notes = counted(tmp_path, b"a 1 2\nb 0 0\na 3 4\nw5 9 9\n", lines=10)

    assert words[:2] == ("a", "b")
    assert notes == (
        "2 entries of a word that was there before; the first is kept",
        "1 entries with a zero vector, which is similar to nothing",
    )


@pytest.mark.parametrize(
    ("header", "note"),
    [
        (b"7 2\n", "its header says 7 words; it has 10"),
        (b"70 2\n", "its header says 70 words; it has 10"),
        (b"10 300\n", "its header says 300 dimensions; the lines have 2"),
    ],
)
def test_a_header_that_is_wrong_is_noted(tmp_path: Path, header: bytes, note: str) -> None:
    words, notes = counted(tmp_path, header, lines=10)

    assert (words, notes) == ((), (note,))


def test_the_rest_of_a_trimmed_file_is_no_concern(tmp_path: Path) -> None:
    file = tmp_path / "x.vec"
    file.write_bytes(b"3 2\na 1 2\na 3 4\nb 5 6\nc 7 nan\n")

    space = read_space(file, top=2)

    assert space.words == ("a", "b")
    assert space.vectors.tolist() == [[1, 2], [5, 6]]
    assert space.notes == ("1 entries of a word that was there before; the first is kept",)


def test_a_long_file_is_read_in_blocks(tmp_path: Path) -> None:
    file = tmp_path / "x.vec.gz"
    words = [f"w{n}" if n % 1000 else f"w {n}" for n in range(10_000)]
    file.write_bytes(gzip.compress("".join(f"{w} {n} {'0.25 ' * 120}\n" for n, w in enumerate(words)).encode(), 1))

    space = read_space(file)

    assert space.words == tuple(words)
    assert space.vectors[:, 0].tolist() == list(range(10_000))
    assert space.reading is not None
    assert space.reading.phrases == 10


@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1)
)
def test_lines_one_by_one_are_lines_at_once(rows: list[list[float]]) -> None:
    layout = text._Layout(Path("x"), 3, b" ", trailing=False)
    lines = "".join(f"w{n} {' '.join(map(repr, row))}\n" for n, row in enumerate(rows)).encode()

    at_once, one_by_one = text._at_once(layout, lines), text._line_by_line(layout, lines, 1)

    assert at_once.words == one_by_one.words
    assert np.array_equal(at_once.vectors, one_by_one.vectors)
    assert np.array_equal(at_once.vectors, np.array(rows, dtype=np.float32))


def npy_of(array: np.ndarray, words: str) -> Callable[[Path], object]:
    def write(file: Path) -> None:
        with file.open("wb") as stream:
            np.save(stream, array)
        file.with_name(f"{file.name}.words.txt").write_text(words)

    return write


def content(of: bytes) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(of)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda file: None, "no such file: "),
        (lambda file: file.mkdir(), "expected a file; it is a folder"),
        (content(b""), "no word vectors in it"),
        (content(b"5 4\n"), "no word vectors in it"),
        (content(b"only some words here\nand here\n"), "expected a word and its numbers on each line; got 'only some"),
        (content(b"a 1 inf\n"), "the vector of 'a' has values that are not finite"),
        (
            content(as_binary()[:-9]),
            "expected 5 words of 4 dimensions, as its header says; the file ends within word 5",
        ),
        (content(b"5 4\n" + b"\0\1" * 100_000), "no end of word 1"),
        (content(gzip.compress(as_text(header=True))[:-12]), "damaged, cut short or cannot be read"),
        (content(b"PK\x03\x04 and no more"), "damaged, cut short or cannot be read"),
        (content(zipped(a=b"a 1 2", b=b"a 1 2")), "expected one file in the archive; it has 2: a, b"),
        (content(zipped(a=b"0" * 10_000_000)), "more than 200 times its size"),
        (content(gzip.compress(b"\x93NUMPY...")), "unpack it first"),
        (content(b"\x93NUMPY..."), "not a whole .npy file"),
        (npy_of(VECTORS, "a\nb\n"), "5 vectors, but 2 words in x.words.txt"),
        (npy_of(VECTORS[0], ""), r"expected rows of floating-point numbers; got float32 of shape \(4,\)"),
        (npy_of(np.arange(6).reshape(3, 2), ""), "expected rows of floating-point numbers; got int64"),
    ],
)
def test_what_is_no_vectors_is_refused_in_a_sentence(
    tmp_path: Path, write: Callable[[Path], object], message: str
) -> None:
    write(tmp_path / "x")

    with pytest.raises(DataError, match=message):
        read_space(tmp_path / "x")


@pytest.mark.parametrize(
    "whole",
    [as_text(header=True), as_binary(), gzip.compress(as_binary()), zipped(x=as_text(header=False))],
    ids=["text", "binary", "gzip", "zip"],
)
def test_any_damage_is_a_sentence_or_a_space(tmp_path: Path, whole: bytes) -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(len(damaged))] = rng.integers(256)
        (tmp_path / "x").write_bytes(damaged[: rng.integers(1, len(damaged)) if rng.random() < 0.2 else None])

        with suppress(DataError):
            assert len(read_space(tmp_path / "x", memory=10**9).words) > 0


LINES = b"".join(b"w%d %s\n" % (n, b"0.25 " * 100) for n in range(100_000, 101_000))


@pytest.mark.parametrize(
    "content",
    [LINES, b"1000 100\n" + LINES, gzip.compress(b"1000 100\n" + LINES), gzip.compress(LINES)],
    ids=["plain", "header", "packed", "packed without header"],
)
def test_more_words_than_memory_are_refused_before_they_are_read(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.vec"
    file.write_bytes(content)

    with pytest.raises(DataError, match=r"such as spaces.top = \d\d\d") as caught:
        read_space(file, memory=500_000)

    advised = int(re.findall(r"spaces.top = (\d+)", str(caught.value))[0])
    assert len(read_space(file, top=advised, memory=500_000).words) == advised
    assert len(read_space(file, memory=800_000).words) == 1000


def test_a_header_that_promises_too_much_takes_no_memory(tmp_path: Path) -> None:
    file = tmp_path / "x.vec"
    file.write_bytes(b"999999999999 100\n" + LINES)

    assert read_space(file, memory=2_000_000).notes == ("its header says 999,999,999,999 words; it has 1,000",)
