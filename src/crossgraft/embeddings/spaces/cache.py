"""Spaces kept on disk as they were read, memory-mapped afterwards: one folder a content and options.

Two processes that make the same at once do the work twice, and nothing worse: each writes a folder of its own and renames it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from crossgraft.embeddings.readers import companions, npy
from crossgraft.embeddings.spaces.normalise import Vectors
from crossgraft.embeddings.spaces.reading import Case, Reading
from crossgraft.embeddings.spaces.subwords import Subwords
from crossgraft.errors import DataError
from crossgraft.identity import content_id
from crossgraft.runs.fingerprints import FingerprintCache

READING = 1  # raise it when the same file would be read differently

Read = tuple[tuple[str, ...], Vectors, Reading, Subwords | None]


def key(folder: Path, file: Path, top: int, case: Case) -> str:
    """What a reading depends on, as a name: the content of the file and the options."""
    hashes = FingerprintCache(folder / "fingerprints.json")
    contents = [hashes.of_file(path) for path in (file, *companions(file)) if path.is_file()]
    folder.mkdir(parents=True, exist_ok=True)
    hashes.save()
    return content_id(reading=READING, contents=contents, top=top, case=case)


def load(folder: Path, name: str, file: Path) -> Read | None:
    """A space by its key, or None; its n-grams are looked up in ``file``, which has the content they came from."""
    place = folder / name / "vectors.npy"
    try:
        saved = json.loads((place.parent / "reading.json").read_text("utf-8"))
        vectors = np.load(place, mmap_mode="r", allow_pickle=False)
        words = tuple(npy.read_words(npy.words_file(place)))
        reading = Reading(**saved["reading"] | {"remarks": tuple(saved["reading"]["remarks"])})
        subwords = Subwords(**saved["subwords"] | {"file": file}) if saved["subwords"] else None
    except (OSError, ValueError, KeyError, TypeError, EOFError, DataError):
        return None
    return (words, vectors, reading, subwords) if len(words) == len(vectors) == reading.words else None


def save(folder: Path, name: str, read: Read) -> None:
    """Keep a space under its key; without room on the disk it is simply not kept."""
    words, vectors, reading, subwords = read
    partial = None
    try:
        partial = Path(tempfile.mkdtemp(prefix=".", dir=folder))
        npy.write(partial / "vectors.npy", words, vectors)
        saved = {"reading": asdict(reading), "subwords": None}
        if subwords is not None:
            saved["subwords"] = asdict(replace(subwords, file=Path())) | {"file": ""}
        (partial / "reading.json").write_text(json.dumps(saved), "utf-8")
        if (folder / name).exists() and load(folder, name, Path()) is None:
            shutil.rmtree(folder / name, ignore_errors=True)  # damaged
        partial.rename(folder / name)
    except (OSError, DataError):
        if partial is not None:  # no room, or another process was first
            shutil.rmtree(partial, ignore_errors=True)
