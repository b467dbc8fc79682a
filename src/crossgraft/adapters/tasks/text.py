"""Running text from JSONL or text files: how well a model predicts it, a cheap probe of forgetting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crossgraft.adapters.items.files import FromFiles
from crossgraft.adapters.tasks import TASKS, Split, TextItem
from crossgraft.errors import DataError
from crossgraft.identity import item_hash
from crossgraft.safety.opening import read_text
from crossgraft.study import Origin


@TASKS.register
@dataclass(frozen=True, kw_only=True)
class Text(FromFiles):
    """``text`` names the field of a JSONL row. In a ``.txt`` file, paragraphs are the items, and their numbers
    the ids: parallel texts keep their paragraphs in order.
    """

    text: str = "text"
    metric: Literal["bits-per-byte"] = "bits-per-byte"

    def identity(self, language: str) -> Mapping[str, Any]:  # noqa: ARG002 - all languages are read alike
        return {**self.reading(), "kind": "text"}

    def items(self, language: str, split: Split, origin: Origin) -> tuple[TextItem, ...]:
        file = Path(self.input(language, split, origin).path)
        if file.suffix == ".txt":
            return tuple(self._paragraphs(file, split))
        found = []
        for name, row in self.rows(language, split, origin):
            if not str(row[self.text]).strip():
                raise row.error(f"expected a text in {self.text!r}; it is empty")
            found.append(TextItem(name, str(row[self.text]), self.group_of(row)))
        return tuple(found)

    def _paragraphs(self, file: Path, split: Split) -> Iterator[TextItem]:
        text = read_text(file)
        paragraphs = [one.strip() for one in text.split("\n\n") if one.strip()]
        if not paragraphs:
            raise DataError(f"{file}: expected paragraphs with blank lines between them; the file is empty")
        for number, paragraph in enumerate(paragraphs, 1):
            in_test = item_hash(str(number), seed=1) < self.test_share * 2**64
            if "{split}" in self.files or in_test == (split == "test"):
                yield TextItem(str(number), paragraph)
