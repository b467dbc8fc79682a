"""Which installed fonts have the letters of the labels: a first family, and for what it lacks the family that has most of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from matplotlib.font_manager import FontEntry, FontPath, findSystemFonts, fontManager, get_font

from crossgraft.report.scripts import region, script

_FIRST = "DejaVu Sans"  # comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian, Georgian
_NO_FONT = "Last Resort"  # its glyphs are boxes


@dataclass(frozen=True)
class Fonts:
    """Families in the order in which a letter is looked for, and letters that no installed font has."""

    families: tuple[str, ...]
    missing: frozenset[str]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Where letters come from that the first family lacks, and what is missing, by script."""
        sentences = []
        if others := self.families[1:]:
            sentences.append(f"Figures take letters that {_FIRST} lacks from {' and '.join(others)}.")
        if self.missing:
            scripts = ", ".join(sorted({script(letter) for letter in self.missing}))
            shown = "".join(sorted(self.missing)[:8])
            sentences.append(
                f"No installed font has the letters {shown} ({scripts}): they are drawn as boxes; install a font that has them, such as one of Noto."
            )
        return tuple(sentences)


def fonts_for(labels: Iterable[str]) -> Fonts:
    """The fewest families that have all letters, as far as installed fonts go."""
    missing = {letter for label in labels for letter in label if _is_drawn(letter)} - _letters_of(_FIRST)
    families = [_FIRST]
    if missing:
        _find_new_fonts()
    while missing:
        best = max(sorted(_families()), key=lambda family: (len(missing & _letters_of(family)), _fit(family, missing)))
        if not missing & _letters_of(best):
            break
        families.append(best)
        missing -= _letters_of(best)
    return Fonts(tuple(families), frozenset(missing))


def _fit(family: str, letters: Collection[str]) -> tuple[bool, ...]:
    """Of families with the same letters: the form of the letters that the language has, then letters without serifs."""
    return family.endswith(f" {region(letters)}"), "Mono" not in family, "Serif" not in family


def _find_new_fonts() -> None:
    """matplotlib remembers the fonts that were there when it first ran; what has been installed since is added."""
    known = {entry.fname for entry in fontManager.ttflist}
    for file in sorted(set(findSystemFonts()) - known):
        with suppress(OSError, RuntimeError, ValueError):  # not a font that it can read
            fontManager.addfont(file)


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
    face = _families().get(family)
    return _letters(face.fname, face.index) if face else frozenset()


@cache
def _letters(file: str, index: int) -> frozenset[str]:
    return frozenset(map(chr, get_font(FontPath(file, index)).get_charmap()))
