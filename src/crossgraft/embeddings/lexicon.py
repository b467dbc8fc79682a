"""A bilingual dictionary: pairs of words from a tab-separated file, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.space import Case, Space, open_text
from crossgraft.errors import DataError

Pairs = npt.NDArray[np.int64]  # (n, 2): row in the source space, row in the target space


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


def read_lexicon(path: str | Path, *, case: Case = "keep") -> Lexicon:
    """Word TAB word, one pair a line; blank lines and lines that begin with # are passed over."""
    file = Path(path)
    return Lexicon(tuple(_pairs(file, case)), file)


def _pairs(file: Path, case: Case) -> Iterator[tuple[str, str]]:
    try:
        with open_text(file) as stream:
            for number, line in enumerate(stream, 1):
                line = line.rstrip("\r\n")
                if not line.strip() or line.startswith("#"):
                    continue
                parts = [part.strip() for part in line.split("\t")]
                if len(parts) != 2 or not all(parts):
                    raise DataError(f"{file}, line {number}: expected two words separated by a tab; got {line[:80]!r}")
                source, target = (part.lower() for part in parts) if case == "lower" else parts
                yield source, target
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: expected UTF-8 text; {error.reason} at byte {error.start} of a block") from None
