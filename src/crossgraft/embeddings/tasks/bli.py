"""Bilingual lexicon induction: is the right translation near the mapped word?"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crossgraft.embeddings.asked import identity, in_one_space, ranks, require_parameters, require_words
from crossgraft.embeddings.lemmas import by_lemma, read_lemmas, with_forms
from crossgraft.embeddings.lexicon import Lexicon, direction_note, read_lexicon
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.queries import queries, texts
from crossgraft.embeddings.retrieval import Retrieval, Search
from crossgraft.embeddings.spaces.space import Space
from crossgraft.embeddings.tasks import TASKS, Evaluation, LanguagePair
from crossgraft.errors import DataError, SpecError
from crossgraft.safety.opening import is_file
from crossgraft.study import Input, Origin


def lexicon_file(pattern: str, source: str, target: str, origin: Origin) -> tuple[Path, bool]:
    """The file of a pair, and whether it is written in the other direction; where there is neither, the one expected."""
    for flipped, (first, second) in ((False, (source, target)), (True, (target, source))):
        filled = pattern.replace("{pair}", f"{first}-{second}").replace("{source}", first).replace("{target}", second)
        path = Path(origin.path(filled))
        if is_file(path):
            return path, flipped
    expected = pattern.replace("{pair}", f"{source}-{target}").replace("{source}", source).replace("{target}", target)
    return Path(origin.path(expected)), False


Measure = Literal[
    "MAP", "MRR", "P@1", "P@5", "P@10",
    "MAP:published", "MAP:strict", "MAP:all", "P@1:published", "P@1:strict", "P@1:all",
]  # fmt: skip


@TASKS.register
@dataclass(frozen=True)
class BLI:
    """Each source word of the test dictionary is a query; any of its translations is right.

    Every target word is ranked by its cosine, less what the retrieval takes off. Queries whose word, or all of whose
    translations, are out of vocabulary have no rank: they are counted as not covered, not as wrong. Other conventions
    are read from the same ranks (``metrics/ranking.py``); for the strict one the answers say which queries the
    training dictionary gives away, at whatever size a method uses of it.
    """

    test: str  # a file pattern with {pair}, or {source} and {target}
    metric: Measure = "MAP"
    retrieval: Retrieval = "nn"
    k: int = 10  # neighbours of CSLS
    beta: float = 30.0  # of inverted softmax
    lemmas: str = (
        ""  # a file pattern with {language}, the target's: word TAB lemma; then any form of a translation is right
    )

    def __post_init__(self) -> None:
        if "{pair}" not in self.test and not ("{source}" in self.test and "{target}" in self.test):
            raise SpecError(
                f"expected a file name with {{pair}}, or {{source}} and {{target}}; got {self.test!r}", ("test",)
            )
        if self.lemmas and "{language}" not in self.lemmas:
            raise SpecError(f"expected a file name with {{language}}; got {self.lemmas!r}", ("lemmas",))
        require_parameters(self._search)

    @property
    def _search(self) -> Search:
        return Search(self.retrieval, self.k, self.beta)

    def inputs(self, pair: LanguagePair, origin: Origin) -> tuple[Input, ...]:
        file, _ = lexicon_file(self.test, pair.source, pair.target, origin)
        dictionary = Input("file", str(file), f"test dictionary of {pair}, in either direction")
        if not self.lemmas:
            return (dictionary,)
        return dictionary, Input("file", self._lemmas_file(pair, origin), f"lemmas of {pair.target!r}")

    def _lemmas_file(self, pair: LanguagePair, origin: Origin) -> str:
        return origin.path(self.lemmas.replace("{language}", pair.target))

    def identity(self) -> Table[str, Any]:
        by = {"by": "lemma"} if self.lemmas else {}
        return {"task": "bli", **identity(self._search), **by}

    def lexicon(self, pair: LanguagePair, origin: Origin) -> Lexicon:
        file, flipped = lexicon_file(self.test, pair.source, pair.target, origin)
        lexicon = read_lexicon(file, case=pair.case)
        if not lexicon.pairs:
            raise DataError(f"{file}: the dictionary is empty")
        return lexicon.flipped() if flipped else lexicon

    def check_pair(self, pair: LanguagePair, spaces: tuple[Space, Space], origin: Origin) -> None:
        """The test dictionary has words of both vocabularies, and CSLS has its neighbours."""
        lexicon = self.lexicon(pair, origin)
        if note := direction_note(lexicon, *spaces):
            raise DataError(f"{pair}: {note}; rename the file, or swap its columns")
        if not len(lexicon.rows(*spaces)):
            raise DataError(
                f"{pair}: no word of the test dictionary {lexicon.file.name} is in both vocabularies; "
                'check its languages, and whether spaces.case should be "lower"'
            )
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
        asked = queries(self.lexicon(pair, origin), train, pair.limit)
        shared = in_one_space(spaces, mapping)
        if not self.lemmas:
            answers, facts = ranks(asked, shared, self._search)
            return Evaluation(answers, texts(asked), facts)
        lemmas = read_lemmas(self._lemmas_file(pair, origin), case=pair.case)
        widened, groups = with_forms(asked, lemmas, spaces[1].words)
        answers, facts = ranks(widened, shared, self._search)
        return Evaluation(by_lemma(answers, groups), texts(asked), facts)
