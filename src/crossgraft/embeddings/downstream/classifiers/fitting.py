"""Training on the source once: the same texts in the same vectors, whatever mapping they come from, give one model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from crossgraft.core import Floats
from crossgraft.embeddings.downstream.classifiers.encoded import Encoded, Examples
from crossgraft.identity import content_id

_KEPT = 64  # models; they are small, and a pair has one a topic, seed and kind of mapping


class Model(Protocol):
    """What has learnt; ``facts`` hold at least the accuracy on the source's dev texts."""

    @property
    def facts(self) -> Mapping[str, Any]: ...

    def log_probabilities(self, texts: Encoded) -> Floats:
        """(items, classes)"""
        ...


class Classifier(Protocol):
    """A kind of model, as a value of its parameters; one that is not stochastic does not look at the seed."""

    @property
    def stochastic(self) -> bool: ...

    def fit(self, train: Examples, dev: Examples, classes: int, seed: int) -> Model: ...


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a model learns from; ``content`` is the same where all that the model depends on is."""

    kind: Classifier
    train: Examples
    dev: Examples
    classes: int
    seed: int

    @cached_property
    def content(self) -> str:
        return content_id(
            kind=repr(self.kind),
            texts=[self.train.texts.digest(), self.dev.texts.digest()],
            labels=[self.train.labels.tolist(), self.dev.labels.tolist(), self.classes],
            seed=self.seed if self.kind.stochastic else 0,
        )


_models: OrderedDict[str, Model] = OrderedDict()  # by content: without the texts, which may be large


def learnt(lesson: Lesson) -> Model:
    """The model, found again where the same lesson was learnt before in this process."""
    if lesson.content not in _models:
        _models[lesson.content] = lesson.kind.fit(lesson.train, lesson.dev, lesson.classes, lesson.seed)
    _models.move_to_end(lesson.content)
    while len(_models) > _KEPT:
        _models.popitem(last=False)
    return _models[lesson.content]


def forget() -> None:
    """Every model is learnt anew when it is next asked for."""
    _models.clear()
