"""Tasks that lie in JSONL files: which file holds a language and a split, and which of its rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from crossgraft.adapters.items.data import Row, read_rows
from crossgraft.adapters.tasks import Split
from crossgraft.core import is_language
from crossgraft.errors import DataError, SpecError, did_you_mean
from crossgraft.identity import item_hash
from crossgraft.study import Input, Origin

_NOT_TEXT = ("files", "languages", "codes", "metric", "translated")  # what says nothing about an item's text


@dataclass(frozen=True, kw_only=True)
class FromFiles:
    """``files`` is a pattern with ``{language}`` and, if there is a file a split, ``{split}``.

    Without ``{split}``, the field ``split_field`` tells, or, without that, the ids are divided
    by their hash, the same way in all languages, ``test_share`` of them into the test split.
    ``id`` names the field with the id; "" takes the number of the line. ``group`` names a field that items share which are
    right or wrong together, such as the passage they ask about: intervals then draw groups.
    """

    files: str
    languages: tuple[str, ...]
    id: str = "id"
    group: str = ""
    split_field: str = ""
    splits: dict[str, str] = field(default_factory=dict)  # our "train", "test" → theirs
    test_share: float = 0.5
    codes: dict[str, str] = field(default_factory=dict)  # language → how file names call it
    translated: Literal["human", "machine", "no", "unknown"] = "unknown"

    def __post_init__(self) -> None:
        if "{language}" not in self.files and len(self.languages) > 1:
            raise SpecError(f"expected a file name with {{language}}; got {self.files!r}", ("files",))
        check_languages(self.languages, self.codes)
        for key in self.splits:
            if key not in ("train", "test"):
                raise SpecError(f"expected 'train' or 'test'; got {key!r}", ("splits", key))

    def input(self, language: str, split: Split, origin: Origin) -> Input:
        code = self.codes.get(language, language)
        if "/" in code or ".." in code:
            raise SpecError(f"expected a code that stays in its folder; got {code!r}", ("codes", language))
        name = self.files.replace("{language}", code).replace("{split}", self.splits.get(split, split))
        return Input("file", origin.path(name), f"language {language!r}, {split} split")

    def reading(self) -> dict[str, Any]:
        """All keys that an item's text depends on."""
        told = {key: value for key, value in asdict(self).items() if key not in _NOT_TEXT}
        if not self.group:
            del told["group"]
        return told

    def group_of(self, row: Row) -> str:
        return str(row[self.group]) if self.group else ""

    def rows(self, language: str, split: Split, origin: Origin) -> Iterator[tuple[str, Row]]:
        """The rows of a split with their ids, each of which is there once."""
        file = self.input(language, split, origin).path
        seen: dict[str, int] = {}
        for row in read_rows(Path(file)):
            name = str(row[self.id]) if self.id else str(row.line)
            if not self._is_in(split, name, row):
                continue
            if name in seen:
                raise row.error(f"the id {name!r} is already on line {seen[name]}; ids must be unique in a split")
            seen[name] = row.line
            yield name, row
        if not seen:
            raise DataError(f"{file}: no items for language {language!r} in the {split} split")

    def _is_in(self, split: Split, name: str, row: Row) -> bool:
        if "{split}" in self.files:
            return True
        if self.split_field:
            return str(row[self.split_field]) == self.splits.get(split, split)
        return (item_hash(name, seed=1) < self.test_share * 2**64) == (split == "test")


@dataclass(frozen=True, kw_only=True)
class Prompted(FromFiles):
    """``prompt`` is one template with ``{field}``s, or one a language."""

    prompt: str | dict[str, str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.prompt, dict):
            for language in self.languages:
                if language not in self.prompt:
                    raise SpecError(f"there is no prompt for the language {language!r}", ("prompt",))

    def prompt_of(self, language: str) -> str:
        return self.prompt if isinstance(self.prompt, str) else self.prompt[language]


def check_languages(languages: Collection[str], codes: Collection[str]) -> None:
    """Raise where a task has no language, one that is no BCP 47 tag, or a code for a language that it does not have."""
    if not languages:
        raise SpecError("expected at least one language", ("languages",))
    for language in languages:
        if not is_language(language):
            raise SpecError(
                f"expected BCP 47 language tags, such as 'sw' or 'zh-Hant'; got {language!r}", ("languages",)
            )
    for key in codes:
        if key not in languages:
            raise SpecError(f"no such language: {key!r}{did_you_mean(key, languages)}", ("codes", key))
