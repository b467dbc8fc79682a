"""Parameters chosen on a validation dictionary, whose pairs the method does not learn from: the highest MAP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast, get_args

from crossgraft.embeddings.lexicon import Alike, Lexicon, alike_pairs, direction_note
from crossgraft.embeddings.mapping import Mapper, Mapping
from crossgraft.embeddings.queries import queries, ranked
from crossgraft.embeddings.spaces.space import Space
from crossgraft.errors import DataError, JobFailed
from crossgraft.metrics import METRICS
from crossgraft.stats.cells.levels import Level, share_level


@dataclass(frozen=True, eq=False)
class Tried:
    """A method with its parameters, its map, and the MAP of that on the validation dictionary, where there is one."""

    method: Mapper
    mapping: Mapping
    level: Level | None


def choose(
    methods: Sequence[Mapper], fit: Callable[[Mapper], Mapping], score: Callable[[Mapper, Mapping], Level | None]
) -> tuple[Tried, list[Tried | str]]:
    """The best of all (of equal ones the first), and all; a fit that failed among several is what it said."""
    tried: list[Tried | str] = []
    for method in methods:
        try:
            mapping = fit(method)
        except (JobFailed, DataError) as error:
            if len(methods) == 1 or not getattr(error, "deterministic", True):
                raise  # what may go well the next time must not decide a choice
            tried.append(str(error))
        else:
            tried.append(Tried(method, mapping, score(method, mapping)))
    fitted = [one for one in tried if isinstance(one, Tried)]
    if not fitted:
        raise DataError(f"none of the {len(methods)} choices could be fitted; the first: {tried[0]}")
    return max(fitted, key=lambda one: one.level.mean if one.level else 0.0), tried


def held_out(validation: Lexicon, learnt: Iterable[Lexicon], source: Space, target: Space) -> Lexicon:
    """The pairs of which no word is learnt from; an error where none of them is in both vocabularies."""
    if note := direction_note(validation, source, target):
        raise DataError(f"{validation.file}: {note}; swap its columns")
    pairs = [pair for lexicon in learnt for pair in lexicon.pairs]
    sources, targets = {word for word, _ in pairs}, {word for _, word in pairs}
    left = Lexicon(tuple((x, y) for x, y in validation.pairs if x not in sources and y not in targets), validation.file)
    if not len(left.rows(source, target)):
        raise DataError(
            f"{validation.file}: expected pairs to choose parameters on; {len(validation.pairs) - len(left.pairs)} of its "
            f"{len(validation.pairs)} pairs have a word of the training dictionary, and none of the others is in both "
            "vocabularies; give a dictionary of other words"
        )
    return left


def learnt_by(method: Mapper, lexicon: Lexicon | None, source: Space, target: Space) -> Iterable[Lexicon]:
    """The dictionary that a method is given, and the words spelt alike that some take by themselves."""
    if method.uses_dictionary and lexicon is not None:
        yield lexicon
    mode = getattr(method, "mode", "")
    if mode in get_args(Alike):
        yield alike_pairs(source, target, cast(Alike, mode))


def validated(mapping: Mapping, validation: Lexicon, source: Space, target: Space) -> Level:
    """MAP by nearest neighbours, among all target words; of the source only the words asked for are mapped."""
    asked = queries(validation)
    words = tuple(query.word for query in asked if query.word in source.index)
    mapped = Space(words, mapping.map_source(source.embed(words)[0]))
    answers, _ = ranked(asked, mapped, replace(target, vectors=mapping.map_target(target.vectors)), nearest=1)
    return share_level(METRICS.get("MAP").statistics(answers))
