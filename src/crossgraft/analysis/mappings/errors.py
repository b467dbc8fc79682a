"""Wrong words of the best method on each pair, drawn at random, to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.mappings.gate import PairState
from crossgraft.analysis.mappings.tables import TaskTables
from crossgraft.core import Record, Texts, Treatment
from crossgraft.identity import item_hash

OF_A_PAIR = 5  # errors
ReadTexts = Callable[[str], Texts | None]


@dataclass(frozen=True)
class WrongWord:
    """A query whose nearest word is none of its translations."""

    pair: str
    row: Treatment
    query: str
    golds: tuple[str, ...]
    answer: str  # what was ranked first
    rank: int  # of the best translation
    frequency: float  # rank of the query in its vocabulary; NaN where nobody noted it


def wrong_words(tables: TaskTables, states: Sequence[PairState], texts: ReadTexts) -> Iterator[WrongWord]:
    """A few a pair, of the first run of its best method; none where answers or the dictionary are not at hand."""
    for table, state in zip(tables.pairs, states, strict=True):
        run = table.runs[state.best][0]
        asked = texts(run.texts_id)
        if asked is None or "gold" not in asked.columns or "answer" not in run.answers.columns:
            continue
        golds = dict(zip(asked.items, asked.columns["gold"], strict=True))
        for place in _drawn(run):
            query = run.answers.items[place]
            columns = run.answers.columns
            yield WrongWord(
                table.pair,
                state.best,
                query,
                tuple(golds.get(query, ())),
                str(columns["answer"][place]),
                int(np.nanmin(columns["ranks"][place])),
                float(columns["frequency"][place]) if "frequency" in columns else float("nan"),
            )


def _drawn(run: Record) -> list[int]:
    ranks = run.answers.columns["ranks"]
    known = ~np.isnan(ranks).all(axis=1)
    wrong = [int(place) for place in np.flatnonzero(known) if np.nanmin(ranks[place]) > 1]
    return sorted(wrong, key=lambda place: item_hash(run.answers.items[place], 0))[:OF_A_PAIR]
