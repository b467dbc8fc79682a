"""What a pair of mapped spaces is evaluated on, one task a file."""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from crossgraft.core import Answers, Texts
from crossgraft.embeddings.lexicon import Lexicon
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.spaces.space import Case, Space
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


@dataclass(frozen=True)
class Evaluation:
    """Answers on a pair, what its items look like (the id is set by the study), and what else was noticed.

    ``remarks`` are sentences for the reader of the run, about what no mapping changes; the control's are shown.
    """

    answers: Answers
    texts: Texts
    facts: Table[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


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
        self,
        pair: LanguagePair,
        spaces: tuple[Space, Space],
        mapping: Mapping,
        origin: Origin,
        train: Lexicon | None = None,
    ) -> Evaluation:
        """Answers on the pair; ``train`` is the whole training dictionary, of which items may leak."""
        ...


@runtime_checkable
class CanCheck(Protocol):
    """A task that can tell from the words alone, before any mapping, that a pair cannot be evaluated."""

    def check_pair(self, pair: LanguagePair, spaces: tuple[Space, Space], origin: Origin) -> None:
        """Raise a ``DataError``; the spaces have their words, not their vectors."""
        ...


@runtime_checkable
class HasLexicon(Protocol):
    """A task that asks for the words of a dictionary."""

    def inputs(self, pair: LanguagePair, origin: Origin) -> tuple[Input, ...]: ...

    def lexicon(self, pair: LanguagePair, origin: Origin) -> Lexicon:
        """The dictionary of the pair, in its direction."""
        ...


@runtime_checkable
class Notes(Protocol):
    """A task that can say, from its files alone, what of them will not count."""

    def notes(self, pair: LanguagePair, origin: Origin) -> tuple[str, ...]:
        """One sentence each; a ``DataError`` where the files cannot be used."""
        ...


@runtime_checkable
class Seeded(Protocol):
    """A task that trains a model of its own: where that is stochastic, it is done once a seed of the study."""

    @property
    def stochastic(self) -> bool: ...

    def seeded(self, seed: int) -> EmbeddingTask:
        """The same task with a seed."""
        ...

    def brief(self) -> EmbeddingTask:
        """The same task with as little training as can be."""
        ...


def is_stochastic(task: EmbeddingTask) -> bool:
    return isinstance(task, Seeded) and task.stochastic


TASKS: Registry[type[EmbeddingTask]] = Registry(
    "embedding task", "crossgraft.embedding_tasks", "crossgraft.embeddings.tasks"
)
