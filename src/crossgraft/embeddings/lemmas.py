"""BLI by lemmas: any form of a translation is right, in languages with more forms than a dictionary lists.

The forms of a lemma that are in the target vocabulary are one translation, as good as its best-placed form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from crossgraft.core import Answers
from crossgraft.embeddings.lexicon import read_lexicon
from crossgraft.embeddings.queries import Query
from crossgraft.embeddings.spaces.space import Case
from crossgraft.errors import DataError


@dataclass(frozen=True)
class Lemmas:
    """Words and their lemmas; a word that is not listed is its own lemma, of several lemmas the first counts."""

    of: Mapping[str, str]

    def __call__(self, word: str) -> str:
        return self.of.get(word, word)

    def forms(self, vocabulary: Iterable[str]) -> dict[str, list[str]]:
        """The words of a vocabulary by their lemma, in their order."""
        found: dict[str, list[str]] = {}
        for word in vocabulary:
            found.setdefault(self(word), []).append(word)
        return found


def read_lemmas(path: str | Path, *, case: Case = "keep") -> Lemmas:
    """A file with word TAB lemma on each line."""
    pairs = read_lexicon(path, case=case).pairs
    if not pairs:
        raise DataError(f"{path}: expected a word and its lemma on each line, with a tab between; it is empty")
    return Lemmas(dict(reversed(pairs)))


Groups = list[list[str]]  # of each query, the lemma of each of its translations


def with_forms(asked: Sequence[Query], lemmas: Lemmas, vocabulary: Iterable[str]) -> tuple[list[Query], Groups]:
    """Queries whose translations are all forms of the lemmas of their translations; forms that are added are on no line."""
    forms = lemmas.forms(vocabulary)
    widened = [_with_forms(query, lemmas, forms) for query in asked]
    return widened, [[lemmas(gold) for gold in query.golds] for query in widened]


def _with_forms(query: Query, lemmas: Lemmas, forms: Mapping[str, Sequence[str]]) -> Query:
    wanted = dict.fromkeys(map(lemmas, query.golds))
    added = [word for lemma in wanted for word in forms.get(lemma, ()) if word not in query.golds]
    return replace(
        query,
        golds=(*query.golds, *added),
        lines=(*query.lines, *(0 for _ in added)),
        leaked=(*query.leaked, *(False for _ in added)) if query.leaked else (),
    )


def by_lemma(answers: Answers, groups: Groups) -> Answers:
    """One translation a lemma: the rank of its best form, and on how many lines its forms are."""
    most = max(len(set(names)) for names in groups)
    columns: dict[str, Any] = dict(answers.columns)
    for name, reduce in (("ranks", np.fmin), ("lines", np.add), ("leaked_pairs", np.fmax)):
        if name in columns:
            reduced = np.full((len(groups), most), np.nan)
            for row, (values, names) in enumerate(zip(columns[name], groups, strict=True)):
                for place, lemma in enumerate(dict.fromkeys(names)):
                    inside = [values[form] for form, other in enumerate(names) if other == lemma]
                    reduced[row, place] = reduce.reduce(inside)
            columns[name] = reduced
    return Answers(answers.kind, answers.items, columns)
