"""How large the spaces, dictionaries and texts of a pair are, without reading vectors; assumed where a file is not there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from crossgraft.embeddings.downstream.shape import TextShape
from crossgraft.embeddings.tasks import LanguagePair
from crossgraft.errors import CrossgraftError
from crossgraft.safety.opening import is_file, is_folder
from crossgraft.study import Origin

if TYPE_CHECKING:
    from crossgraft.embeddings.spec.study_spec import EmbeddingSpec

WORDS, WIDTH, PAIRS = 200_000, 300, 5_000  # of a language and a dictionary whose file is not there


@dataclass(frozen=True, slots=True)
class PairShape:
    """Words of both languages, dimensions of their vectors, pairs of the training dictionary."""

    source: int
    target: int
    width: int
    pairs: int
    assumed: bool = False  # whether a file was not there


@runtime_checkable
class HasTexts(Protocol):
    """A task that can count its texts."""

    def text_shape(self, pair: LanguagePair, origin: Origin) -> TextShape: ...


class Shapes:
    """The shapes of a study; each file is looked at once."""

    def __init__(self, study: EmbeddingSpec) -> None:
        self._study = study
        self._space = lru_cache(None)(self._space_of)
        self._pairs = lru_cache(None)(self._pairs_of)

    def of(self, pair: LanguagePair, size: int = 0) -> PairShape:
        """With the first ``size`` pairs of the dictionary, 0 for all."""
        spaces = [self._space(language) for language in (pair.source, pair.target)]
        pairs = self._pairs(pair)
        widths = [space[1] for space in spaces if space]
        source, target = (space[0] if space else self._study.spaces.top or WORDS for space in spaces)
        count = PAIRS if pairs is None else pairs
        assumed = pairs is None or not all(spaces)
        width, used = widths[0] if widths else WIDTH, min(size, count) if size else count
        return PairShape(source, target, width, used, assumed)

    def _space_of(self, language: str) -> tuple[int, int] | None:
        file = self._study.vectors_file(language)
        if not (is_file(file) or is_folder(file)):
            return None
        seen = self._study.peek(language, self._study.spaces.top)
        return seen.words or self._study.spaces.top or WORDS, seen.width

    def _pairs_of(self, pair: LanguagePair) -> int | None:
        try:
            return (
                len(self._study.file(self._study.lexicon.train, pair).pairs) if not self._study.lexicon.alike else None
            )
        except CrossgraftError:
            return None
