"""Bilingual lexicon induction: is the right translation near the mapped word?"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from crossgraft.core import Answers, Texts
from crossgraft.embeddings.lexicon import Lexicon, read_lexicon
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.retrieval import gold_ranks
from crossgraft.embeddings.space import Space, Vectors
from crossgraft.embeddings.tasks import TASKS, LanguagePair
from crossgraft.errors import DataError, SpecError
from crossgraft.identity import item_hash
from crossgraft.study import Input, Origin


def lexicon_file(pattern: str, source: str, target: str, origin: Origin) -> tuple[Path, bool]:
    """The file of a pair, and whether it is written in the other direction."""
    for flipped, (first, second) in ((False, (source, target)), (True, (target, source))):
        filled = pattern.replace("{pair}", f"{first}-{second}").replace("{source}", first).replace("{target}", second)
        path = Path(origin.path(filled))
        if path.is_file():
            return path, flipped
    expected = pattern.replace("{pair}", f"{source}-{target}").replace("{source}", source).replace("{target}", target)
    raise DataError(f"{source}:{target}: no dictionary {origin.path(expected)}, nor one for the other direction")


@TASKS.register
@dataclass(frozen=True)
class BLI:
    """Each source word of the test dictionary is a query; any of its translations is right.

    Every target word is ranked by cosine. Queries whose word, or all of whose translations, are
    out of vocabulary have no rank: they are counted as not covered, not as wrong.
    """

    test: str  # a file pattern with {pair}, or {source} and {target}
    metric: Literal["MAP", "MRR", "P@1", "P@5", "P@10"] = "MAP"

    def __post_init__(self) -> None:
        if "{pair}" not in self.test and not ("{source}" in self.test and "{target}" in self.test):
            raise SpecError(
                f"expected a file name with {{pair}}, or {{source}} and {{target}}; got {self.test!r}", ("test",)
            )

    def inputs(self, pair: LanguagePair, origin: Origin) -> tuple[Input, ...]:
        file, _ = lexicon_file(self.test, pair.source, pair.target, origin)
        return (Input("file", str(file), f"test dictionary of {pair}"),)

    def identity(self) -> Table[str, Any]:
        return {"task": "bli", "retrieval": "cosine-nn", "ties": "frequent-first"}

    def lexicon(self, pair: LanguagePair, origin: Origin) -> Lexicon:
        file, flipped = lexicon_file(self.test, pair.source, pair.target, origin)
        lexicon = read_lexicon(file, case=pair.case)
        if not lexicon.pairs:
            raise DataError(f"{file}: the dictionary is empty")
        return lexicon.flipped() if flipped else lexicon

    def evaluate(
        self, pair: LanguagePair, spaces: tuple[Space, Space], mapping: Mapping, origin: Origin
    ) -> tuple[Answers, Texts]:
        golds = self.lexicon(pair, origin).golds()
        words = sorted(golds, key=lambda word: item_hash(word, 0))[: pair.limit or None]
        try:
            return ranked({word: golds[word] for word in sorted(words)}, spaces, mapping)
        except DataError as error:
            raise DataError(f"{pair}: {error}") from None


def ranked(
    golds: Table[str, list[str]],
    spaces: tuple[Space, Space],
    mapping: Mapping,
    penalty: Vectors | None = None,  # (target words,)
) -> tuple[Answers, Texts]:
    """The ranks of the right words of each query, which is a source word with its translations."""
    source, target = spaces
    words = list(golds)
    known = [word for word in words if word in source.index and any(gold in target.index for gold in golds[word])]
    if not known:
        raise DataError("no word of the test dictionary is in both vocabularies")
    rows = [[target.index[gold] for gold in golds[word] if gold in target.index] for word in known]
    queries = mapping.map_source(source.vectors[[source.index[word] for word in known]])
    found, nearest = gold_ranks(queries, mapping.map_target(target.vectors), rows, penalty=penalty)
    ranks = np.full((len(words), found.shape[1]), np.nan)
    answered = np.full(len(words), "", dtype=object)
    places = {word: place for place, word in enumerate(words)}
    at = [places[word] for word in known]
    ranks[at] = found
    answered[at] = [target.words[row] for row in nearest]
    answers = Answers("ranking", tuple(words), {"ranks": ranks, "answer": answered})
    return answers, Texts("", tuple(words), {"gold": [golds[word] for word in words]})
