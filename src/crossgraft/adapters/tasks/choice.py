"""Multiple choice from JSONL files: the option with the highest likelihood is the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from crossgraft.adapters.data import Row, read_rows
from crossgraft.adapters.tasks import TASKS, Item, Split
from crossgraft.core import is_language
from crossgraft.errors import DataError, SpecError, did_you_mean
from crossgraft.identity import item_hash
from crossgraft.study import Input, Origin

_LETTER = re.compile(r"[A-Za-z]")


@TASKS.register
@dataclass(frozen=True)
class Choice:
    """``files`` is a pattern with ``{language}`` and, if there is a file a split, ``{split}``.

    Without ``{split}``, the field ``split_field`` tells, or, without that, the ids are divided
    by their hash, the same way in all languages, ``test_share`` of them into the test split.
    ``options`` names a field that holds a list, or lists the options as templates
    (``["{a}", "{b}"]``, or plain words). ``answer`` names the field with the index of the right
    option, its letter, or its text. ``prompt`` is one template, or one a language.
    """

    files: str
    languages: tuple[str, ...]
    prompt: str | dict[str, str]
    options: str | tuple[str, ...] = "options"
    answer: str = "answer"
    id: str = "id"
    separator: str = " "
    split_field: str = ""
    splits: dict[str, str] = field(default_factory=dict)  # our "train", "test" → theirs
    test_share: float = 0.5
    codes: dict[str, str] = field(default_factory=dict)  # language → how file names call it
    metric: Literal["accuracy", "accuracy-per-token", "accuracy-per-char", "accuracy-per-byte"] = "accuracy"
    translated: Literal["human", "machine", "no", "unknown"] = "unknown"

    def __post_init__(self) -> None:
        if "{language}" not in self.files and len(self.languages) > 1:
            raise SpecError(f"expected a file name with {{language}}; got {self.files!r}", ("files",))
        if not self.languages:
            raise SpecError("expected at least one language", ("languages",))
        for language in self.languages:
            if not is_language(language):
                raise SpecError(
                    f"expected BCP 47 language tags, such as 'sw' or 'zh-Hant'; got {language!r}", ("languages",)
                )
        for key in self.codes:
            if key not in self.languages:
                raise SpecError(f"no such language: {key!r}{did_you_mean(key, self.languages)}", ("codes", key))
        for key in self.splits:
            if key not in ("train", "test"):
                raise SpecError(f"expected 'train' or 'test'; got {key!r}", ("splits", key))
        if isinstance(self.prompt, dict):
            for language in self.languages:
                if language not in self.prompt:
                    raise SpecError(f"there is no prompt for the language {language!r}", ("prompt",))

    def input(self, language: str, split: Split, origin: Origin) -> Input:
        code = self.codes.get(language, language)
        if "/" in code or ".." in code:
            raise SpecError(f"expected a code that stays in its folder; got {code!r}", ("codes", language))
        name = self.files.replace("{language}", code).replace("{split}", self.splits.get(split, split))
        return Input("file", origin.path(name), f"language {language!r}, {split} split")

    def identity(self, language: str) -> Mapping[str, Any]:
        told = asdict(self)
        for key in ("files", "languages", "codes", "metric", "translated"):
            del told[key]
        return {**told, "kind": "choice", "prompt": self._prompt(language)}

    def items(self, language: str, split: Split, origin: Origin) -> tuple[Item, ...]:
        file = self.input(language, split, origin).path
        prompt = self._prompt(language)
        found: dict[str, tuple[Item, Row]] = {}
        for row in self._rows(language, split, origin):
            item = self._item(row, prompt)
            if item.id in found:
                raise row.error(
                    f"the id {item.id!r} is already on line {found[item.id][1].line}; ids must be unique in a split"
                )
            found[item.id] = item, row
        if not found:
            raise DataError(f"{file}: no items for language {language!r} in the {split} split")
        return tuple(item for item, _ in found.values())

    def _prompt(self, language: str) -> str:
        return self.prompt if isinstance(self.prompt, str) else self.prompt[language]

    def _rows(self, language: str, split: Split, origin: Origin) -> Iterator[Row]:
        rows = read_rows(Path(self.input(language, split, origin).path))
        if "{split}" in self.files:
            yield from rows
        elif self.split_field:
            wanted = self.splits.get(split, split)
            yield from (row for row in rows if str(row[self.split_field]) == wanted)
        else:
            for row in rows:
                in_test = item_hash(str(row[self.id]), seed=1) < self.test_share * 2**64
                if in_test == (split == "test"):
                    yield row

    def _item(self, row: Row, prompt: str) -> Item:
        options = self._options(row)
        return Item(
            id=str(row[self.id]),
            prompt=row.fill(prompt),
            options=tuple(self.separator + option for option in options),
            gold=self._gold(row, options),
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
        elif isinstance(answer, str) and answer.isdigit():
            index = int(answer)
        elif isinstance(answer, str) and _LETTER.fullmatch(answer):
            index = ord(answer.upper()) - ord("A")
        if index is None or not 0 <= index < len(options):
            raise row.error(
                f"expected in {self.answer!r} an index from 0 to {len(options) - 1}, a letter from A to "
                f"{chr(ord('A') + len(options) - 1)} or one of the options; got {answer!r}"
            )
        return index
