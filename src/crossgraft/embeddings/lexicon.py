"""A bilingual dictionary: pairs of words from a text file, in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.spaces.space import Case, Space
from crossgraft.errors import DataError
from crossgraft.safety.opening import is_file, text_lines

Pairs = npt.NDArray[np.int64]  # (n, 2): row in the source space, row in the target space
Alike = Literal["identical", "numerals"]  # dictionaries that two vocabularies give of themselves
Mask = npt.NDArray[np.bool_]  # (n,): which lines

EDGES = (1_000, 5_000, 20_000)  # the last ranks of bands of frequency
_MOST_PAIRS = 2_000_000  # of a dictionary; the largest there are have some 100,000
_NUMERAL = re.compile(r"[0-9]+")  # as in VecMap
_FLIPPED = 2.0  # times as many entries known in the other direction: written that way


@dataclass(frozen=True)
class Lexicon:
    """Translations; a source word may have several."""

    pairs: tuple[tuple[str, str], ...]
    file: Path

    def flipped(self) -> Lexicon:
        return Lexicon(tuple((target, source) for source, target in self.pairs), self.file)

    def first(self, size: int) -> Lexicon:
        """The first pairs of the file, which by custom are the most frequent; 0 keeps all."""
        return Lexicon(self.pairs[:size] if size else self.pairs, self.file)

    def only(self, lines: Mask) -> Lexicon:
        """The pairs on some of its lines."""
        return Lexicon(tuple(pair for pair, kept in zip(self.pairs, lines, strict=True) if kept), self.file)

    def rows(self, source: Space, target: Space) -> Pairs:
        """The pairs of which both words are in the vocabularies, as rows of the spaces."""
        known = [(source.index[x], target.index[y]) for x, y in self.pairs if x in source.index and y in target.index]
        return np.array(known, dtype=np.int64).reshape(-1, 2)

    def golds(self) -> dict[str, list[str]]:
        """Source word → its translations, each once, in the order of the file."""
        found: dict[str, dict[str, None]] = {}
        for source, target in self.pairs:
            found.setdefault(source, {})[target] = None
        return {source: list(targets) for source, targets in found.items()}

    def repeated(self) -> Mask:
        """Lines that say what a line before them says."""
        first = {pair: line for line, pair in reversed(list(enumerate(self.pairs)))}
        return np.array([first[pair] < line for line, pair in enumerate(self.pairs)], dtype=bool)

    def identical(self) -> Mask:
        """Lines whose two words are the same string."""
        return np.array([source == target for source, target in self.pairs], dtype=bool)


@dataclass(frozen=True, eq=False)
class Leakage:
    """Which lines of a test dictionary its training dictionary gives away, and which are there twice."""

    pair: Mask  # the same pair is in training
    source: Mask  # its source word is in training, with whichever translation
    repeated: Mask  # the same pair is on an earlier line of the test
    of: str = "training"  # what the other dictionary is for

    @property
    def strict(self) -> Mask:
        """The lines left when all of these are dropped."""
        return ~(self.pair | self.source | self.repeated)

    @property
    def notes(self) -> tuple[str, ...]:
        """Counts in words; nothing for a clean split."""
        return (*self.shared, *_counted((self.repeated, "lines of the test dictionary repeat an earlier one")))

    @property
    def shared(self) -> tuple[str, ...]:
        """The counts of what the other dictionary gives away."""
        return _counted(
            (self.pair, f"pairs of the test dictionary are also in the {self.of} dictionary"),
            (self.source & ~self.pair, f"pairs of the test dictionary have a source word of the {self.of} dictionary"),
        )


def _counted(*counts: tuple[Mask, str]) -> tuple[str, ...]:
    return tuple(f"{lines.sum()} {what}" for lines, what in counts if lines.any())


def leaks(train: Lexicon, test: Lexicon, of: str = "training") -> Leakage:
    """Compare a test dictionary with the training dictionary, or another one, of the same direction and case."""
    pairs, sources = set(train.pairs), {source for source, _ in train.pairs}
    return Leakage(
        np.array([pair in pairs for pair in test.pairs], dtype=bool),
        np.array([source in sources for source, _ in test.pairs], dtype=bool),
        test.repeated(),
        of,
    )


def alike(source: Space, target: Space, kind: Alike) -> Pairs:
    """The words of both vocabularies that are spelt the same, in the order of the source: all, or those of digits only."""
    rows = [(row, target.index[word]) for row, word in enumerate(source.words) if word in target.index]
    if kind == "numerals":
        rows = [(row, other) for row, other in rows if _NUMERAL.fullmatch(source.words[row])]
    if not rows:
        what = "numeral" if kind == "numerals" else "word"
        raise DataError(f"no {what} is written the same in both vocabularies; vecmap:unsupervised needs none")
    return np.array(rows, dtype=np.int64)


def alike_pairs(source: Space, target: Space, kind: Alike) -> Lexicon:
    """The same as a dictionary; its file is the name of its kind."""
    rows = alike(source, target, kind)
    return Lexicon(tuple((source.words[row], target.words[other]) for row, other in rows), Path(kind))


def kind_of(dictionary: str | Path) -> Alike | None:
    """Which words spelt alike the name of a dictionary stands for; None for a file, also one of such a name.

    >>> kind_of("numerals"), kind_of("de-en.tsv")
    ('numerals', None)
    """
    name = str(dictionary)
    return cast(Alike, name) if name in get_args(Alike) and not is_file(name) else None


def frequency_bands(rows: npt.NDArray[np.int64], edges: tuple[int, ...] = EDGES) -> npt.NDArray[np.str_]:
    """The band of each row of a space by its rank, such as "1K-5K" for ranks 1,001 to 5,000; "" for a row below 0.

    >>> frequency_bands(np.array([0, 999, 1000, 70_000, -1])).tolist()
    ['1-1K', '1-1K', '1K-5K', '20K+', '']
    """
    labels = band_names(edges)
    chosen = np.array([*labels, ""])
    return chosen[np.where(rows < 0, len(labels), np.searchsorted(np.array(edges), rows, side="right"))]


def band_names(edges: tuple[int, ...] = EDGES) -> tuple[str, ...]:
    """The bands from frequent to rare.

    >>> band_names()
    ('1-1K', '1K-5K', '5K-20K', '20K+')
    """
    ends = ["1", *(f"{edge // 1000}K" if edge % 1000 == 0 else str(edge) for edge in edges)]
    return (*(f"{first}-{last}" for first, last in pairwise(ends)), f"{ends[-1]}+")


def shuffled(pairs: Pairs, rng: np.random.Generator) -> Pairs:
    """The same source and target rows, matched at random."""
    return np.stack([pairs[:, 0], rng.permutation(pairs[:, 1])], axis=1)


def direction_note(lexicon: Lexicon, source: Space, target: Space) -> str:
    """A sentence when the dictionary seems to be written target first: more of it is known that way; else ""."""
    known, flipped = len(lexicon.rows(source, target)), len(lexicon.flipped().rows(source, target))
    if flipped <= _FLIPPED * known:
        return ""
    return (
        f"the dictionary {lexicon.file.name} seems to be written in the other direction: as it is, {known} of its "
        f"{len(lexicon.pairs)} pairs are in both vocabularies; with its columns swapped, {flipped}"
    )


def read_lexicon(path: str | Path, *, case: Case = "keep") -> Lexicon:
    """Two words or phrases a line, with a tab between; in a file without tabs, two words with spaces between.

    Blank lines and lines that begin with # are passed over; the file may be gzipped, or alone in a zip.
    """
    file = Path(path)
    seen = file.stat() if is_file(file) else None
    return _lexicon(file, case, (seen.st_size, seen.st_mtime_ns) if seen else (0, 0))


@lru_cache(6)  # training, validation and test of a pair, which every job of the pair asks for
def _lexicon(file: Path, case: Case, _: tuple[int, int]) -> Lexicon:
    separator = "\t" if any("\t" in line for _, line in islice(_lines(file), _MOST_PAIRS)) else None
    words: dict[str, str] = {}  # each word once in memory
    pairs: list[tuple[str, str]] = []
    for number, line in _lines(file):
        if len(pairs) == _MOST_PAIRS:
            raise DataError(f"{file}, line {number}: expected at most {_MOST_PAIRS:,} pairs; this is no dictionary")
        source, target = _pair(file, number, line, separator, case)
        pairs.append((words.setdefault(source, source), words.setdefault(target, target)))
    return Lexicon(tuple(pairs), file)


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Numbers and texts of the lines that say something."""
    return ((number, line) for number, line in text_lines(file) if line.strip() and not line.startswith("#"))


def _pair(file: Path, number: int, line: str, separator: str | None, case: Case) -> tuple[str, str]:
    parts = [part.strip() for part in line.split(separator)]
    if len(parts) != 2 or not all(parts):
        how = "a tab" if separator else "spaces (phrases need a tab)"
        raise DataError(f"{file}, line {number}: expected two words separated by {how}; got {line[:80]!r}")
    source, target = (part.lower() for part in parts) if case == "lower" else parts
    return source, target
