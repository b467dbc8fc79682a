"""Two embeddings of one language: does a word find itself, of which nothing has learnt?"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crossgraft.core import Answers
from crossgraft.embeddings.asked import identity, in_one_space, ranks, require_parameters, require_words
from crossgraft.embeddings.lexicon import Lexicon, alike_pairs
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.queries import queries, texts
from crossgraft.embeddings.retrieval import Retrieval, Search
from crossgraft.embeddings.spaces.space import Space
from crossgraft.embeddings.tasks import TASKS, Evaluation, LanguagePair
from crossgraft.embeddings.tasks.bli import Measure
from crossgraft.study import Input, Origin


@TASKS.register
@dataclass(frozen=True)
class Twins:
    """Each word of both vocabularies that the training dictionary does not have is a query; it is its own translation.

    Every right answer is unique and known, and no word is out of vocabulary. The words to learn from are the study's:
    ``[lexicon] train = "identical"`` without the share ``held_out``.
    """

    metric: Measure = "MAP"
    retrieval: Retrieval = "nn"
    k: int = 10  # neighbours of CSLS
    beta: float = 30.0  # of inverted softmax

    def __post_init__(self) -> None:
        require_parameters(self._search)

    @property
    def _search(self) -> Search:
        return Search(self.retrieval, self.k, self.beta)

    def inputs(self, pair: LanguagePair, origin: Origin) -> tuple[Input, ...]:  # noqa: ARG002 - words of the spaces
        return ()

    def identity(self) -> Table[str, Any]:
        return {"task": "twins", **identity(self._search)}

    def check_pair(self, pair: LanguagePair, spaces: tuple[Space, Space], origin: Origin) -> None:  # noqa: ARG002
        require_words(self._search, spaces, str(pair))

    def evaluate(
        self,
        pair: LanguagePair,
        spaces: tuple[Space, Space],
        mapping: Mapping,
        origin: Origin,
        train: Lexicon | None = None,
    ) -> Evaluation:
        self.check_pair(pair, spaces, origin)
        asked = queries(unlearnt(spaces, train), limit=pair.limit)
        answers, facts = ranks(asked, in_one_space(spaces, mapping), self._search)
        return Evaluation(_own_words(answers), texts(asked), facts)


def unlearnt(spaces: tuple[Space, Space], train: Lexicon | None) -> Lexicon:
    """The words of both vocabularies that are in no pair of the training dictionary, each as its own translation."""
    learnt = {word for pair in train.pairs for word in pair} if train else set()
    words = alike_pairs(*spaces, "identical")
    return Lexicon(tuple(pair for pair in words.pairs if pair[0] not in learnt), Path("held out"))


def _own_words(answers: Answers) -> Answers:
    """Without what would be the same for every word, and without lines, since there is no file."""
    columns = {name: column for name, column in answers.columns.items() if name not in ("concept", "identical")}
    return replace(answers, columns=columns)
