"""Cross-lingual natural language inference (XNLI): does a model of sentence pairs in one language serve another?"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from crossgraft.embeddings.downstream.classified import classified
from crossgraft.embeddings.downstream.classifiers.decomposable import DecomposableAttention
from crossgraft.embeddings.downstream.classifiers.esim import ESIM
from crossgraft.embeddings.downstream.classifiers.fitting import Classifier
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
    """A model is trained on pairs of the source language over frozen vectors, once a seed, and chosen on its dev pairs.

    The paper has ESIM; decomposable attention is lighter.
    """

    metric: Literal["accuracy", "macro-F1"] = "accuracy"
    model: Literal["decomposable", "esim"] = "decomposable"
    decomposable: DecomposableAttention = DecomposableAttention()
    esim: ESIM = ESIM()
    premise: str = "premise"
    hypothesis: str = "hypothesis"
    seed: int = field(default=0, metadata={"toml": False})

    def __post_init__(self) -> None:
        super().__post_init__()
        unused = self.esim if self.model == "decomposable" else self.decomposable
        if unused != type(unused)():
            raise SpecError(f"the model is {self.model!r}, so settings of another have no effect", ("model",))

    @property
    def _texts(self) -> tuple[str, ...]:
        return self.premise, self.hypothesis

    @property
    def _kind(self) -> Classifier:
        return self.decomposable if self.model == "decomposable" else self.esim

    @property
    def stochastic(self) -> bool:
        return self._kind.stochastic

    def seeded(self, seed: int) -> Self:
        return replace(self, seed=seed)

    def brief(self) -> Self:
        if self.model == "decomposable":
            return replace(self, decomposable=replace(self.decomposable, training=self.decomposable.training.brief()))
        return replace(self, esim=replace(self.esim, training=self.esim.training.brief()))

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
