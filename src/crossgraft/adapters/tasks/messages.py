"""Supervised fine-tuning files (messages, or prompt and completion): trained on, never evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crossgraft.adapters.items.data import Row
from crossgraft.adapters.items.files import FromFiles
from crossgraft.adapters.tasks import TASKS, OpenItem, Split
from crossgraft.study import Origin

_TURNS = ("user", "assistant")


@TASKS.register
@dataclass(frozen=True, kw_only=True)
class Messages(FromFiles):
    """Rows with ``messages`` (a list of role and content, the last by the assistant), or with ``prompt`` and
    ``completion``. What the assistant says last is learnt; earlier turns are its context. Without ``{split}``
    in the file's name, all rows are for training.
    """

    messages: str = "messages"
    prompt: str = "prompt"
    completion: str = "completion"
    separator: str = " "  # before the answer, where there is no chat template
    id: str = ""
    test_share: float = 0.0
    metric: Literal[""] = ""  # there is nothing to evaluate

    def identity(self, language: str) -> Mapping[str, Any]:  # noqa: ARG002 - all languages are read alike
        return {**self.reading(), "kind": "messages"}

    def items(self, language: str, split: Split, origin: Origin) -> tuple[OpenItem, ...]:
        return tuple(self._item(name, row) for name, row in self.rows(language, split, origin))

    def _item(self, name: str, row: Row) -> OpenItem:
        if self.messages not in row.values:
            return OpenItem(
                name, str(row[self.prompt]), (self._said(row, row[self.completion]),), separator=self.separator
            )
        turns = self._turns(row)
        pairs = [(turns[n], self.separator + turns[n + 1]) for n in range(0, len(turns) - 2, 2)]
        return OpenItem(name, turns[-2], (turns[-1],), separator=self.separator, shots=tuple(pairs))

    def _turns(self, row: Row) -> list[str]:
        """What user and assistant say in turns; a system message stands before the first."""
        conversation = row[self.messages]
        if not isinstance(conversation, list) or not all(
            isinstance(one, dict) and {"role", "content"} <= set(one) for one in conversation
        ):
            raise row.error(
                f"expected in {self.messages!r} a list of messages with role and content; got {str(conversation)[:60]!r}"
            )
        system = [str(one["content"]) for one in conversation if one["role"] == "system"]
        rest = [one for one in conversation if one["role"] != "system"]
        roles = [str(one["role"]) for one in rest]
        if len(roles) < 2 or roles != [_TURNS[n % 2] for n in range(len(roles))] or roles[-1] != "assistant":
            raise row.error(
                f"expected user and assistant in turns, the assistant last; got {', '.join(roles) or 'nothing'}"
            )
        texts = [self._said(row, one["content"]) for one in rest]
        texts[0] = "\n\n".join([*system, texts[0]])
        return texts

    def _said(self, row: Row, text: object) -> str:
        if not str(text).strip():
            raise row.error("expected a text in every message; one is empty")
        return str(text)
