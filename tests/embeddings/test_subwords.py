"""fastText's n-grams and models, against a plain implementation of the published description."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crossgraft.embeddings.spaces.space import Vectors, read_space
from crossgraft.embeddings.spaces.subwords import ngrams
from crossgraft.errors import DataError

WORDS = ("</s>", "haus", "небо", "日本", "a")
BUCKETS = 37
WIDTH = 3


def hashed(text: str) -> int:
    """FNV-1a in 32 bits over bytes taken as signed numbers."""
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ (byte | 0xFFFFFF00 if byte > 127 else byte)) * 16777619) % 2**32
    return value


def cut(word: str, shortest: int, longest: int) -> list[str]:
    text = f"<{word}>"
    pieces = [text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1) if shortest <= j - i <= longest]
    return [piece for piece in pieces if piece not in ("<", ">")]


def model(file: Path, *, version: int = 12, grams: tuple[int, int] = (2, 4), quantised: bool = False) -> Vectors:
    """Write a fastText model; give its matrix."""
    matrix = np.random.default_rng(0).normal(size=(len(WORDS) + BUCKETS, WIDTH)).astype("<f4")
    arguments = (WIDTH, 5, 5, 1, 5, 1, 1, 2, BUCKETS, *grams, 100)
    content = struct.pack("<ii12id", 793712314, version, *arguments, 1e-4)
    content += struct.pack("<iiiqq", len(WORDS) + 1, len(WORDS), 1, 99, -1)
    content += b"".join(word.encode() + b"\0" + struct.pack("<qb", 9, 0) for word in WORDS)
    content += b"__label__x\0" + struct.pack("<qb", 9, 1)
    content += struct.pack("<?qq", quantised, *matrix.shape) + matrix.tobytes() + b"output"
    file.write_bytes(content)
    return matrix


@pytest.mark.parametrize("grams", [(3, 6), (1, 2), (2, 2), (5, 30)])
def test_ngrams_are_those_of_the_description(grams: tuple[int, int]) -> None:
    at, hashes = ngrams(WORDS, *grams)

    for place, word in enumerate(WORDS):
        expected = [hashed(piece) for piece in cut(word, *grams)] if word != "</s>" else []
        assert sorted(hashes[at == place].tolist()) == sorted(expected)


def test_a_word_is_the_mean_of_its_row_and_its_ngrams(tmp_path: Path) -> None:
    matrix = model(tmp_path / "m.bin")

    space = read_space(tmp_path / "m.bin")

    assert space.words == WORDS
    assert space.vectors[0] == pytest.approx(matrix[0])
    rows = [2, *(len(WORDS) + hashed(piece) % BUCKETS for piece in cut("небо", 2, 4))]
    assert space.vectors[2] == pytest.approx(matrix[rows].mean(axis=0), abs=1e-6)


def test_an_unknown_word_is_the_mean_of_its_ngrams_normalised_as_the_space(tmp_path: Path) -> None:
    matrix = model(tmp_path / "m.bin")
    space = read_space(tmp_path / "m.bin").normalised(("unit", "center"))
    rows = [len(WORDS) + hashed(piece) % BUCKETS for piece in cut("maus", 2, 4)]
    plain = matrix[rows].mean(axis=0)

    vectors, known = space.embed(["maus", "haus"])

    mean = (read_space(tmp_path / "m.bin").normalised(("unit",)).vectors).mean(axis=0)
    assert known.tolist() == [True, True]
    assert vectors[0] == pytest.approx(plain / np.linalg.norm(plain) - mean, abs=1e-6)
    assert np.array_equal(vectors[1], space.vectors[1])


def test_a_model_without_ngrams_knows_no_other_words(tmp_path: Path) -> None:
    matrix = model(tmp_path / "m.bin", grams=(0, 0))

    space = read_space(tmp_path / "m.bin")
    vectors, known = space.embed(["maus", "haus"])

    assert np.array_equal(space.vectors, matrix[: len(WORDS)])
    assert known.tolist() == [False, True]
    assert not vectors[0].any()


def test_subwords_survive_the_cache(tmp_path: Path) -> None:
    model(tmp_path / "m.bin")
    expected, _ = read_space(tmp_path / "m.bin", kept=tmp_path / "kept").embed(["maus"])
    (tmp_path / "m.bin").rename(tmp_path / "moved.bin")

    again = read_space(tmp_path / "moved.bin", kept=tmp_path / "kept")

    assert isinstance(again.vectors, np.memmap)
    assert np.array_equal(again.embed(["maus"])[0], expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: model(f, quantised=True), "is quantised"),
        (lambda f: model(f, version=13), "expected a fastText model of version 11 or 12; got 13"),
        (lambda f: f.write_bytes(f.read_bytes()[:-200]), "expected at least 706 bytes in a fastText model of 5 words"),
        (lambda f: f.write_bytes(f.read_bytes()[:130]), "the fastText model ends too early"),
    ],
)
def test_a_model_that_cannot_be_read_is_refused(tmp_path: Path, change: Callable[[Path], object], message: str) -> None:
    file = tmp_path / "m.bin"
    model(file)
    change(file)

    with pytest.raises(DataError, match=message):
        read_space(file)
