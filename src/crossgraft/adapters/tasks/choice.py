"""Multiple choice from JSONL files: the option with the highest likelihood is the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crossgraft.adapters.data import Row
from crossgraft.adapters.files import Prompted
from crossgraft.adapters.tasks import TASKS, Item, Split
from crossgraft.errors import SpecError
from crossgraft.study import Origin

_LETTER = re.compile(r"[A-Za-z]")


@TASKS.register
@dataclass(frozen=True, kw_only=True)
class Choice(Prompted):
    """``options`` names a field that holds a list, or lists the options as templates
    (``["{a}", "{b}"]``, or plain words). ``answer`` names the field with the index of the right
    option, its letter, or its text. ``premise`` is a context without the question ("Answer:"), in which
    options are scored a second time for the metric ``accuracy-pmi``.
    """

    options: str | tuple[str, ...] = "options"
    answer: str = "answer"
    separator: str = " "
    premise: str = ""
    metric: Literal["accuracy", "accuracy-per-token", "accuracy-per-char", "accuracy-per-byte", "accuracy-pmi"] = (
        "accuracy"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.metric == "accuracy-pmi" and not self.premise:
            raise SpecError('the metric accuracy-pmi needs a premise, such as "Answer:"', ("premise",))

    def identity(self, language: str) -> Mapping[str, Any]:
        told = {**self.reading(), "kind": "choice", "prompt": self.prompt_of(language)}
        if not self.premise:
            del told["premise"]
        return told

    def items(self, language: str, split: Split, origin: Origin) -> tuple[Item, ...]:
        prompt = self.prompt_of(language)
        return tuple(self._item(name, row, prompt) for name, row in self.rows(language, split, origin))

    def _item(self, name: str, row: Row, prompt: str) -> Item:
        options = self._options(row)
        return Item(
            id=name,
            prompt=row.fill(prompt),
            options=tuple(self.separator + option for option in options),
            gold=self._gold(row, options),
            premise=self.premise,
            group=self.group_of(row),
        )

    def _options(self, row: Row) -> list[str]:
        if isinstance(self.options, str):
            listed = row[self.options]
            if not isinstance(listed, list):
                raise row.error(f"expected a list of options in {self.options!r}; got {listed!r}")
            options = [str(option) for option in listed]
        else:
            options = [row.fill(template) for template in self.options]
        if len(options) < 2:
            raise row.error(f"expected at least two options; got {options}")
        if not all(option.strip() for option in options):
            raise row.error(f"an option is empty: {options}")
        return options

    def _gold(self, row: Row, options: list[str]) -> int:
        """The index of the right option, given as index, text, digits or letter."""
        answer = row[self.answer]
        if isinstance(answer, str) and answer in options:
            return options.index(answer)
        index: int | None = None
        if type(answer) is int:
            index = answer
        elif isinstance(answer, str) and answer.isdecimal() and len(answer) < 10:
            index = int(answer)
        elif isinstance(answer, str) and _LETTER.fullmatch(answer):
            index = ord(answer.upper()) - ord("A")
        if index is None or not 0 <= index < len(options):
            raise row.error(
                f"expected in {self.answer!r} an index from 0 to {len(options) - 1}, a letter from A to "
                f"{chr(ord('A') + min(len(options), 26) - 1)} or one of the options; got {answer!r}"
            )
        return index
