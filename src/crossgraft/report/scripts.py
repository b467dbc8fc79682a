"""The scripts that names are written in: which of them a text has, and in which stretches of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from itertools import groupby

LATIN, CJK, SYMBOLS = "Latin", "CJK", "Symbols"
_CJK = ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH")
_COMMON = "\u036f"  # up to here are the letters of Latin, its signs and its accents
_PUNCTUATION = range(0x2000, 0x2070)
_VIETNAMESE = range(0x1E00, 0x1F00)


def script(letter: str) -> str:
    """Latin, CJK, Symbols, or the script that the name of the letter begins with.

    >>> script("é"), script("中"), script("の"), script("ש"), script("★")
    ('Latin', 'CJK', 'CJK', 'Hebrew', 'Symbols')
    """
    if letter <= _COMMON or ord(letter) in _PUNCTUATION or ord(letter) in _VIETNAMESE:
        return LATIN
    first = unicodedata.name(letter, "SYMBOLS").split()[0]
    if first in _CJK:
        return CJK
    return first.capitalize() if unicodedata.category(letter)[0] in "LMN" else SYMBOLS


def stretches(text: str) -> Iterator[tuple[str, str]]:
    """The text in parts of one script each; a space or a sign between two words of a script is of that script too.

    >>> list(stretches("xnli/Русский язык, v2"))
    [('Latin', 'xnli/'), ('Cyrillic', 'Русский язык'), ('Latin', ', v2')]
    """
    scripts = [script(letter) for letter in text]
    for at, letter in enumerate(text):
        if unicodedata.combining(letter) and at:
            scripts[at] = scripts[at - 1]
    for start, end in _gaps(text, scripts):
        if start > 0 and end < len(text) and scripts[start - 1] == scripts[end]:
            scripts[start:end] = [scripts[end]] * (end - start)
    for name, letters in groupby(zip(scripts, text, strict=True), key=lambda pair: pair[0]):
        yield name, "".join(letter for _, letter in letters)


def _gaps(text: str, scripts: list[str]) -> Iterator[tuple[int, int]]:
    """Stretches of Latin without a letter or a digit."""
    start = 0
    for word, letters in groupby(range(len(text)), key=lambda at: scripts[at] != LATIN or text[at].isalnum()):
        end = start + len(list(letters))
        if not word:
            yield start, end
        start = end


def right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)


def region(letters: Collection[str]) -> str:
    """Whose forms of Han letters are drawn, as fonts name it: Japanese beside kana, Korean for Hangul alone, else simplified Chinese."""
    names = {unicodedata.name(letter, "").split(" ")[0] for letter in letters}
    if names & {"HIRAGANA", "KATAKANA"}:
        return "JP"
    return "KR" if "HANGUL" in names and "CJK" not in names else "SC"
