"""Cross-lingual document classification: does a model of labelled texts in one language serve texts in another?"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from crossgraft.embeddings.downstream.classified import classified
from crossgraft.embeddings.downstream.classifiers.convolutional import Convolutional
from crossgraft.embeddings.downstream.classifiers.fitting import Classifier
from crossgraft.embeddings.downstream.classifiers.linear import Linear
from crossgraft.embeddings.downstream.files import FromFiles
from crossgraft.embeddings.lexicon import Lexicon
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.spaces.space import Space
from crossgraft.embeddings.tasks import TASKS, Evaluation, LanguagePair
from crossgraft.errors import SpecError
from crossgraft.study import Origin


@TASKS.register
@dataclass(frozen=True, kw_only=True)
class CLDC(FromFiles):
    """A model is trained on texts of the source language over frozen vectors, and chosen on its dev texts.

    ``linear`` is softmax regression on idf-weighted averages of word vectors; the paper has the ``cnn``, which is trained
    once a seed.
    """

    metric: Literal["accuracy", "micro-F1", "macro-F1"] = "accuracy"
    model: Literal["linear", "cnn"] = "linear"
    weights: Literal["idf", "none"] = "idf"  # of words, in the averages of the linear model
    cnn: Convolutional = Convolutional()
    text: str = "text"
    seed: int = field(default=0, metadata={"toml": False})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model == "linear" and self.cnn != Convolutional():
            raise SpecError("the model is 'linear', so settings of the cnn have no effect", ("model",))

    @property
    def _texts(self) -> tuple[str, ...]:
        return (self.text,)

    @property
    def _kind(self) -> Classifier:
        return Linear() if self.model == "linear" else self.cnn

    @property
    def stochastic(self) -> bool:
        return self._kind.stochastic

    def seeded(self, seed: int) -> Self:
        return replace(self, seed=seed)

    def brief(self) -> Self:
        return replace(self, cnn=replace(self.cnn, training=self.cnn.training.brief())) if self.stochastic else self

    def identity(self) -> Table[str, Any]:
        weights = self.weights if self.model == "linear" else "none"
        return {"task": "cldc", "kind": repr(self._kind), "weights": weights, **self.reading()}

    def evaluate(
        self,
        pair: LanguagePair,
        spaces: tuple[Space, Space],
        mapping: Mapping,
        origin: Origin,
        train: Lexicon | None = None,  # noqa: ARG002 - it gives no text away
    ) -> Evaluation:
        data = self.data(pair, origin)
        weighted = self.weights == "idf" and self.model == "linear"
        return classified(data, pair, spaces, mapping, self._kind, weighted=weighted, seed=self.seed)
