"""About how many tokens items have, before any tokenizer is here: a token for four bytes of UTF-8.

Where the data is here its bytes are counted. Where it is not, a typical English item of the task is stretched by what its language
takes: most scripts need more bytes for the same text, and tokenizers that know them need about as many more tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crossgraft.adapters.items.selection import items_to_test
from crossgraft.adapters.preflight import is_here
from crossgraft.adapters.tasks import AnyItem, Fetched, Item, OpenItem, Split, choose
from crossgraft.core import Point

if TYPE_CHECKING:
    from crossgraft.adapters.spec.study_spec import AdapterSpec

BYTES_PER_TOKEN = 4.0
TEMPLATE = 30  # tokens that a chat template adds to an item
_BYTES = {"ar": 1.8, "bn": 2.7, "hi": 2.6, "zh": 0.9, "en": 1.0}  # of the same text, English being 1
_LATIN = 1.15


@dataclass(frozen=True)
class Length:
    """Of the items of a point: how many there are, and the mean tokens of the prompt, the right answer and all options."""

    items: int
    prompt: float
    answer: float
    options: float


def length_tested(study: AdapterSpec, target: Point) -> Length:
    """Of what is evaluated."""
    if is_here(study, target, "test"):
        return _counted(items_to_test(study, target), study.test_items)
    return _expected(study, target, "test", study.test_items)


def length_trained(study: AdapterSpec, point: Point) -> Length:
    """Of what is trained on."""
    if is_here(study, point, "train"):
        every = study.tasks[point.task].items(point.lang, "train", study.origin)
        return _counted(choose(every, study.grid.train_items), 0)
    return _expected(study, point, "train", study.grid.train_items)


def _expected(study: AdapterSpec, point: Point, split: Split, most: int) -> Length:
    task = study.tasks[point.task]
    assert isinstance(task, Fetched)  # nothing else is away
    count, item = task.expected(split)
    length = _counted([item], 0)
    stretch = _BYTES.get(point.lang, _LATIN)
    letters = len(item.answer.strip()) == 1  # a letter is one token in every language
    answer, options = (
        (length.answer, length.options) if letters else (stretch * length.answer, stretch * length.options)
    )
    return Length(min(count, most or count), stretch * length.prompt, answer, options)


def _counted(items: Sequence[AnyItem], most: int) -> Length:
    some = items[: most or None]
    told = np.array([_tokens(item) for item in some])
    prompt, answer, options = (float(value) for value in told.mean(axis=0))
    return Length(len(some), prompt, answer, options)


def _tokens(item: AnyItem) -> tuple[float, float, float]:
    if isinstance(item, Item):
        shots = sum(_of(prompt) + _of(answer) for prompt, answer in item.shots)
        return shots + _of(item.prompt), _of(item.answer), sum(map(_of, item.options))
    if isinstance(item, OpenItem):
        return _of(item.prompt), _of(item.answer), float(item.generation.max_tokens)
    return 0.0, _of(item.text), _of(item.text)


def _of(text: str) -> float:
    return max(1.0, len(text.encode()) / BYTES_PER_TOKEN)
