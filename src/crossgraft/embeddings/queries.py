"""A test dictionary as queries, one a source word, and the rank table from which every convention of BLI is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.core import Answers, Floats, Texts
from crossgraft.embeddings.lexicon import Lexicon
from crossgraft.embeddings.retrieval import Hubness, Neighbours, hubness, ranking
from crossgraft.embeddings.spaces.space import Space, Vectors, unit
from crossgraft.identity import item_hash

_HUBS = 10  # neighbours of a query that are counted for hubness


@dataclass(frozen=True)
class Query:
    """A source word with its translations, each once, in the order of the file."""

    word: str
    golds: tuple[str, ...]
    lines: tuple[int, ...]  # on how many lines of the file each of them is
    concept: int  # the first line of the word, counted from 1 over the lines that say something
    leaked: tuple[bool, ...]  # whether each pair is in training; empty where there is no training dictionary
    source_leaked: bool = False  # whether the word is in training, with whichever translation


def queries(test: Lexicon, train: Lexicon | None = None, limit: int = 0) -> tuple[Query, ...]:
    """The source words of a test dictionary, sorted; of more than ``limit`` (0: all) the same ones everywhere."""
    lines = Counter(test.pairs)
    first: dict[str, int] = {}
    for line, (word, _) in enumerate(test.pairs, 1):
        first.setdefault(word, line)
    pairs = set() if train is None else set(train.pairs)
    sources = {word for word, _ in pairs}
    golds = test.golds()
    chosen = sorted(sorted(golds, key=lambda word: item_hash(word, 0))[: limit or None])
    return tuple(
        Query(
            word,
            tuple(golds[word]),
            tuple(lines[word, gold] for gold in golds[word]),
            first[word],
            () if train is None else tuple((word, gold) in pairs for gold in golds[word]),
            word in sources,
        )
        for word in chosen
    )


def rank_table(
    asked: Sequence[Query],
    source: Space,  # in the shared space
    target: Space,
    *,
    penalty: Vectors | None = None,  # (target words,)
) -> tuple[Answers, Hubness]:
    """Where the translations of each query stand among all target words, and how hubs answer."""
    answers, neighbours = ranked(asked, source, target, penalty=penalty)
    return answers, hubness(neighbours, len(target.words))


def ranked(
    asked: Sequence[Query],
    source: Space,  # in the shared space
    target: Space,
    *,
    penalty: Vectors | None = None,  # (target words,)
    nearest: int = _HUBS,
) -> tuple[Answers, Neighbours]:
    """Where the translations of each query stand among all target words, and the best targets of those with a rank.

    Columns, a row a query and where they are matrices a column a translation:

    - ``ranks``: 1 for the best; NaN for a translation, or all of a word, out of vocabulary
    - ``lines``: on how many lines of the file the translation is; NaN beyond the last translation
    - ``leaked_pairs``, ``leaked_source``: whether training has the pair, the source word; if there is such a dictionary
    - ``frequency``: the rank of the source word in its vocabulary, from 1; NaN out of vocabulary
    - ``identical``: whether one of the translations is spelt like the source word
    - ``concept``: the first line of the word in the file, a name that parallel dictionaries share
    - ``answer``: the best target word; "" where the query has no rank
    """
    known = [place for place, one in enumerate(asked) if one.word in source.index and _known(one, target).any()]
    rows = np.array([source.index[asked[place].word] for place in known], dtype=np.int64)
    golds = [[target.index[gold] for gold in asked[place].golds if gold in target.index] for place in known]
    found = ranking(unit(source.vectors[rows]), unit(target.vectors), golds, nearest, penalty=penalty)
    lines = _padded(query.lines for query in asked)
    ranks = np.full(lines.shape, np.nan)
    for place, row in zip(known, found.ranks, strict=True):
        inside = np.flatnonzero(_known(asked[place], target))
        ranks[place, inside] = row[: len(inside)]
    answer = np.full(len(asked), "", dtype=object)
    answer[known] = [target.words[row] for row in found.nearest.rows[:, 0]]
    columns = {
        "ranks": ranks,
        "lines": lines,
        "frequency": np.array([source.index.get(query.word, np.nan) for query in asked]) + 1.0,
        "identical": np.array([query.word in query.golds for query in asked]),
        "concept": np.array([query.concept for query in asked]),
        "answer": answer,
    }
    if any(query.leaked for query in asked):
        columns["leaked_pairs"] = _padded(query.leaked for query in asked)
        columns["leaked_source"] = np.array([query.source_leaked for query in asked])
    return Answers("ranking", tuple(query.word for query in asked), columns), found.nearest


def texts(asked: Sequence[Query]) -> Texts:
    """What the queries look like; its id is set by the study."""
    return Texts("", tuple(query.word for query in asked), {"gold": [query.golds for query in asked]})


def _known(query: Query, target: Space) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([gold in target.index for gold in query.golds])


def _padded(values: Iterable[Sequence[float]]) -> Floats:
    rows = list(values)
    padded = np.full((len(rows), max(map(len, rows))), np.nan)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded
