"""Translating with mapped spaces: the nearest words of the other language, and a whole induced dictionary."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.direct.mapped import Mapped
from crossgraft.embeddings.retrieval import Neighbours, Search, csls_nearest, nearest, top_means
from crossgraft.embeddings.retrieval.csls import require_neighbours
from crossgraft.embeddings.spaces.space import Space, Vectors, read_space, unit
from crossgraft.errors import DataError, SpecError


@dataclass(frozen=True)
class Translation:
    """A target word and its score.

    It is the cosine; for CSLS twice the cosine less both densities; for inverted softmax log p(y | x) / β but for a
    constant, the cosine less what the target takes from all sources.
    """

    source: str
    target: str
    score: float


def translate(
    mapped: Mapped, words: Sequence[str], k: int = 10, search: Search = Search()
) -> tuple[tuple[Translation, ...], ...]:
    """The k best translations of each source word, best first; words without a vector are refused by name."""
    queries, unknown = look_up(mapped, words)
    if unknown:
        raise DataError(f"no vector for {', '.join(map(repr, unknown))} among the source words")
    return tuple(translations(mapped, queries, k, search))


def translations(
    mapped: Mapped, queries: Space, k: int = 10, search: Search = Search()
) -> Iterator[tuple[Translation, ...]]:
    """The k best target words of each word of a space that lies in the shared one, best first."""
    return _named(queries.words, mapped.target.words, _best(mapped, queries, k, search))


def induced(
    mapped: Mapped, k: int = 1, search: Search = Search(), *, words: int = 20_000, mutual: bool = False
) -> Iterator[tuple[Translation, ...]]:
    """The k best translations of each of the most frequent source words, among as many of the target (0: all).

    With ``mutual`` only words that are the best of their best, with that one.
    """
    if mutual and k > 1:
        raise SpecError(f"words that choose each other have one translation; got {k} translations a word")
    source, target = (unit(space.vectors[: words or None]) for space in (mapped.source, mapped.target))
    found = _all(source, target, k, search)
    chosen = np.arange(len(source))
    if mutual:
        back = _all(target, source, 1, search)[0]
        chosen = np.flatnonzero(back[found[0][:, 0], 0] == chosen)
    names = [mapped.source.words[place] for place in chosen]
    return _named(names, mapped.target.words, (found[0][chosen], found[1][chosen]))


Found = tuple[npt.NDArray[np.int64], Vectors]  # rows and scores


def _named(queries: Sequence[str], targets: Sequence[str], found: Found) -> Iterator[tuple[Translation, ...]]:
    for word, rows, scores in zip(queries, *found, strict=True):
        yield tuple(Translation(word, targets[row], float(score)) for row, score in zip(rows, scores, strict=True))


def _best(mapped: Mapped, queries: Space, k: int, search: Search) -> Found:
    """Of a few queries; for CSLS the densities of most words are left out."""
    asked, source, target = unit(queries.vectors), mapped.source, unit(mapped.target.vectors)
    if search.retrieval != "csls":
        off = None if search.retrieval == "nn" else search.penalty(unit(source.vectors), target)
        neighbours = nearest(asked, target, k, penalty=off)
        return neighbours.rows, neighbours.similarity
    require_neighbours(search.k, len(target), "target")
    own = np.array([row for word in queries.words if (row := source.index.get(word)) is not None], dtype=int)
    neighbours = csls_nearest(asked, unit(source.vectors), target, search.k, count=k, crowd=own)
    return neighbours.rows, _csls(neighbours, asked, target, search.k)


def _all(queries: Vectors, targets: Vectors, k: int, search: Search) -> Found:
    """The k best targets of all queries, which are the whole vocabulary that crowds around the targets."""
    if search.retrieval == "csls":
        require_neighbours(search.k, len(targets), "target")
    neighbours = nearest(queries, targets, k, penalty=search.penalty(queries, targets))
    return neighbours.rows, _csls(
        neighbours, queries, targets, search.k
    ) if search.retrieval == "csls" else neighbours.similarity


def _csls(neighbours: Neighbours, queries: Vectors, targets: Vectors, k: int) -> Vectors:
    """The score: what was found is half of it, but for the density of the query."""
    return 2 * neighbours.similarity - top_means(queries, targets, k)[:, None]


def spellings(word: str, known: Sequence[str], count: int = 3) -> list[str]:
    """Known words that are spelt almost alike, whatever their case."""
    folded = word.casefold()
    near: dict[str, list[str]] = {}
    for one in known:
        if one[:1].casefold() == folded[:1] and abs(len(one) - len(word)) <= 2:
            near.setdefault(one.casefold(), []).append(one)
    return [one for match in difflib.get_close_matches(folded, near, count, 0.7) for one in near[match]][:count]


def look_up(mapped: Mapped, words: Sequence[str], more: Path | None = None) -> tuple[Space, list[str]]:
    """The words that are known, in the shared space, and those that are not.

    ``more`` is a file of vectors with further words of the source, or with n-grams to make them of; the vocabulary of
    the mapping comes first.
    """
    wanted = list(dict.fromkeys(word.lower() if mapped.metadata["case"] == "lower" else word for word in words))
    vectors, known = mapped.source.embed(wanted)
    if more is not None and not known.all():
        new = np.flatnonzero(~known)
        unmapped, found = read_space(more, case=mapped.metadata["case"]).embed([wanted[place] for place in new])
        mapped_words = mapped.applied(Space(tuple(wanted[place] for place in new), unmapped))
        vectors[new[found]], known[new[found]] = mapped_words.vectors[found], True
    names = np.array(wanted, dtype=object)
    return Space(tuple(names[known]), vectors[known]), list(names[~known])
