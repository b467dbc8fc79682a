"""Kinds of task for language models, one a file; a ``[tasks.…]`` table of the spec is one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from crossgraft.identity import item_hash
from crossgraft.registry import Registry
from crossgraft.study import Input, Origin

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class Item:
    """A question with options, as the model sees it. Its id is the same in all languages.

    ``shots`` are solved examples, prompt and answer each, that stand before it. ``premise``, where
    a task has one, is the context in which the options are scored a second time, to take out how
    likely they are by themselves. Items of one ``group``, such as questions on one passage, are right or wrong together.
    """

    id: str
    prompt: str
    options: tuple[str, ...]  # with the separator in front: what follows the prompt
    gold: int
    shots: tuple[tuple[str, str], ...] = ()
    premise: str = ""
    group: str = ""

    @property
    def answer(self) -> str:
        """What should follow the prompt."""
        return self.options[self.gold]


@dataclass(frozen=True, slots=True)
class Generation:
    """When an answer that the model writes is at its end."""

    stop: tuple[str, ...] = ("\n",)
    max_tokens: int = 64


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A question whose answer the model writes; any of the references is right."""

    id: str
    prompt: str
    references: tuple[str, ...]
    generation: Generation = Generation()
    separator: str = " "  # between the prompt and a solved example's answer
    shots: tuple[tuple[str, str], ...] = ()
    group: str = ""

    @property
    def answer(self) -> str:
        """What should follow the prompt."""
        return self.separator + self.references[0]


@dataclass(frozen=True, slots=True)
class TextItem:
    """A running text, for how well the model predicts it."""

    id: str
    text: str
    group: str = ""


AnyItem = Item | OpenItem | TextItem


class Task(Protocol):
    """Items by language and split, and everything their text depends on."""

    @property
    def languages(self) -> tuple[str, ...]: ...

    @property
    def metric(self) -> str: ...

    def input(self, language: str, split: Split, origin: Origin) -> Input: ...

    def identity(self, language: str) -> Mapping[str, Any]:
        """What the items depend on beside the content of the file."""
        ...

    def items(self, language: str, split: Split, origin: Origin) -> tuple[AnyItem, ...]:
        """All of one kind."""
        ...


@runtime_checkable
class Noted(Protocol):
    """A task that knows something about its data that the reader should know too."""

    def notes(self) -> Iterable[str]: ...


@runtime_checkable
class Fetched(Protocol):
    """A task whose data may have to be downloaded first, and that knows about how much it is."""

    def is_here(self, language: str, split: Split, origin: Origin) -> bool: ...

    def fetch(self, origin: Origin) -> None:
        """Have the data of all languages on this machine, or raise with one sentence."""
        ...

    def expected(self, split: Split) -> tuple[int, Item]:
        """How many items a language has, and one of about the length of the English ones."""
        ...


@runtime_checkable
class MaybeSham(Protocol):
    """A task that knows whether its answers are drawn at random; what is trained on such a task is a control."""

    @property
    def is_sham(self) -> bool: ...


TASKS: Registry[type[Task]] = Registry("kind of task", "crossgraft.tasks", "crossgraft.adapters.tasks")


T = TypeVar("T", bound=AnyItem)


def choose(items: Sequence[T], count: int) -> tuple[T, ...]:
    """The ``count`` items (0: all) whose ids come first in a fixed shuffle, in order of id.

    It depends on the ids only: all languages get the same items, and fewer are a part of more.
    """
    chosen = sorted(items, key=lambda item: item_hash(item.id, 0))[: count or None]
    return tuple(sorted(chosen, key=lambda item: item.id))
