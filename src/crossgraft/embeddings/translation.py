"""Translating with mapped spaces: the nearest words of the other language, and a whole induced dictionary."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.mapped import Mapped
from crossgraft.embeddings.retrieval import csls_penalty, nearest, top_means
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
    found = _search(
        unit(queries.vectors), unit(mapped.target.vectors), k, retrieval, among=lambda: unit(mapped.source.vectors)
    )
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
    rows, scores = _search(source, target, 1, retrieval, among=lambda: source)
    back = _search(target, source, 1, retrieval, among=lambda: target)[0] if mutual else None
    for place, (row, score) in enumerate(zip(rows[:, 0], scores[:, 0], strict=True)):
        if back is None or back[row, 0] == place:
            yield Translation(mapped.source.words[place], mapped.target.words[row], float(score))


def _search(
    queries: Vectors, targets: Vectors, k: int, retrieval: Retrieval, *, among: Callable[[], Vectors]
) -> tuple[npt.NDArray[np.int64], Vectors]:
    """Rows and scores of the k best targets; ``among`` are the words that crowd around a target."""
    if retrieval == "nn":
        found = nearest(queries, targets, k)
        return found.rows, found.similarity
    require_neighbours(_NEIGHBOURS, len(targets), "target")
    found = nearest(queries, targets, k, penalty=csls_penalty(among(), targets, _NEIGHBOURS))
    own = top_means(queries, targets, _NEIGHBOURS)
    return found.rows, 2 * found.similarity - own[:, None]


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
