"""What was read once is mapped afterwards, by content and options."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.results import load_matrix
from crossgraft.embeddings.spaces import cache
from crossgraft.embeddings.spaces.space import Space, read_space
from crossgraft.runs.campaign import Settings, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Event, Recorded
from parts import EMBEDDING_SPEC, make_spaces, write_spec


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "x.vec"
    file.write_text("Haus 1 0\nhaus 0 1\nNew York 2 2\n\u2028 0 0\n", "utf-8")
    return file


def entries(kept: Path) -> list[Path]:
    return sorted(path for path in kept.iterdir() if path.is_dir())


def same(one: Space, other: Space) -> bool:
    return (one.words, one.reading) == (other.words, other.reading) and np.array_equal(one.vectors, other.vectors)


def test_a_space_read_again_is_the_same_and_mapped(file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"

    first, again = read_space(file, kept=kept), read_space(file, kept=kept)

    assert same(first, read_space(file))
    assert same(again, first)
    assert isinstance(again.vectors, np.memmap)
    assert len(entries(kept)) == 1


def test_content_and_options_count_but_not_the_name(file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    read_space(file, kept=kept)

    assert read_space(file, kept=kept, top=1).words == ("Haus",)
    assert read_space(file, kept=kept, case="lower").words == ("haus", "new york", "\u2028")
    file = file.rename(tmp_path / "y.vec")
    read_space(file, kept=kept)
    assert len(entries(kept)) == 3
    file.write_text("Hund 1 0\n")
    assert read_space(file, kept=kept).words == ("Hund",)
    assert len(entries(kept)) == 4


@pytest.mark.parametrize("damaged", ["vectors.npy", "vectors.words.txt", "reading.json"])
def test_a_damaged_entry_is_made_again(file: Path, tmp_path: Path, damaged: str) -> None:
    kept = tmp_path / "kept"
    read_space(file, kept=kept)
    (entries(kept)[0] / damaged).write_bytes(b"")

    again = read_space(file, kept=kept)

    assert same(again, read_space(file))
    assert isinstance(read_space(file, kept=kept).vectors, np.memmap)


def test_a_process_that_comes_second_with_the_same_space_leaves_the_first(file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = read_space(file, kept=kept)
    (entry,) = entries(kept)
    written = entry.stat().st_ino
    assert first.reading is not None

    cache.save(kept, entry.name, (first.words, first.vectors, first.reading, None))

    assert [path.stat().st_ino for path in entries(kept)] == [written]
    assert same(read_space(file, kept=kept), first)


def test_a_folder_that_cannot_be_written_is_no_obstacle(file: Path, tmp_path: Path) -> None:
    space = read_space(file)
    assert space.reading is not None

    cache.save(tmp_path / "nowhere", "name", (space.words, space.vectors, space.reading, None))

    assert cache.load(tmp_path / "nowhere", "name", file) is None


def test_a_study_of_28_pairs_reads_each_language_once(tmp_path: Path) -> None:
    languages = ("de", "en", "fi", "fr", "hr", "it", "ru", "tr")
    make_spaces(tmp_path, languages=languages)
    spec = write_spec(tmp_path / "study.toml", EMBEDDING_SPEC.replace('["de", "en", "fi"]', json.dumps(languages)))

    def erase(event: Event) -> None:
        """Once the first result is there, what was kept says nothing of any word."""
        for file in (tmp_path / "out").rglob("vectors.npy") if isinstance(event, Recorded) else ():
            np.save(file, np.zeros_like(np.load(file)))

    summary = run(load_study(spec), tmp_path / "out", settings=Settings(threads=1), watch=erase)

    assert (summary.recorded, summary.failed) == (28 * 3, [])
    assert len(list((tmp_path / "out").rglob("vectors.npy"))) == len(languages)
    cells = load_matrix(Store(tmp_path / "out")).cells.values()
    assert {cell.treated > 0.9 for cell in cells if cell.target.lang == "de:en"} == {True}  # its spaces were in use
    assert {cell.treated > 0.9 for cell in cells if cell.target.lang == "ru:tr"} == {False}  # no file was read again
