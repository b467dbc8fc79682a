"""``[spaces]`` and ``[pairs]``: vectors of languages, and which languages are paired."""

from __future__ import annotations

from dataclasses import dataclass

from crossgraft.core import is_language
from crossgraft.embeddings.readers.language_model import Pieces
from crossgraft.embeddings.spaces.space import Case, Step
from crossgraft.errors import SpecError


@dataclass(frozen=True)
class Spaces:
    """``[spaces]``: one file of vectors a language, or the input embeddings of a language model.

    ``model`` is a Transformers folder, one for all languages or a pattern with {language}. Its words come from a list, ``words``, one
    a line and the most frequent first; without a list they are those of the study's dictionaries.
    """

    languages: tuple[str, ...]
    files: str = ""
    model: str = ""
    words: str = ""
    pieces: Pieces = "mean"  # words of several pieces are their mean, or are left out
    name: str = "vectors"  # how the set of spaces is called in tables
    top: int = 200_000
    case: Case = "keep"
    normalise: tuple[Step, ...] = ("unit", "center", "unit")

    def __post_init__(self) -> None:
        if bool(self.files) == bool(self.model):
            what = "both" if self.files else "neither"
            raise SpecError(
                f'expected either files = "vectors.{{language}}.vec" or model = "a folder of a language model"; got {what}'
            )
        for key, pattern in (("files", self.files), ("words", self.words)):
            if pattern and "{language}" not in pattern:
                raise SpecError(f"expected a file name with {{language}}; got {pattern!r}", (key,))
        if self.files and (self.words or self.pieces != "mean"):
            raise SpecError("words and pieces are of a model; vectors in files have words of their own", ("files",))
        for language in self.languages:
            if not is_language(language):
                raise SpecError(f"expected BCP 47 language tags; got {language!r}", ("languages",))
        if self.top < 0:
            raise SpecError(f"expected a number of words, 0 for all; got {self.top}", ("top",))


@dataclass(frozen=True)
class Pairs:
    """``[pairs]``: all pairs of languages in the order they are listed, or the listed ones."""

    all: bool = False
    use: tuple[str, ...] = ()
