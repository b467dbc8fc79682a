"""Translating with mapped spaces: the nearest words of the other language, and a whole induced dictionary."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.mapped import Mapped
from crossgraft.embeddings.retrieval import Neighbours, csls_nearest, csls_penalty, nearest, top_means
from crossgraft.embeddings.retrieval.csls import require_neighbours
from crossgraft.embeddings.space import Space, Vectors, read_space, unit

Retrieval = Literal["nn", "csls"]
_NEIGHBOURS = 10  # of CSLS


@dataclass(frozen=True)
class Translation:
    """A target word and its score: the cosine, or for CSLS twice the cosine less both densities."""

    source: str
    target: str
    score: float


def translations(
    mapped: Mapped, queries: Space, k: int = 10, *, retrieval: Retrieval = "nn"
) -> Iterator[tuple[Translation, ...]]:
    """The k best target words of each word of a space that lies in the shared one, best first."""
    found = _best(mapped, queries, k, retrieval)
    for word, rows, scores in zip(queries.words, *found, strict=True):
        yield tuple(
            Translation(word, mapped.target.words[row], float(score)) for row, score in zip(rows, scores, strict=True)
        )


def induced(
    mapped: Mapped, *, words: int = 20_000, retrieval: Retrieval = "nn", mutual: bool = False
) -> Iterator[Translation]:
    """The best translation of each of the most frequent source words, among as many of the target (0: all).

    With ``mutual`` only pairs of words each of which is the other's best.
    """
    source, target = (unit(space.vectors[: words or None]) for space in (mapped.source, mapped.target))
    rows, scores = _all(source, target, retrieval)
    back = _all(target, source, retrieval)[0] if mutual else None
    for place, (row, score) in enumerate(zip(rows[:, 0], scores[:, 0], strict=True)):
        if back is None or back[row, 0] == place:
            yield Translation(mapped.source.words[place], mapped.target.words[row], float(score))


Found = tuple[npt.NDArray[np.int64], Vectors]  # rows and scores


def _best(mapped: Mapped, queries: Space, k: int, retrieval: Retrieval) -> Found:
    """Of a few queries; the densities of most words are left out."""
    asked, target = unit(queries.vectors), unit(mapped.target.vectors)
    if retrieval == "nn":
        found = nearest(asked, target, k)
        return found.rows, found.similarity
    require_neighbours(_NEIGHBOURS, len(target), "target")
    own = np.array([row for word in queries.words if (row := mapped.source.index.get(word)) is not None], dtype=int)
    found = csls_nearest(asked, unit(mapped.source.vectors), target, _NEIGHBOURS, count=k, crowd=own)
    return found.rows, _csls(found, asked, target)


def _all(queries: Vectors, targets: Vectors, retrieval: Retrieval) -> Found:
    """The best target of all queries, which are the whole vocabulary that crowds around the targets."""
    if retrieval == "nn":
        found = nearest(queries, targets, 1)
        return found.rows, found.similarity
    require_neighbours(_NEIGHBOURS, len(targets), "target")
    found = nearest(queries, targets, 1, penalty=csls_penalty(queries, targets, _NEIGHBOURS))
    return found.rows, _csls(found, queries, targets)


def _csls(found: Neighbours, queries: Vectors, targets: Vectors) -> Vectors:
    """The score: what was found is half of it, but for the density of the query."""
    return 2 * found.similarity - top_means(queries, targets, _NEIGHBOURS)[:, None]


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
    wanted = list(dict.fromkeys(word.lower() if mapped.told["case"] == "lower" else word for word in words))
    vectors, known = mapped.source.embed(wanted)
    if more is not None and not known.all():
        new = np.flatnonzero(~known)
        unmapped, found = read_space(more, case=mapped.told["case"]).embed([wanted[place] for place in new])
        mapped_words = mapped.applied(Space(tuple(wanted[place] for place in new), unmapped))
        vectors[new[found]], known[new[found]] = mapped_words.vectors[found], True
    names = np.array(wanted, dtype=object)
    return Space(tuple(names[known]), vectors[known]), list(names[~known])
