"""``[lexicon]``: the dictionaries that methods learn from, and those they choose on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, get_args

import numpy as np

from crossgraft.embeddings.lexicon import Alike, Lexicon
from crossgraft.errors import DataError, SpecError
from crossgraft.identity import item_hash

_HASHES = 2.0**64  # of item_hash


@dataclass(frozen=True)
class Lexicons:
    """``[lexicon]``: the training dictionaries, and how many of their first pairs to use (0: all).

    ``train`` is a pattern of files, or "identical" or "numerals": the words, or numbers, that both vocabularies spell
    alike. Of identical words the share ``held_out`` is kept for ``[tasks.twins]``; a word is held out in all pairs or in none.
    ``validate`` is a pattern of dictionaries that nothing learns from, on which ``methods.choose`` chooses.
    """

    train: str
    sizes: tuple[int, ...] = (0,)
    validate: str = ""
    held_out: float = 0.0  # from 0 to below 1

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
        if not 0 <= self.held_out < 1:
            raise SpecError(f"expected a share from 0 to below 1; got {self.held_out}", ("held_out",))
        if self.held_out and self.train != "identical":
            raise SpecError(
                f'words are held out of those spelt alike: set train = "identical"; got train = {self.train!r}',
                ("held_out",),
            )
        if not self.sizes or min(self.sizes) < 0:
            raise SpecError(f"expected sizes of at least 0; got {list(self.sizes)}", ("sizes",))

    @property
    def alike(self) -> Alike | None:
        """Which words spelt alike are the dictionary; None where files are."""
        return cast(Alike, self.train) if self.train in get_args(Alike) else None

    def without_held_out(self, lexicon: Lexicon) -> Lexicon:
        """The words to learn from; an error where none of a few words is left, or none is held out."""
        chances = np.array([item_hash(word, 0) / _HASHES for word, _ in lexicon.pairs])
        left = lexicon.only(chances >= self.held_out)
        if not 0 < len(left.pairs) < len(lexicon.pairs):
            raise DataError(
                f"expected words to learn from and words held out; of {len(lexicon.pairs)} words spelt alike, "
                f"{len(lexicon.pairs) - len(left.pairs)} are held out at held_out = {self.held_out}"
            )
        return left


def _is_pattern(text: str) -> bool:
    return "{pair}" in text or ("{source}" in text and "{target}" in text)
