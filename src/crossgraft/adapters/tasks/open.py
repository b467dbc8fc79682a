"""Open questions from JSONL files: the model writes the answer, and a metric compares it with the right ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crossgraft.adapters.items.data import Row
from crossgraft.adapters.items.files import Prompted
from crossgraft.adapters.tasks import TASKS, Generation, OpenItem, Split
from crossgraft.errors import SpecError
from crossgraft.study import Origin


@TASKS.register
@dataclass(frozen=True, kw_only=True)
class Open(Prompted):
    """``answer`` names the field with the right answer, or with a list of right answers. The model writes
    until one of ``stop``, the end of the sequence, or ``max_tokens``.
    """

    answer: str = "answer"
    separator: str = " "
    stop: tuple[str, ...] = ("\n",)
    max_tokens: int = 64
    metric: Literal["exact-match", "number-match", "f1", "chrf", "bleu"] = "exact-match"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_tokens < 1:
            raise SpecError(f"expected at least 1; got {self.max_tokens}", ("max_tokens",))
        if not all(self.stop):
            raise SpecError("expected texts to stop at; one is empty", ("stop",))

    def identity(self, language: str) -> Mapping[str, Any]:
        return {**self.reading(), "kind": "open", "prompt": self.prompt_of(language)}

    def items(self, language: str, split: Split, origin: Origin) -> tuple[OpenItem, ...]:
        prompt = self.prompt_of(language)
        how = Generation(self.stop, self.max_tokens)
        return tuple(
            OpenItem(name, row.fill(prompt), self._answers(row), how, self.separator, group=self.group_of(row))
            for name, row in self.rows(language, split, origin)
        )

    def _answers(self, row: Row) -> tuple[str, ...]:
        written = row[self.answer]
        answers = tuple(str(one) for one in (written if isinstance(written, list) else [written]))
        if not answers or not all(answer.strip() for answer in answers):
            raise row.error(f"expected an answer, or a list of answers, in {self.answer!r}; got {written!r}")
        return answers
