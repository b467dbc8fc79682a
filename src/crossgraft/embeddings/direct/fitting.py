"""One mapping without a study: two files of vectors, perhaps a dictionary, and a method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Table
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np

from crossgraft import __version__
from crossgraft.embeddings.direct.choosing import Tried, choose, held_out, learnt_by, validated
from crossgraft.embeddings.direct.mapped import Mapped, write
from crossgraft.embeddings.direct.outputs import new_folder, writing
from crossgraft.embeddings.lexicon import Alike, Lexicon, Pairs, alike_pairs, direction_note, kind_of, read_lexicon
from crossgraft.embeddings.mapping import Mapper, Mapping, is_unsettled, mapper, reports_failure
from crossgraft.embeddings.readers import peek
from crossgraft.embeddings.spaces.memory import available_memory, refuse_too_many
from crossgraft.embeddings.spaces.space import Case, Space, Step, read_space
from crossgraft.errors import DataError, SpecError
from crossgraft.runs.fingerprints import FingerprintCache
from crossgraft.spec import convert, override
from crossgraft.stats.cells.levels import Level

NORMALISE: tuple[Step, ...] = ("unit", "center", "unit")
_IN_USE = 6  # vocabularies' vectors at once: both as read, normalised and mapped


@dataclass(frozen=True)
class MapRequest:
    """What to map onto what, and how.

    ``settings`` are key=value texts for the method; with several values, key=v1,v2, ``validate`` chooses one.
    """

    source: Path
    target: Path
    method: str = "procrustes"
    dictionary: Path | None = None  # or "identical" or "numerals": the words, or numbers, that are spelt alike
    settings: Sequence[str] = ()
    normalise: str = ""  # steps with commas between them; "": the method's own, else unit,center,unit
    top: int = 200_000
    case: Case = "keep"
    seed: int = 1
    validate: Path | None = None

    def __post_init__(self) -> None:
        """Files may be given as texts."""
        for name in ("source", "target", "dictionary", "validate"):
            if (file := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(file))

    def candidates(self) -> dict[tuple[str, ...], Mapper]:
        """The method by each choice of settings, or an error where it and the dictionary do not go together."""
        choices = [_values(text) for text in self.settings]
        if self.validate is None and any(len(texts) > 1 for texts in choices):
            raise SpecError("--set KEY=V1,V2 chooses by a validation dictionary: give one with --validate FILE")
        return {texts: self._method(texts) for texts in product(*choices)}

    def _method(self, settings: Sequence[str]) -> Mapper:
        table: dict[str, Any] = {}
        for text in settings:
            override(table, text)
        method = mapper(self.method, table)
        if method.uses_dictionary and self.dictionary is None:
            raise SpecError(
                f"the method {self.method!r} needs a dictionary: give one with --dictionary FILE, or --dictionary "
                "identical for the words that both vocabularies spell alike"
            )
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


def fit_into(folder: Path, wanted: MapRequest, *, text: bool = False) -> Mapped:
    """Fit and write a new folder; a place that cannot be written to is found before the work."""
    with new_folder(folder) as partial:
        mapped = map_spaces(wanted)
        with writing(folder):
            write(mapped, partial, text=text)
    return mapped


def map_spaces(wanted: MapRequest) -> Mapped:
    """Read, normalise, fit, choose and map."""
    candidates = wanted.candidates()
    kind = kind_of(wanted.dictionary) if wanted.dictionary else None
    lexicon = read_lexicon(wanted.dictionary, case=wanted.case) if wanted.dictionary and not kind else None
    validation = read_lexicon(wanted.validate, case=wanted.case) if wanted.validate else None
    files = (wanted.source, wanted.target)
    _look_ahead(wanted)
    read = [read_space(file, top=wanted.top, case=wanted.case) for file in files]
    words = (read[0], read[1])
    if kind:
        lexicon = alike_pairs(*words, kind)
    pairs, notes = _known(lexicon, *words) if lexicon else (np.empty((0, 2), dtype=np.int64), [])
    if lexicon and not kind and str(lexicon.file) in get_args(Alike):
        notes.append(f"the dictionary is the file {str(lexicon.file)!r}, not the words that are spelt alike")
    learnt = [one for method in candidates.values() for one in learnt_by(method, lexicon, *words)]
    left = held_out(validation, learnt, *words) if validation else None

    @lru_cache(1)
    def spaces(steps: tuple[Step, ...]) -> tuple[Space, Space]:
        return words[0].normalised(steps), words[1].normalised(steps)

    def fitted(method: Mapper) -> Mapping:
        return method.fit(*spaces(wanted.steps(method)), pairs, np.random.default_rng(wanted.seed))

    def scored(method: Mapper, mapping: Mapping) -> Level | None:
        return validated(mapping, left, *spaces(wanted.steps(method))) if left else None

    best, tried = choose(list(candidates.values()), fitted, scored)
    steps = wanted.steps(best.method)
    source, target = spaces(steps)
    mapping = best.mapping
    cache = FingerprintCache()
    return Mapped(
        Space(source.words, mapping.map_source(source.vectors)),
        Space(target.words, mapping.map_target(target.vectors)),
        mapping,
        {"source": source.normaliser, "target": target.normaliser},
        {
            "crossgraft": __version__,
            "method": wanted.method,
            "settings": asdict(best.method),  # type: ignore[call-overload]  # a dataclass
            "seed": wanted.seed if best.method.stochastic else None,
            "normalise": list(steps),
            "case": wanted.case,
            "top": wanted.top,
            "source": _described(wanted.source, source, cache),
            "target": _described(wanted.target, target, cache),
            "dictionary": _dictionary(lexicon, kind, pairs, cache) if lexicon else None,
            "validation": _validation(validation, left, zip(candidates, tried, strict=True), best, cache)
            if validation and left
            else None,
            "facts": dict(mapping.facts),
            "notes": [
                *(f"{file}: {note}" for file, space in zip(files, read, strict=True) for note in space.notes),
                *notes,
                *_doubts(wanted.method, best.method, mapping),
            ],
        },
        left,
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


def validation_lines(told: Table[str, Any] | None) -> Iterator[str]:
    """The validation dictionary, and what each choice of parameters reached on it."""
    if not told:
        return
    left_out = f"; {told['left_out']} with a word of the training dictionary are left out" if told["left_out"] else ""
    yield f"validation: {told['pairs']} pairs of {told['file']}{left_out}"
    for one in told["scores"]:
        name = ", ".join(one["settings"]) or "the defaults"
        if "failed" in one:
            yield f"  {name}: failed: {one['failed']}"
        else:
            chosen = "  chosen" if one["chosen"] and len(told["scores"]) > 1 else ""
            yield f"  {name}: MAP {one['MAP']:.3f} [{one['low']:.3f}, {one['high']:.3f}]  n = {one['n']}{chosen}"


def _short(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _doubts(name: str, method: Mapper, mapping: Mapping) -> Iterator[str]:
    """What a method without a dictionary says of a result that failed its criterion."""
    if reports_failure(method, mapping):
        again = "another --seed, or " if method.stochastic else ""
        yield f"{name} did not converge (its unsupervised criterion failed), so this mapping is probably unusable; try {again}a method with a dictionary"
    elif is_unsettled(method, mapping):
        yield f"{name} stopped before its pairs had settled; a larger --set rounds=N lets it go on"


def _look_ahead(wanted: MapRequest) -> None:
    """Raise where the beginnings of the files say that they do not go together, or take too much memory."""
    source, target = (peek(file, wanted.top) for file in (wanted.source, wanted.target))
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


def _dictionary(lexicon: Lexicon, kind: Alike | None, pairs: Pairs, cache: FingerprintCache) -> dict[str, Any]:
    counts = {"pairs": len(lexicon.pairs), "known": len(pairs)}
    if kind:
        return {"alike": kind, **counts}
    return {"file": str(lexicon.file), "sha256": cache.of_file(lexicon.file), **counts}


def _validation(
    whole: Lexicon,
    left: Lexicon,
    tried: Iterable[tuple[Sequence[str], Tried | str]],
    best: Tried,
    cache: FingerprintCache,
) -> dict[str, Any]:
    return {
        "file": str(whole.file),
        "sha256": cache.of_file(whole.file),
        "pairs": len(whole.pairs),
        "left_out": len(whole.pairs) - len(left.pairs),  # with a word of the training dictionary
        "scores": [{"settings": list(texts), **_score(one, best)} for texts, one in tried],
    }


def _score(one: Tried | str, best: Tried) -> dict[str, Any]:
    if isinstance(one, str) or one.level is None:
        return {"failed": one}
    return {
        "MAP": one.level.mean,
        "low": one.level.low,
        "high": one.level.high,
        "n": one.level.n,
        "chosen": one is best,
    }


def _values(text: str) -> list[str]:
    """Each value of key=v1,v2 as a text of its own; commas within brackets stay.

    >>> _values("rounds=1,2"), _values("game={a=1, b=2}")
    (['rounds=1', 'rounds=2'], ['game={a=1, b=2}'])
    """
    key, equals, value = text.partition("=")
    pieces, depth = [""], 0
    for character in value:
        depth += (character in "[{") - (character in "]}")
        if character == "," and not depth:
            pieces.append("")
        else:
            pieces[-1] += character
    return [f"{key}{equals}{piece}" for piece in pieces]
