"""Do languages that are alike help each other more? Transfer of ordered language pairs against how little they share.

By a small table of plain facts, the share of family, genus, script and basic word order that differ; or, with the extra
lang2vec, by the distances the paper has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.paper.uriel import cosine_distance, vectors
from crossgraft.core import Floats
from crossgraft.stats.matrices.mantel import mantel
from crossgraft.stats.matrices.patterns import centred

_LEAST = 4  # three languages have 6 relabelings
_FEW = 120  # relabelings up to which p is coarse
_SEED = 0

FACTS: dict[str, tuple[str, str, str, str]] = {  # family, genus, script, order of subject, object and verb
    "am": ("Afro-Asiatic", "Semitic", "Ethiopic", "SOV"),
    "ar": ("Afro-Asiatic", "Semitic", "Arabic", "VSO"),
    "bg": ("Indo-European", "Slavic", "Cyrillic", "SVO"),
    "bn": ("Indo-European", "Indic", "Bengali", "SOV"),
    "cs": ("Indo-European", "Slavic", "Latin", "SVO"),
    "da": ("Indo-European", "Germanic", "Latin", "SVO"),
    "de": ("Indo-European", "Germanic", "Latin", "none dominant"),
    "el": ("Indo-European", "Greek", "Greek", "none dominant"),
    "en": ("Indo-European", "Germanic", "Latin", "SVO"),
    "es": ("Indo-European", "Romance", "Latin", "SVO"),
    "et": ("Uralic", "Finnic", "Latin", "SVO"),
    "eu": ("Basque", "Basque", "Latin", "SOV"),
    "fa": ("Indo-European", "Iranian", "Arabic", "SOV"),
    "fi": ("Uralic", "Finnic", "Latin", "SVO"),
    "fr": ("Indo-European", "Romance", "Latin", "SVO"),
    "he": ("Afro-Asiatic", "Semitic", "Hebrew", "SVO"),
    "hi": ("Indo-European", "Indic", "Devanagari", "SOV"),
    "hu": ("Uralic", "Ugric", "Latin", "none dominant"),
    "id": ("Austronesian", "Malayic", "Latin", "SVO"),
    "it": ("Indo-European", "Romance", "Latin", "SVO"),
    "ja": ("Japonic", "Japanese", "Japanese", "SOV"),
    "ko": ("Koreanic", "Korean", "Hangul", "SOV"),
    "mr": ("Indo-European", "Indic", "Devanagari", "SOV"),
    "nl": ("Indo-European", "Germanic", "Latin", "none dominant"),
    "pl": ("Indo-European", "Slavic", "Latin", "SVO"),
    "pt": ("Indo-European", "Romance", "Latin", "SVO"),
    "ro": ("Indo-European", "Romance", "Latin", "SVO"),
    "ru": ("Indo-European", "Slavic", "Cyrillic", "SVO"),
    "sv": ("Indo-European", "Germanic", "Latin", "SVO"),
    "sw": ("Niger-Congo", "Bantu", "Latin", "SVO"),
    "ta": ("Dravidian", "Southern Dravidian", "Tamil", "SOV"),
    "te": ("Dravidian", "South-Central Dravidian", "Telugu", "SOV"),
    "th": ("Tai-Kadai", "Tai", "Thai", "SVO"),
    "tr": ("Turkic", "Turkic", "Latin", "SOV"),
    "uk": ("Indo-European", "Slavic", "Cyrillic", "SVO"),
    "ur": ("Indo-European", "Indic", "Arabic", "SOV"),
    "vi": ("Austroasiatic", "Vietic", "Latin", "SVO"),
    "yo": ("Niger-Congo", "Defoid", "Latin", "SVO"),
    "zh": ("Sino-Tibetan", "Chinese", "Han", "SVO"),
    "zu": ("Niger-Congo", "Bantu", "Latin", "SVO"),
}


@dataclass(frozen=True)
class Typology:
    """Spearman of the mean change of ordered language pairs (same task, mean over models and tasks) with their distance."""

    languages: tuple[str, ...]  # of which the facts are known
    unknown: tuple[str, ...]
    pairs: int = 0
    rho: float | None = None  # of changes as they are, the paper's
    p: float | None = None  # two-sided, by relabelling languages
    beyond: float | None = None  # of what donor and recipient language leave of them
    beyond_p: float | None = None
    relabelings: int = 0
    why: str = ""  # no correlation, or p is coarse


def distance(one: str, other: str) -> float:
    """The share of the four facts in which two languages differ.

    >>> distance("es", "it"), distance("en", "de"), distance("en", "zh")
    (0.0, 0.25, 0.75)
    """
    return sum(a != b for a, b in zip(FACTS[one], FACTS[other], strict=True)) / 4


def typology(draws: Draws, uriel_set: str = "") -> Typology:
    """Over the cells on the same task in another language; by the table of facts, or by a feature set of URIEL."""
    groups: dict[tuple[str, str], list[float]] = {}
    for cell in select.same_task(select.trained(draws.cells)):
        if cell.row.source:
            groups.setdefault((cell.row.source.lang, cell.target.lang), []).append(cell.change.mean)
    seen = sorted({language for pair in groups for language in pair})
    between = _distances(seen, uriel_set)
    known = tuple(language for language in seen if (language, language) in between)
    unknown = tuple(language for language in seen if language not in known)
    if len(known) < _LEAST:
        return Typology(
            known, unknown, why=f"{len(known)} languages of known type are too few: four have 24 relabelings"
        )
    change = np.array([[np.mean(groups.get((s, t), [np.nan])) for t in known] for s in known])
    apart = np.array([[between[s, t] for t in known] for s in known])
    return _typology(known, unknown, change, apart)


def _distances(languages: Sequence[str], uriel_set: str) -> dict[tuple[str, str], float]:
    """Of all ordered pairs of those languages that the table, or URIEL, has."""
    if uriel_set:
        known = vectors(languages, uriel_set)
        return {(s, t): cosine_distance(known[s], known[t]) for s in known for t in known}
    named = [language for language in languages if language in FACTS]
    return {(s, t): distance(s, t) for s in named for t in named}


def _typology(known: Sequence[str], unknown: Sequence[str], change: Floats, apart: Floats) -> Typology:
    pairs = int((~np.isnan(change)).sum())
    raw = mantel(change, apart, np.random.default_rng(_SEED))
    if raw is None:
        return Typology(
            tuple(known), tuple(unknown), pairs, why="all language pairs are as far apart, or changed alike"
        )
    present = ~np.isnan(change)
    residual = np.where(present, centred(np.where(present, change, 0.0), present), np.nan)
    beyond = mantel(residual, apart, np.random.default_rng(_SEED))
    why = ""
    if raw.exact and raw.relabelings <= _FEW:
        why = f"{len(known)} languages have {raw.relabelings} relabelings: p cannot be below {1 / raw.relabelings:.3f}"
    return Typology(
        tuple(known),
        tuple(unknown),
        pairs,
        raw.rho,
        raw.p,
        beyond.rho if beyond else None,
        beyond.p if beyond else None,
        raw.relabelings,
        why,
    )
