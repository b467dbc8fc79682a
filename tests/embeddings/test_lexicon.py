from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossgraft.embeddings.lexicon import read_lexicon
from crossgraft.embeddings.space import Space
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
