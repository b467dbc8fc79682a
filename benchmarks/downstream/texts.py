"""Texts that the data have in another form: XQuAD's questions unpacked, and the premises of XNLI as a collection."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from crossgraft.safety.files import write_whole
from downstream.studies import XNLI, XQUAD


def write_texts(folder: Path, data: Path) -> Path:
    """Each premise is a topic in one language and a document in another. The vectors have not seen them."""
    folder.mkdir(parents=True, exist_ok=True)
    for language in XQUAD:
        _write(folder / f"xquad.queries.{language}.tsv", questions(data / "retrieval/xquad", language))
    groups: list[str] = []
    for language in XNLI:
        texts = premises(data / f"tasks/xnli/{language}.jsonl.gz")
        lines = "".join(f"{group}\t{' '.join(text.split())}\n" for group, text in texts.items())
        _write(folder / f"premises.{language}.tsv", lines.encode())
        groups = list(texts)
    _write(folder / "premises.qrels.txt", "".join(f"{group} 0 {group} 1\n" for group in groups).encode())
    return folder


def questions(folder: Path, language: str) -> bytes:
    packed, plain = (folder / f"queries.{language}.tsv{end}" for end in (".gz", ""))
    return gzip.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes()


def premises(file: Path) -> dict[str, str]:
    """Of each group of pairs, by its name."""
    return {row["group"]: row["premise"] for row in rows(file)}


def rows(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _write(file: Path, content: bytes) -> None:
    """Only where it is not there: another process may read it."""
    if not file.exists():
        write_whole(file, content)
