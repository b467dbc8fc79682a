"""Which installed fonts have the letters of the labels: a first family, and for what it lacks the family that has most of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from matplotlib.font_manager import FontEntry, fontManager, get_font

_FIRST = "DejaVu Sans"  # comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian, Georgian
_NO_FONT = "Last Resort"  # its glyphs are boxes


@dataclass(frozen=True)
class Fonts:
    """Families in the order in which a letter is looked for, and letters that no installed font has."""

    families: tuple[str, ...]
    missing: frozenset[str]

    @property
    def sentence(self) -> str:
        """What is missing, by script, or nothing."""
        if not self.missing:
            return ""
        scripts = ", ".join(sorted({script(letter) for letter in self.missing}))
        shown = "".join(sorted(self.missing)[:8])
        return f"No installed font has the letters {shown} ({scripts}): they are drawn as boxes; install a font that has them, such as one of Noto."


def fonts_for(labels: Iterable[str]) -> Fonts:
    """The fewest families that have all letters, as far as installed fonts go."""
    missing = {letter for label in labels for letter in label if _is_drawn(letter)} - _letters_of(_FIRST)
    families = [_FIRST]
    while missing:
        best = max(sorted(_families()), key=lambda family: len(missing & _letters_of(family)))
        if not missing & _letters_of(best):
            break
        families.append(best)
        missing -= _letters_of(best)
    return Fonts(tuple(families), frozenset(missing))


def script(letter: str) -> str:
    """As the name of the letter begins.

    >>> script("中"), script("ש"), script("ก")
    ('CJK', 'HEBREW', 'THAI')
    """
    return unicodedata.name(letter, "UNKNOWN").split()[0]


def _is_drawn(letter: str) -> bool:
    return not letter.isspace() and unicodedata.category(letter) not in ("Cc", "Cf", "Cs")


def _families() -> dict[str, FontEntry]:
    """One upright face of each family, the one nearest to regular."""
    faces: dict[str, FontEntry] = {}
    for entry in sorted(fontManager.ttflist, key=lambda entry: (entry.style != "normal", abs(_weight(entry) - 400))):
        if not entry.name.startswith(_NO_FONT):
            faces.setdefault(entry.name, entry)
    return faces


def _weight(entry: FontEntry) -> int:
    return entry.weight if isinstance(entry.weight, int) else 400


def _letters_of(family: str) -> frozenset[str]:
    return _letters(_families()[family].fname) if family in _families() else frozenset()


@cache
def _letters(file: str) -> frozenset[str]:
    return frozenset(map(chr, get_font(file).get_charmap()))
