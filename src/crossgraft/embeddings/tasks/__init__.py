"""What a pair of mapped spaces is evaluated on, one task a file."""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass
from typing import Any, Protocol

from crossgraft.core import Answers, Texts
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.space import Case, Space
from crossgraft.registry import Registry
from crossgraft.study import Input, Origin


@dataclass(frozen=True)
class LanguagePair:
    """Source and target language of a mapping, and how many items a task may use (0: all)."""

    source: str
    target: str
    case: Case = "keep"
    limit: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.target}"


class EmbeddingTask(Protocol):
    """A test on two spaces in one; its answers are per item, like those of any other task."""

    @property
    def metric(self) -> str: ...

    def inputs(self, pair: LanguagePair, origin: Origin) -> tuple[Input, ...]:
        """The files a result on the pair depends on."""
        ...

    def identity(self) -> Table[str, Any]:
        """What else its answers depend on."""
        ...

    def evaluate(
        self, pair: LanguagePair, spaces: tuple[Space, Space], mapping: Mapping, origin: Origin
    ) -> tuple[Answers, Texts]:
        """Answers on the pair, and what its items look like (its id is set by the study)."""
        ...


TASKS: Registry[type[EmbeddingTask]] = Registry(
    "embedding task", "crossgraft.embedding_tasks", "crossgraft.embeddings.tasks"
)
