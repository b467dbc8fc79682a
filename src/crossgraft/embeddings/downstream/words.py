"""The words of a text, and under which form each of them is in a vocabulary."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crossgraft.safety.opening import text_lines

_GAPS = "PSZC"  # Unicode categories that separate words: punctuation, symbols, spaces, control characters


class _Gaps(dict[int, int]):
    """Character → itself, or a space; filled as characters are met."""

    def __missing__(self, code: int) -> int:
        self[code] = ord(" ") if unicodedata.category(chr(code))[0] in _GAPS else code
        return self[code]


_TABLE = _Gaps()


def words_of(text: str, *, shortest: int = 1, without: frozenset[str] = frozenset()) -> list[str]:
    """The words of a text in their order: whatever stands between spaces and punctuation.

    Short words and those in ``without`` (lower-case) are left out. A script without spaces must have been segmented.

    >>> words_of("L'assemblée, 3 mwp!", shortest=2)
    ['assemblée', 'mwp']
    """
    found = text.translate(_TABLE).split()
    return [word for word in found if len(word) >= shortest and word.lower() not in without]


def plain(word: str) -> str:
    """A word without its accents.

    >>> plain("Übergröße")
    'Ubergroße'
    """
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFD", word)
    return "".join(part for part in parts if not unicodedata.combining(part))


@dataclass(frozen=True)
class LookUp:
    """Words to rows of a vocabulary: as they are written, else lower-case, else without accents, else both."""

    index: Mapping[str, int]
    _known: dict[str, tuple[str, int]] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, word: str) -> tuple[str, int]:
        """The form that the vocabulary has, and its row; lower-case and -1 where it has none."""
        if word not in self._known:
            self._known[word] = self._known_form(word)
        return self._known[word]

    def _known_form(self, word: str) -> tuple[str, int]:
        for form in _forms(word):
            if form in self.index:
                return form, self.index[form]
        return word.lower(), -1


def _forms(word: str) -> Iterator[str]:
    yield word
    yield word.lower()
    if not word.isascii():  # most words that a vocabulary lacks end here
        bare = plain(word)
        yield bare
        yield bare.lower()


def read_stop_words(path: str | Path) -> frozenset[str]:
    """One word a line, lower-cased."""
    return frozenset(_lowered(line for _, line in text_lines(Path(path))))


def _lowered(lines: Iterable[str]) -> Iterable[str]:
    return (line.strip().lower() for line in lines if line.strip())
