"""Scores of mapped spaces on one test dictionary, with intervals: what ``crossgraft bli`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

from crossgraft.core import Answers
from crossgraft.embeddings.direct.mapped import Mapped
from crossgraft.embeddings.lexicon import Lexicon, alike_pairs, direction_note, kind_of, leaks, read_lexicon
from crossgraft.embeddings.queries import Query, queries, ranked
from crossgraft.embeddings.retrieval import Neighbours, Search
from crossgraft.embeddings.spaces.space import unit
from crossgraft.errors import DataError
from crossgraft.metrics import METRICS
from crossgraft.stats.cells.levels import Level, share_level

FIRST = ("MAP", "P@1", "P@5", "P@10", "MRR", "coverage")  # then the other conventions


@dataclass(frozen=True)
class Asked:
    """A query of a test dictionary: where its translations stand, and what stands first."""

    word: str
    golds: tuple[tuple[str, int | None], ...]  # translations and their ranks; None out of vocabulary
    found: tuple[tuple[str, float], ...]  # the best target words and their similarity; none where nothing has a rank

    @property
    def rank(self) -> int | None:
        """Of the best translation."""
        return min((rank for _, rank in self.golds if rank is not None), default=None)


@dataclass(frozen=True)
class Scored:
    """The scores of a test dictionary by the name of their metric, and what each of them counts."""

    levels: dict[str, Level]
    conventions: dict[str, str]
    answers: Answers
    asked: tuple[Asked, ...]
    notes: tuple[str, ...] = ()  # what chose the parameters of the mapping and is in the test


def evaluate_bli(
    mapped: Mapped,
    test: Path,
    search: Search = Search(),
    *,
    train: Path | None = None,
    reverse: bool = False,
    found: int = 5,
) -> Scored:
    """Rank the vocabulary for every source word of the test dictionary, and apply every metric of rankings.

    ``train`` is the dictionary that the mapping was learnt from, or "identical" or "numerals": of strict scores, its words are no queries. In
    ``reverse`` the queries are the target words of the dictionaries, whose files stay as they are. Of every query the
    best ``found`` words are kept.
    """
    lexicon, given = _known(mapped, test), _given(mapped, train) if train else None
    notes = leaks(mapped.validation, lexicon, "validation").shared if mapped.validation else ()
    if reverse:
        mapped, lexicon, given = mapped.reversed(), lexicon.flipped(), given.flipped() if given else None
    off = search.penalty(unit(mapped.source.vectors), unit(mapped.target.vectors))
    asked = queries(lexicon, given)
    answers, nearest = ranked(asked, mapped.source, mapped.target, penalty=off, nearest=found)
    metrics = [METRICS.get(name) for name in METRICS.names()]
    usable = {metric.name: metric for metric in metrics if metric.applies_to(answers) and metric.is_mean}
    names = [*(name for name in FIRST if name in usable), *(name for name in usable if name not in FIRST)]
    return Scored(
        {name: share_level(usable[name].statistics(answers)) for name in names},
        {name: usable[name].description for name in names},
        answers,
        tuple(_asked(asked, answers, nearest, mapped.target.words)),
        notes,
    )


def _given(mapped: Mapped, train: Path) -> Lexicon:
    kind = kind_of(train)
    return alike_pairs(mapped.source, mapped.target, kind) if kind else _known(mapped, train)


def _known(mapped: Mapped, file: Path) -> Lexicon:
    """A dictionary of which something is in the vocabularies, in the direction of the mapping."""
    lexicon = read_lexicon(file, case=mapped.metadata["case"])
    if not lexicon.pairs:
        raise DataError(f"{file}: the dictionary is empty")
    if note := direction_note(lexicon, mapped.source, mapped.target):
        raise DataError(f"{file}: {note}; swap them")
    if not len(lexicon.rows(mapped.source, mapped.target)):
        raise DataError(f"{file}: no entry has both its words in the vocabularies; is it of these languages?")
    return lexicon


def _asked(asked: Sequence[Query], answers: Answers, nearest: Neighbours, words: Sequence[str]) -> Iterator[Asked]:
    best = zip(nearest.rows.tolist(), nearest.similarity.tolist(), strict=True)
    for query, ranks in zip(asked, answers.columns["ranks"].tolist(), strict=True):
        golds = tuple(
            (gold, None if isnan(rank) else int(rank)) for gold, rank in zip(query.golds, ranks, strict=False)
        )
        known = any(rank is not None for _, rank in golds)
        rows, scores = next(best) if known else ((), ())
        yield Asked(query.word, golds, tuple((words[row], score) for row, score in zip(rows, scores, strict=True)))
