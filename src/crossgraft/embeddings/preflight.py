"""A look ahead at an embedding study: what its files cannot give, said before the first job; its first items.

``check`` reads dictionaries and the beginnings of vector files, and so is quick; ``check_words`` needs all words, which
are read once for all jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crossgraft.core import Point
from crossgraft.embeddings.lexicon import Lexicon, Pairs, direction_note, leaks
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.spaces.memory import available_memory, refuse_too_many
from crossgraft.embeddings.spaces.space import Space
from crossgraft.embeddings.tasks import CanCheck, LanguagePair, Notes, is_stochastic
from crossgraft.errors import DataError
from crossgraft.study import PreviewItem

if TYPE_CHECKING:
    from crossgraft.embeddings.spec.study_spec import EmbeddingSpec

SPACES_KEPT = 4  # normalised ones, by a worker
_IN_USE = SPACES_KEPT + 5  # vocabularies' vectors at once: those, one mapped, both at length 1, and room to make them


def check(study: EmbeddingSpec) -> Sequence[str]:
    """Dictionaries whole, vectors as far as their width; notes on what looks odd."""
    width = lru_cache(None)(lambda language: study.peek(language).width)
    notes: list[str] = []
    for pair in study.language_pairs():
        require_one_width(pair, width(pair.source), width(pair.target))
        train = None if study.lexicon.alike else study.file(study.lexicon.train, pair)
        if train and not train.pairs:
            raise DataError(f"{train.file}: the dictionary is empty")
        validation = study.file(study.lexicon.validate, pair) if study.lexicon.validate else None
        for task in study.tasks_of(pair).values():
            if isinstance(task, Notes):
                notes += task.notes(pair, study.origin)
            if lexicon := getattr(task, "lexicon", None):
                test = lexicon(pair, study.origin)
                found = leaks(train, test).notes if train else ()
                found += leaks(validation, test, "validation").shared if validation else ()
                notes += [f"{pair}: {note}" for note in found]
        if train and (repeated := int(train.repeated().sum())):
            notes.append(f"{pair}: {repeated} lines of the training dictionary repeat an earlier one")
    return notes


def check_words(study: EmbeddingSpec, read: Callable[[str], Space]) -> None:
    """Raise where vocabularies and dictionaries do not go together, or the vectors of a job take too much memory."""
    memory = available_memory()
    for language in dict.fromkeys(one for pair in study.language_pairs() for one in (pair.source, pair.target)):
        file = study.vectors_file(language)
        seen = study.peek(language, study.spaces.top)
        refuse_too_many(file, seen.words or 0, seen.width, memory, copies=_IN_USE)

    @lru_cache(None)
    def words(language: str) -> Space:
        space = read(language)
        return replace(space, vectors=np.empty((0, space.width), dtype=np.float32))

    sizes = study.lexicon.sizes if any(study.methods.get(name).uses_dictionary for name in study.methods.use) else ()
    for pair in study.language_pairs():
        spaces = words(pair.source), words(pair.target)
        if study.lexicon.alike:
            study.dictionary(pair, spaces)
        for size in sizes:
            known_pairs(pair, study.dictionary(pair, spaces).first(size), *spaces)
        if study.lexicon.validate:
            study.validation(pair, spaces)
        for task in study.tasks_of(pair).values():
            if isinstance(task, CanCheck):
                task.check_pair(pair, spaces, study.origin)


def preview(study: EmbeddingSpec, count: int) -> Iterator[PreviewItem]:
    """The first items of every pair and task, with what unmapped vectors answer; none of tasks that would train a network."""
    for pair in study.language_pairs():
        spaces = study.space(pair.source), study.space(pair.target)
        require_one_width(pair, *(space.width for space in spaces))
        train = study.dictionary(pair, spaces)
        known = len(train.rows(*spaces))
        for name, task in study.tasks_of(pair).items():
            if is_stochastic(task):
                continue
            seen = task.evaluate(replace(pair, limit=count), spaces, Mapping(), study.origin, train)
            answers = seen.answers.columns["answer"]
            for place, item in enumerate(seen.texts.items):
                lines = [(column, _text(values[place])) for column, values in seen.texts.columns.items()]
                lines.append(("unmapped", str(answers[place]) or "not in the vocabularies"))
                lines.append(("training pairs", f"{known} of {len(train.pairs)} in both vocabularies"))
                yield PreviewItem(Point(name, str(pair)), item, tuple(lines))


def known_pairs(pair: LanguagePair, lexicon: Lexicon, source: Space, target: Space) -> Pairs:
    """The rows of a training dictionary's words; an error if no row is left, or if more would be with the columns swapped."""
    if note := direction_note(lexicon, source, target):
        raise DataError(f"{pair}: {note}; rename the file, or swap its columns")
    pairs = lexicon.rows(source, target)
    if len(pairs) == 0:
        raise DataError(
            f"{pair}: no entry of the dictionary {Path(lexicon.file).name} is in both vocabularies; "
            'check its direction, and whether spaces.case should be "lower"'
        )
    return pairs


def require_one_width(pair: LanguagePair, source: int, target: int) -> None:
    """Raise where a mapping is not square."""
    if source != target:
        raise DataError(
            f"{pair}: the vectors of {pair.source} have {source} dimensions, those of {pair.target} "
            f"{target}; a mapping needs spaces of one width"
        )


def _text(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
