"""Words of the source asked for in the target: both spaces as one, and the ranks of the right words by a way of retrieval."""

from __future__ import annotations

from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from crossgraft.core import Answers
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.queries import Query, rank_table
from crossgraft.embeddings.retrieval import Search
from crossgraft.embeddings.retrieval.csls import require_neighbours
from crossgraft.embeddings.spaces.space import Space, unit
from crossgraft.errors import DataError, SpecError

Spaces = tuple[Space, Space]


def require_parameters(search: Search) -> None:
    """Raise where a task's ``k`` or ``beta`` make no way of retrieval."""
    if search.k < 1:
        raise SpecError(f"expected at least 1 neighbour for CSLS; got {search.k}", ("k",))
    if not 0 < search.beta < float("inf"):
        raise SpecError(f"expected an inverse temperature above 0; got {search.beta}", ("beta",))


def require_words(search: Search, spaces: Spaces, pair: str) -> None:
    """Raise where CSLS has fewer words than neighbours."""
    if search.retrieval == "csls":
        try:
            require_neighbours(search.k, len(spaces[0].words))
        except DataError as error:
            raise DataError(f"{pair}: {error}") from None


def identity(search: Search) -> Table[str, Any]:
    """What ranks depend on; a parameter of another way of retrieval is no part of it."""
    parameters: Table[str, Table[str, Any]] = {
        "nn": {},
        "csls": {"k": search.k},
        "inverted-softmax": {"beta": search.beta},
    }
    return {"retrieval": search.retrieval, "ties": "frequent-first", **parameters[search.retrieval]}


def in_one_space(spaces: Spaces, mapping: Mapping) -> Spaces:
    source, target = spaces
    return (
        replace(source, vectors=mapping.map_source(source.vectors)),
        replace(target, vectors=mapping.map_target(target.vectors)),
    )


def ranks(asked: Sequence[Query], shared: Spaces, search: Search) -> tuple[Answers, dict[str, Any]]:
    """The rank table of the queries among all target words, and how hubs answer them."""
    source, target = shared
    off = None if search.retrieval == "nn" else search.penalty(unit(source.vectors), unit(target.vectors))
    answers, hubs = rank_table(asked, source, target, penalty=off)
    return answers, {"hubness": {**asdict(hubs), "hub": target.words[hubs.hub]}}
