"""Multiple choice from JSONL files: the option with the highest likelihood is the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Any, Literal

from crossgraft.adapters.items.data import Row
from crossgraft.adapters.items.files import Prompted
from crossgraft.adapters.tasks import TASKS, Item, Split
from crossgraft.errors import SpecError
from crossgraft.study import Origin

_LETTER = re.compile(r"[A-Za-z]")
_LISTED = "{options}"  # where a prompt lists the options with their letters


@TASKS.register
@dataclass(frozen=True, kw_only=True)
class Choice(Prompted):
    """``options`` names a field that holds a list, or lists the options as templates
    (``["{a}", "{b}"]``, or plain words), or gives such a list for each language. ``answer`` names the field with the
    index of the right option, its letter, its text, or one of ``labels``: what the file calls each option, in the same
    order, or a field with a list of that. With ``format`` "letter", ``{options}`` in the prompt lists the
    options ("A. …", a line each), and the letters are scored. ``premise`` is a context without the question
    ("Answer:"), in which options are scored a second time for the metric ``accuracy-pmi``.
    """

    options: str | tuple[str, ...] | dict[str, tuple[str, ...]] = "options"
    answer: str = "answer"
    labels: str | tuple[str, ...] = ()
    format: Literal["text", "letter"] = "text"
    separator: str = " "
    premise: str = ""
    metric: Literal["accuracy", "accuracy-per-token", "accuracy-per-char", "accuracy-per-byte", "accuracy-pmi"] = (
        "accuracy"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.metric == "accuracy-pmi" and not self.premise:
            raise SpecError('the metric accuracy-pmi needs a premise, such as "Answer:"', ("premise",))
        for language in self.languages:
            self._check(language)

    def _check(self, language: str) -> None:
        if isinstance(self.options, dict) and language not in self.options:
            raise SpecError(f"there are no options for the language {language!r}", ("options",))
        options, labels = self.options_of(language), self.labels
        listed = isinstance(options, tuple) and isinstance(labels, tuple)
        if labels and listed and not len(set(labels)) == len(labels) == len(options):
            raise SpecError(
                f"expected a different label for each of the {len(options)} options; got {list(labels)}", ("labels",)
            )
        if self.format == "letter" and _LISTED not in self.prompt_of(language):
            raise SpecError(
                f'format = "letter" needs a prompt with {_LISTED}, where the options are listed; '
                f"got {self.prompt_of(language)!r}",
                ("prompt",),
            )

    def options_of(self, language: str) -> str | tuple[str, ...]:
        return self.options[language] if isinstance(self.options, dict) else self.options

    def identity(self, language: str) -> Mapping[str, Any]:
        table = {**self.reading(), "kind": "choice", "prompt": self.prompt_of(language)}
        table["options"] = self.options_of(language)
        for key, default in (("premise", ""), ("labels", ()), ("format", "text")):
            if table[key] == default:
                del table[key]
        return table

    def items(self, language: str, split: Split, origin: Origin) -> tuple[Item, ...]:
        return tuple(self._item(name, row, language) for name, row in self.rows(language, split, origin))

    def _item(self, name: str, row: Row, language: str) -> Item:
        options = self._options(row, language)
        gold = self._gold(row, options)
        if self.format == "letter":
            letters = _letters(row, options)
            lines = "\n".join(f"{letter}. {option}" for letter, option in zip(letters, options, strict=True))
            row, options = replace(row, values={**row.values, "options": lines}), letters
        return Item(
            id=name,
            prompt=row.fill(self.prompt_of(language)),
            options=tuple(self.separator + option for option in options),
            gold=gold,
            premise=self.premise,
            group=self.group_of(row),
        )

    def _options(self, row: Row, language: str) -> list[str]:
        templates = self.options_of(language)
        if isinstance(templates, str):
            listed = row[templates]
            if not isinstance(listed, list):
                raise row.error(f"expected a list of options in {templates!r}; got {listed!r}")
            options = [str(option) for option in listed]
        else:
            options = [row.fill(template) for template in templates]
        if len(options) < 2:
            raise row.error(f"expected at least two options; got {options}")
        if not all(option.strip() for option in options):
            raise row.error(f"an option is empty: {options}")
        return options

    def _gold(self, row: Row, options: Sequence[str]) -> int:
        """The index of the right option, given as label, index, text, digits or letter."""
        answer = row[self.answer]
        if self.labels:
            return self._labelled(row, answer, options)
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

    def _labelled(self, row: Row, answer: object, options: Sequence[str]) -> int:
        known = row[self.labels] if isinstance(self.labels, str) else self.labels
        if not isinstance(known, list | tuple):
            raise row.error(f"expected a list of labels in {self.labels!r}; got {known!r}")
        labels = [as_label(one) for one in known][: len(options)]
        if as_label(answer) not in labels:
            raise row.error(f"expected in {self.answer!r} one of the labels {', '.join(labels)}; got {answer!r}")
        return labels.index(as_label(answer))


def as_label(value: object) -> str:
    """A value of JSON as a label of a spec has it.

    >>> as_label(True), as_label(3), as_label("entailment")
    ('true', '3', 'entailment')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def _letters(row: Row, options: Sequence[str]) -> list[str]:
    if len(options) > len(ascii_uppercase):
        raise row.error(f"expected at most {len(ascii_uppercase)} options, as there are letters; got {len(options)}")
    return list(ascii_uppercase[: len(options)])
