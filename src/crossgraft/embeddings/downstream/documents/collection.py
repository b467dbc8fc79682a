"""What is asked of a collection: topics with their relevant documents, and the documents as bags, each read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from crossgraft.embeddings.downstream.documents.bags import Bags, bags
from crossgraft.embeddings.downstream.documents.trec import (
    check_judged,
    read_documents,
    read_qrels,
    read_topics,
    relevant,
)
from crossgraft.embeddings.downstream.words import LookUp, read_stop_words, words_of
from crossgraft.errors import DataError
from crossgraft.identity import item_hash
from crossgraft.safety.opening import is_file

Named = Mapping[str, str]  # topic or document → its text
Stamp = tuple[int, int]  # of a file: another one once it was written anew

_AT_ONCE = 4  # collections are large, and jobs go through all tasks of a pair before the next pair


@dataclass(frozen=True, eq=False)
class Asked:
    """The topics that have relevant documents, and the collection."""

    topics: Named
    documents: Named
    judged: tuple[Mapping[str, int], ...]  # of each topic, its relevant documents with their judgements
    without: int  # topics that have none, which do not count


def asked(topics: Named, documents: Named, qrels: Path, limit: int = 0) -> Asked:
    """Of more than ``limit`` topics (0: all) the same ones everywhere."""
    judgements = read_qrels(qrels)
    check_judged(qrels, judgements, topics, documents)
    able = [topic for topic in topics if relevant(judgements, topic)]
    if not able:
        raise DataError(
            f"{qrels}: none of the {len(topics)} topics has a relevant document; expected the names of topics, such as "
            f"{next(iter(topics))!r}, in the first column"
        )
    chosen = set(sorted(able, key=lambda topic: item_hash(topic, 0))[: limit or None])
    kept = {topic: text for topic, text in topics.items() if topic in chosen}
    return Asked(kept, documents, tuple(relevant(judgements, topic) for topic in kept), len(topics) - len(able))


def topics_of(file: Path, fields: tuple[str, ...]) -> Named:
    return _topics(file, fields, _stamp(file))


def documents_of(file: Path, fields: tuple[str, ...]) -> Named:
    return _documents(file, fields, _stamp(file))


def collection_of(
    file: Path, fields: tuple[str, ...], shortest: int, stop_words: Path | None, vocabulary: tuple[str, ...]
) -> Bags:
    """The documents as bags, which all methods share."""
    return _collection(file, fields, shortest, stop_words, vocabulary, _stamp(file))


def _stamp(file: Path) -> Stamp:
    seen = file.stat() if is_file(file) else None
    return (seen.st_size, seen.st_mtime_ns) if seen else (0, 0)


@lru_cache(_AT_ONCE)
def _topics(file: Path, fields: tuple[str, ...], _: Stamp) -> Named:
    return read_topics(file, fields)


@lru_cache(_AT_ONCE)
def _documents(file: Path, fields: tuple[str, ...], _: Stamp) -> Named:
    return read_documents(file, fields)


@lru_cache(_AT_ONCE)
def _collection(
    file: Path, fields: tuple[str, ...], shortest: int, stop_words: Path | None, vocabulary: tuple[str, ...], _: Stamp
) -> Bags:
    without = read_stop_words(stop_words) if stop_words else frozenset()
    words = [words_of(text, shortest=shortest, without=without) for text in documents_of(file, fields).values()]
    return bags(words, LookUp({word: row for row, word in enumerate(vocabulary)}))
