"""Cross-lingual document classification: does a model of labelled texts in one language serve texts in another?"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from crossgraft.embeddings.downstream.classified import classified
from crossgraft.embeddings.downstream.classifiers.fitting import Classifier
from crossgraft.embeddings.downstream.classifiers.linear import Linear
from crossgraft.embeddings.downstream.files import FromFiles
from crossgraft.embeddings.lexicon import Lexicon
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.spaces.space import Space
from crossgraft.embeddings.tasks import TASKS, Evaluation, LanguagePair
from crossgraft.study import Origin


@TASKS.register
@dataclass(frozen=True, kw_only=True)
class CLDC(FromFiles):
    """A model is trained on texts of the source language over frozen vectors, and chosen on its dev texts.

    ``linear`` is softmax regression on idf-weighted averages of word vectors.
    """

    metric: Literal["accuracy", "micro-F1", "macro-F1"] = "accuracy"
    model: Literal["linear"] = "linear"
    weights: Literal["idf", "none"] = "idf"
    text: str = "text"
    seed: int = field(default=0, metadata={"toml": False})

    @property
    def _texts(self) -> tuple[str, ...]:
        return (self.text,)

    @property
    def _kind(self) -> Classifier:
        return Linear()

    @property
    def stochastic(self) -> bool:
        return self._kind.stochastic

    def seeded(self, seed: int) -> Self:
        return replace(self, seed=seed)

    def identity(self) -> Table[str, Any]:
        return {"task": "cldc", "kind": repr(self._kind), "weights": self.weights, **self.reading()}

    def evaluate(
        self,
        pair: LanguagePair,
        spaces: tuple[Space, Space],
        mapping: Mapping,
        origin: Origin,
        train: Lexicon | None = None,  # noqa: ARG002 - it gives no text away
    ) -> Evaluation:
        data = self.data(pair, origin)
        weighted = self.weights == "idf"
        return classified(data, pair, spaces, mapping, self._kind, weighted=weighted, seed=self.seed)
