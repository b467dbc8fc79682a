"""One mapping without a study: two files of vectors, perhaps a dictionary, and a method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Table
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crossgraft import __version__
from crossgraft.embeddings.lexicon import Lexicon, Pairs, direction_note, read_lexicon
from crossgraft.embeddings.mapped import Mapped, write
from crossgraft.embeddings.mapping import Mapper, Mapping, is_disbelieved, is_unsettled, mapper
from crossgraft.embeddings.memory import available_memory, refuse_too_many
from crossgraft.embeddings.outputs import new_folder, writing
from crossgraft.embeddings.readers import glance
from crossgraft.embeddings.space import Case, Space, Step, read_space
from crossgraft.errors import DataError, SpecError
from crossgraft.fingerprints import FingerprintCache
from crossgraft.spec import convert, override

NORMALISE: tuple[Step, ...] = ("unit", "center", "unit")
_IN_USE = 6  # vocabularies' vectors at once: both as read, normalised and mapped


@dataclass(frozen=True)
class Wanted:
    """What to map onto what, and how. ``settings`` are key=value texts for the method."""

    source: Path
    target: Path
    method: str = "procrustes"
    dictionary: Path | None = None
    settings: Sequence[str] = ()
    normalise: str = ""  # steps with commas between them; "": the method's own, else unit,center,unit
    top: int = 200_000
    case: Case = "keep"
    seed: int = 1

    def chosen(self) -> Mapper:
        """The method, or an error where it and the dictionary do not go together."""
        table: dict[str, Any] = {}
        for text in self.settings:
            override(table, text)
        method = mapper(self.method, table)
        if method.uses_dictionary and self.dictionary is None:
            raise SpecError(f"the method {self.method!r} needs a dictionary: give one with --dictionary FILE")
        if not method.uses_dictionary and self.dictionary is not None:
            raise SpecError(f"the method {self.method!r} uses no dictionary: leave out --dictionary {self.dictionary}")
        return method

    def steps(self, method: Mapper) -> tuple[Step, ...]:
        if not self.normalise:
            return NORMALISE if method.normalise is None else method.normalise
        try:
            steps: tuple[Step, ...] = convert(self.normalise.split(","), tuple[Step, ...], ())
        except SpecError as error:
            raise SpecError(f"--normalise: {error}") from None
        return steps


def fit_into(folder: Path, wanted: Wanted, *, text: bool = False) -> Mapped:
    """Fit and write a new folder; a place that cannot be written to is found before the work."""
    with new_folder(folder) as partial:
        mapped = fit(wanted)
        with writing(folder):
            write(mapped, partial, text=text)
    return mapped


def fit(wanted: Wanted) -> Mapped:
    """Read, normalise, fit and map."""
    method = wanted.chosen()
    steps = wanted.steps(method)
    lexicon = read_lexicon(wanted.dictionary, case=wanted.case) if wanted.dictionary else None
    files = (wanted.source, wanted.target)
    _look_ahead(wanted)
    read = [read_space(file, top=wanted.top, case=wanted.case) for file in files]
    source, target = (space.normalised(steps) for space in read)
    pairs, notes = _known(lexicon, source, target) if lexicon else (np.empty((0, 2), dtype=np.int64), [])
    mapping = method.fit(source, target, pairs, np.random.default_rng(wanted.seed))
    cache = FingerprintCache()
    return Mapped(
        Space(source.words, mapping.map_source(source.vectors)),
        Space(target.words, mapping.map_target(target.vectors)),
        mapping,
        {"source": source.normaliser, "target": target.normaliser},
        {
            "crossgraft": __version__,
            "method": wanted.method,
            "settings": asdict(method),  # type: ignore[call-overload]  # a dataclass
            "seed": wanted.seed if method.stochastic else None,
            "normalise": list(steps),
            "case": wanted.case,
            "top": wanted.top,
            "source": _described(wanted.source, source, cache),
            "target": _described(wanted.target, target, cache),
            "dictionary": _dictionary(lexicon, pairs, cache) if lexicon else None,
            "facts": dict(mapping.facts),
            "notes": [
                *(f"{file}: {note}" for file, one in zip(files, read, strict=True) for note in one.notes),
                *notes,
                *_doubts(wanted.method, method, mapping),
            ],
        },
    )


def fact_lines(facts: Table[str, Any]) -> Iterator[str]:
    """What a fit says of itself, a line a fact; of a course of values the first, the last and how many are kept.

    >>> list(fact_lines({"rounds": 3, "objective": [0.25, 0.5, 0.875]}))
    ['rounds: 3', 'objective: 0.25 → 0.875, 3 values']
    """
    for name, value in facts.items():
        if isinstance(value, list) and len(value) > 1:
            yield f"{name}: {_short(value[0])} → {_short(value[-1])}, {len(value)} values"
        else:
            yield f"{name}: {_short(value[0] if isinstance(value, list) and value else value)}"


def _short(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _doubts(name: str, method: Mapper, mapping: Mapping) -> Iterator[str]:
    """What a method without a dictionary says of a result that it does not believe."""
    if is_disbelieved(method, mapping):
        again = "another --seed, or " if method.stochastic else ""
        yield f"{name} does not believe its own result, which is likely to be worthless; try {again}a method with a dictionary"
    elif is_unsettled(method, mapping):
        yield f"{name} stopped before its pairs had settled; a larger --set rounds=N lets it go on"


def _look_ahead(wanted: Wanted) -> None:
    """Raise where the beginnings of the files say that they do not go together, or take too much memory."""
    source, target = (glance(file, wanted.top) for file in (wanted.source, wanted.target))
    if source.width != target.width:
        raise DataError(
            f"a mapping needs spaces of one width; {wanted.source} has {source.width} dimensions, "
            f"{wanted.target} {target.width}"
        )
    memory = available_memory()
    for file, side in ((wanted.source, source), (wanted.target, target)):
        refuse_too_many(file, side.words or 0, side.width, memory, copies=_IN_USE)


def _known(lexicon: Lexicon, source: Space, target: Space) -> tuple[Pairs, list[str]]:
    """The rows of the dictionary's words, and notes if the columns seem to be swapped or the pairs are too few."""
    if not lexicon.pairs:
        raise DataError(f"{lexicon.file}: the dictionary is empty")
    pairs = lexicon.rows(source, target)
    turned = direction_note(lexicon, source, target)
    if len(pairs) == 0:
        why = turned or "check the languages of the files, and whether it takes --case lower"
        raise DataError(f"{lexicon.file}: no entry has both its words in the vocabularies; {why}")
    notes = [turned] if turned else []
    if len(pairs) < source.width:
        notes.append(
            f"{lexicon.file}: {len(pairs)} of {len(lexicon.pairs)} pairs known, for {source.width} dimensions, leave the mapping undetermined; "
            "methods that find more pairs by themselves, such as proc-b:growing or vecmap:semi-supervised, may still find it"
        )
    return pairs, notes


def _described(file: Path, space: Space, cache: FingerprintCache) -> dict[str, Any]:
    return {
        "file": str(file),
        "sha256": cache.of_file(file),
        "words": len(space.words),
        "dimensions": space.width,
        "steps": len(space.normaliser.steps),
    }


def _dictionary(lexicon: Lexicon, pairs: Pairs, cache: FingerprintCache) -> dict[str, Any]:
    return {
        "file": str(lexicon.file),
        "sha256": cache.of_file(lexicon.file),
        "pairs": len(lexicon.pairs),
        "known": len(pairs),
    }
