"""Training on the source once: the same texts in the same vectors, whatever mapping they come from, give one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
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
    """What a model learns from. Two are equal when all that the model depends on is."""

    kind: Classifier
    train: Examples
    dev: Examples
    classes: int
    seed: int

    @cached_property
    def _content(self) -> str:
        return content_id(
            kind=repr(self.kind),
            texts=[self.train.texts.digest(), self.dev.texts.digest()],
            labels=[self.train.labels.tolist(), self.dev.labels.tolist(), self.classes],
            seed=self.seed if self.kind.stochastic else 0,
        )

    def __hash__(self) -> int:
        return hash(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lesson) and self._content == other._content


@lru_cache(_KEPT)
def learnt(lesson: Lesson) -> Model:
    """The model, found again where the same lesson was learnt before."""
    return lesson.kind.fit(lesson.train, lesson.dev, lesson.classes, lesson.seed)
