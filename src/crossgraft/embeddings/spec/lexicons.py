"""``[lexicon]``: the dictionaries that methods learn from, and those they choose on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, get_args

from crossgraft.embeddings.lexicon import Alike
from crossgraft.errors import SpecError


@dataclass(frozen=True)
class Lexicons:
    """``[lexicon]``: the training dictionaries, and how many of their first pairs to use (0: all).

    ``train`` is a pattern of files, or "identical" or "numerals": the words, or numbers, that both vocabularies spell
    alike. ``validate`` is a pattern of dictionaries that nothing learns from, on which ``methods.choose`` chooses.
    """

    train: str
    sizes: tuple[int, ...] = (0,)
    validate: str = ""

    def __post_init__(self) -> None:
        if self.alike is None and not _is_pattern(self.train):
            raise SpecError(
                f"expected a file name with {{pair}}, or {{source}} and {{target}}, or one of "
                f"{', '.join(get_args(Alike))}; got {self.train!r}",
                ("train",),
            )
        if self.validate and not _is_pattern(self.validate):
            raise SpecError(
                f"expected a file name with {{pair}}, or {{source}} and {{target}}; got {self.validate!r}",
                ("validate",),
            )
        if not self.sizes or min(self.sizes) < 0:
            raise SpecError(f"expected sizes of at least 0; got {list(self.sizes)}", ("sizes",))

    @property
    def alike(self) -> Alike | None:
        """Which words spelt alike are the dictionary; None where files are."""
        return cast(Alike, self.train) if self.train in get_args(Alike) else None


def _is_pattern(text: str) -> bool:
    return "{pair}" in text or ("{source}" in text and "{target}" in text)
