"""Kinds of task for language models, one a file; a ``[tasks.…]`` table of the spec is one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from crossgraft.identity import item_hash
from crossgraft.registry import Registry
from crossgraft.study import Input, Origin

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class Item:
    """One question as the model sees it. Its id is the same in all languages."""

    id: str
    prompt: str
    options: tuple[str, ...]  # with the separator in front: what follows the prompt
    gold: int


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

    def items(self, language: str, split: Split, origin: Origin) -> tuple[Item, ...]: ...


@runtime_checkable
class Noted(Protocol):
    """A task that knows something about its data that the reader should know too."""

    def notes(self) -> Iterable[str]: ...


TASKS: Registry[type[Task]] = Registry("kind of task", "crossgraft.tasks", "crossgraft.adapters.tasks")


def choose(items: Sequence[Item], count: int) -> tuple[Item, ...]:
    """The ``count`` items (0: all) whose ids come first in a fixed shuffle, in order of id.

    It depends on the ids only: all languages get the same items, and fewer are a part of more.
    """
    chosen = sorted(items, key=lambda item: item_hash(item.id, 0))[: count or None]
    return tuple(sorted(chosen, key=lambda item: item.id))
