"""A benchmark of "Donors and Recipients" by name, from the hub at a commit or from a folder in the hub's layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crossgraft.adapters.items.data import Row
from crossgraft.adapters.items.files import check_languages
from crossgraft.adapters.items.hub import COMMIT, DataSet, rows, split_file
from crossgraft.adapters.tasks import TASKS, Item, Split
from crossgraft.adapters.tasks.benchmarks import BENCHMARKS, LANGUAGES, Asked, Benchmark, Form, show
from crossgraft.errors import DataError, SpecError, did_you_mean
from crossgraft.study import Input, Origin

_PREFIX = "benchmark:"


@TASKS.register
@dataclass(frozen=True, kw_only=True)
class NamedBenchmark:
    """``use`` names it: "benchmark:arc-challenge", global-mmlu, hellaswag, truthfulqa. ``form`` is how items are shown: "harness" as
    lm-evaluation-harness evaluates them, "release" as the paper's release trains on them, "text" or "letter" the same way for all.
    ``revision`` is the commit of the data set on the hub; ``folder`` a copy of it (LANGUAGE/SPLIT-00000-of-00001.parquet or
    LANGUAGE/SPLIT.jsonl) to be read instead.
    """

    use: str
    languages: tuple[str, ...] = LANGUAGES
    form: Form = "harness"
    revision: str = ""
    folder: str = ""
    metric: Literal["", "accuracy", "accuracy-per-token", "accuracy-per-char", "accuracy-per-byte"] = ""
    translated: Literal["", "human", "machine", "no", "unknown"] = ""

    def __post_init__(self) -> None:
        check_languages(self.languages, ())
        known = BENCHMARKS.names()
        if self.use.removeprefix(_PREFIX) not in known:
            raise SpecError(
                f"no benchmark is called {self.use!r}{did_you_mean(self.use.removeprefix(_PREFIX), known)}", ("use",)
            )
        for language in self.languages:
            if language not in LANGUAGES:
                raise SpecError(
                    f"the data set has no language {language!r}{did_you_mean(language, LANGUAGES)}", ("languages",)
                )
        if self.revision and not COMMIT.fullmatch(self.revision):
            raise SpecError(f"expected the 40 hexadecimal digits of a commit; got {self.revision!r}", ("revision",))
        if self.revision and self.folder:
            raise SpecError("a local folder has no revision; its content is hashed", ("revision",))
        by_form = {"harness": self.about.metric, "text": "accuracy-per-char"}
        object.__setattr__(self, "metric", self.metric or by_form.get(self.form, "accuracy"))
        object.__setattr__(self, "translated", self.translated or self.about.translated)

    @property
    def about(self) -> Benchmark:
        return BENCHMARKS.get(self.use.removeprefix(_PREFIX))

    def input(self, language: str, split: Split, origin: Origin) -> Input:
        role = f"language {language!r}, {split} split"
        if self.folder:
            return Input("file", str(split_file(Path(origin.path(self.folder)), language, split)), role)
        name = f"datasets/{self.about.hub}/{language}/{split}"
        if not self.revision:
            return Input("value", name, role, "no commit named yet")
        return Input("hub", name, role, self.revision)

    def identity(self, language: str) -> Mapping[str, Any]:
        return {"kind": "benchmark", "use": self.use, "form": self.form, "language": language}

    def items(self, language: str, split: Split, origin: Origin) -> tuple[Item, ...]:
        folder = Path(origin.path(self.folder)) if self.folder else self._set.folder
        if folder is None:
            self.fetch(origin)
            folder = self._set.folder
        assert folder is not None
        found: dict[str, Item] = {}
        file = split_file(folder, language, split)
        for row in rows(file):
            item = self._item(str(row[self.about.id]), row)
            if item.id in found:
                raise row.error(f"the id {item.id!r} is there twice; ids must be unique in a split")
            found[item.id] = item
        if not found:
            raise DataError(f"{file}: no items for language {language!r} in the {split} split")
        return tuple(found.values())

    def is_here(self, language: str, split: Split, origin: Origin) -> bool:  # noqa: ARG002 - a folder is never fetched
        folder = self._set.folder
        return bool(self.folder) or (folder is not None and split_file(folder, language, split).exists())

    def fetch(self, origin: Origin) -> None:
        if not all(self.is_here(language, split, origin) for language in self.languages for split in ("train", "test")):
            self._set.fetch(self.languages, f"tasks, {self.use}")

    def expected(self, split: Split) -> tuple[int, Item]:
        """How many items there are, and one of about the length of the English ones."""
        return self.about.items[split == "test"], self._shown("", self.about.typical)

    def notes(self) -> Iterator[str]:
        if not self.folder and not self.revision:
            yield f'{self.use}: no revision is named; a run needs revision = "<commit>" of {self.about.hub}, or a folder'

    @property
    def _set(self) -> DataSet:
        return DataSet(self.about.hub, self.revision)

    def _item(self, name: str, row: Row) -> Item:
        return self._shown(name, self.about.read(row))

    def _shown(self, name: str, asked: Asked) -> Item:
        shown = show(self.about, asked, self.form)
        return Item(name, shown.prompt, shown.options, asked.gold)
