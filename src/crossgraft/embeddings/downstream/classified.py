"""Labelled texts of two languages and a mapping → what a model of the source makes of every text of the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from crossgraft.core import Answers, Floats, Texts
from crossgraft.embeddings.downstream.anchored import anchored
from crossgraft.embeddings.downstream.classifiers.encoded import Encoded, Examples, Labels, encode, rarity
from crossgraft.embeddings.downstream.classifiers.fitting import Classifier, Lesson, Model, learnt
from crossgraft.embeddings.downstream.files import Data
from crossgraft.embeddings.downstream.labelled import SIDES, Item
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.spaces.space import Space
from crossgraft.embeddings.tasks import Evaluation, LanguagePair
from crossgraft.errors import DataError

_SHOWN = 300  # characters of a text


def classified(
    data: Data,
    pair: LanguagePair,
    spaces: tuple[Space, Space],
    mapping: Mapping,
    kind: Classifier,
    *,
    weighted: bool,
    seed: int,
) -> Evaluation:
    """One model a part of the data, trained on the source and asked on the target.

    Words weigh by how rare they are among the texts of their own language; of the target that takes texts, and no labels.
    """
    shared = anchored(mapping)
    rare = [rarity(_texts(items), space) for items, space in zip((data.train, data.test), spaces, strict=True)]
    weights = rare if weighted else [lambda _: 1.0] * 2
    train, dev = (encode(_texts(items), spaces[0], shared.map_source, weights[0]) for items in (data.train, data.dev))
    test = encode(_texts(data.test), spaces[1], shared.map_target, weights[1])
    if train.bare == len(train):
        raise DataError(
            f"{pair}: no training text has a word with a vector; check its language, and whether spaces.case should be "
            '"lower"'
        )
    loglik = np.full((len(test), len(data.labels)), np.nan)
    models: dict[str, Model] = {}
    for part in dict.fromkeys(item.part for item in data.test):
        here = [_places(items, part) for items in (data.train, data.dev, data.test)]
        models[part] = _model(data, kind, (train, dev), here, pair, part, seed)
        loglik[here[2]] = models[part].log_probabilities(test.some(here[2]))
    facts: dict[str, Any] = {
        "without_vectors": {"train": train.bare, "dev": dev.bare, "test": test.bare},
        "source": {part or "all": dict(model.facts) for part, model in models.items()},
        "source_unchanged": shared.source is None,
    }
    remarks = [f"{test.bare} of {len(test)} test texts of {pair} have no word with a vector"] if test.bare else []
    return Evaluation(_answers(data, loglik), _shown(data.test), facts, tuple(remarks))


def _model(
    data: Data,
    kind: Classifier,
    encoded: tuple[Encoded, Encoded],
    here: Sequence[list[int]],
    pair: LanguagePair,
    part: str,
    seed: int,
) -> Model:
    train, dev = (
        Examples(texts.some(places), _gold(items, places, data.labels))
        for texts, places, items in zip(encoded, here, (data.train, data.dev), strict=False)
    )
    if not len(train) or not len(dev):
        raise DataError(f"{pair}: {part!r} has test texts and no {'dev' if len(train) else 'training'} texts")
    return learnt(Lesson(kind, train, dev, len(data.labels), seed))


def _texts(items: Sequence[Item]) -> list[tuple[str, ...]]:
    return [item.texts for item in items]


def _places(items: Sequence[Item], part: str) -> list[int]:
    return [place for place, item in enumerate(items) if item.part == part]


def _gold(items: Sequence[Item], places: Sequence[int], labels: Sequence[str]) -> Labels:
    return np.array([labels.index(items[place].label) for place in places], dtype=np.int64)


def _answers(data: Data, loglik: Floats) -> Answers:
    names = tuple(item.name for item in data.test)
    columns: dict[str, Any] = {
        "loglik": loglik,
        "gold": _gold(data.test, range(len(names)), data.labels),
        "classes": np.full(len(names), float(len(data.labels))),
        "answer": np.array([data.labels[place] for place in loglik.argmax(axis=1)], dtype=object),
    }
    if set(data.labels) == set(SIDES):
        columns["positive"] = np.full(len(names), float(data.labels.index(SIDES[0])))
    if any(item.group for item in data.test):
        columns["group"] = np.array([item.group or item.name for item in data.test], dtype=object)
    return Answers("choice", names, columns)


def _shown(items: Sequence[Item]) -> Texts:
    columns = {
        "text": [" | ".join(text[:_SHOWN] for text in item.texts) for item in items],
        "label": [item.label for item in items],
    }
    return Texts("", tuple(item.name for item in items), columns)
