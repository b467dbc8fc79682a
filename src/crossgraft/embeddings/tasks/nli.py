"""Cross-lingual natural language inference (XNLI): does a model of sentence pairs in one language serve another?"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from crossgraft.embeddings.downstream.classified import classified
from crossgraft.embeddings.downstream.classifiers.decomposable import DecomposableAttention
from crossgraft.embeddings.downstream.classifiers.fitting import Classifier
from crossgraft.embeddings.downstream.classifiers.training import Training
from crossgraft.embeddings.downstream.files import FromFiles
from crossgraft.embeddings.lexicon import Lexicon
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.spaces.space import Space
from crossgraft.embeddings.tasks import TASKS, Evaluation, LanguagePair
from crossgraft.errors import SpecError
from crossgraft.study import Origin


@TASKS.register
@dataclass(frozen=True, kw_only=True)
class NLI(FromFiles):
    """A model is trained on pairs of the source language over frozen vectors, once a seed, and chosen on its dev pairs."""

    metric: Literal["accuracy", "macro-F1"] = "accuracy"
    model: Literal["decomposable-attention"] = "decomposable-attention"
    hidden: int = 200
    dropout: float = 0.2
    training: Training = Training()
    premise: str = "premise"
    hypothesis: str = "hypothesis"
    seed: int = field(default=0, metadata={"toml": False})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden < 1 or not 0 <= self.dropout < 1:
            raise SpecError(
                f"expected at least 1 hidden unit and a dropout from 0 to below 1; got {self.hidden} and {self.dropout}",
                ("hidden",),
            )

    @property
    def _texts(self) -> tuple[str, ...]:
        return self.premise, self.hypothesis

    @property
    def _kind(self) -> Classifier:
        return DecomposableAttention(self.hidden, self.dropout, self.training)

    @property
    def stochastic(self) -> bool:
        return self._kind.stochastic

    def seeded(self, seed: int) -> Self:
        return replace(self, seed=seed)

    def identity(self) -> Table[str, Any]:
        return {"task": "nli", "kind": repr(self._kind), **self.reading()}

    def evaluate(
        self,
        pair: LanguagePair,
        spaces: tuple[Space, Space],
        mapping: Mapping,
        origin: Origin,
        train: Lexicon | None = None,  # noqa: ARG002 - it gives no pair away
    ) -> Evaluation:
        data = self.data(pair, origin)
        return classified(data, pair, spaces, mapping, self._kind, weighted=False, seed=self.seed)
