"""Where the labelled texts of a task lie: train and dev in the source language, test in the target language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from crossgraft.embeddings.downstream.labelled import Fields, Item, files_of, labels_of, read_labelled
from crossgraft.embeddings.downstream.shape import TextShape
from crossgraft.embeddings.downstream.words import words_of
from crossgraft.embeddings.tasks import LanguagePair
from crossgraft.errors import DataError, SpecError, shown
from crossgraft.identity import item_hash
from crossgraft.study import Input, Origin

Split = Literal["train", "dev", "test"]


@dataclass(frozen=True)
class Data:
    """Items of a pair of languages, and the labels of the source."""

    train: tuple[Item, ...]
    dev: tuple[Item, ...]
    test: tuple[Item, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FromFiles:
    """``train``, ``dev`` and ``test`` are patterns with {language}, or {source} and {target}.

    Without ``dev``, a share of the training items is held out, the same by their names. Where one file has all splits,
    ``split_field`` names the field that says which.
    """

    train: str
    test: str
    dev: str = ""
    dev_share: float = 0.2
    split_field: str = ""
    id: str = "id"
    label: str = "label"
    pairs: tuple[str, ...] = ()  # of languages, of the study's; all if empty
    transductive: bool = False  # the vectors have learnt from its texts; it is left out of what BLI predicts

    def __post_init__(self) -> None:
        for key in ("train", "test"):
            pattern = getattr(self, key)
            if not any(part in pattern for part in ("{language}", "{source}", "{target}")) and not self._has_languages:
                raise SpecError(f"expected a file name with {{language}}; got {pattern!r}", (key,))
        if not 0 < self.dev_share < 1:
            raise SpecError(f"expected a share between 0 and 1; got {self.dev_share}", ("dev_share",))

    @property
    def _has_languages(self) -> bool:
        """Whether a file may hold several languages, as XNLI's do."""
        return len(self._texts) > 1

    @property
    def _texts(self) -> tuple[str, ...]:
        """The fields of an item's texts."""
        raise NotImplementedError

    def inputs(self, pair: LanguagePair, origin: Origin) -> tuple[Input, ...]:
        splits: list[Split] = ["train", "dev", "test"] if self.dev else ["train", "test"]
        found = []
        for split in splits:
            path = self.path(split, pair, origin)
            found += [Input("file", str(file), f"{split} texts of {pair}") for file in files_of(path)]
        return tuple(dict.fromkeys(found))

    def reading(self) -> dict[str, Any]:
        """What of the keys decides which texts are read, and how."""
        told = [self._texts, self.label, self.id, self.split_field, None if self.dev else self.dev_share]
        return {"reading": told}

    def notes(self, pair: LanguagePair, origin: Origin) -> tuple[str, ...]:
        """How many texts have no words; labels and files are looked at on the way."""
        data = self.data(pair, origin)
        notes = []
        for split, items in (("training", data.train), ("dev", data.dev), ("test", data.test)):
            if empty := sum(not all(map(words_of, item.texts)) for item in items):
                notes.append(f"{pair}: {empty} of {len(items)} {split} items have an empty text")
        return tuple(notes)

    def text_shape(self, pair: LanguagePair, origin: Origin) -> TextShape:
        """Training and dev texts are asked first, test texts answered."""
        data = self.data(pair, origin)
        source, target = [*data.train, *data.dev], data.test
        words = (sum(text.count(" ") + 1 for item in items for text in item.texts) for items in (source, target))
        return TextShape(len(source), len(target), *words)

    def path(self, split: Split, pair: LanguagePair, origin: Origin) -> Path:
        language = pair.target if split == "test" else pair.source
        name = getattr(self, split).replace("{language}", language)
        return Path(origin.path(name.replace("{source}", pair.source).replace("{target}", pair.target)))

    def _read(self, split: Split, pair: LanguagePair, origin: Origin) -> tuple[Item, ...]:
        language = pair.target if split == "test" else pair.source
        fields = Fields(self._texts, self.label, self.id, self.split_field, split, language)
        path = self.path(split, pair, origin)
        stamps = tuple((file.stat().st_size, file.stat().st_mtime_ns) for file in files_of(path))
        return _labelled(path, fields, stamps)

    def data(self, pair: LanguagePair, origin: Origin) -> Data:
        train, test = (self._read(split, pair, origin) for split in ("train", "test"))
        if self.dev:
            dev = self._read("dev", pair, origin)
        else:
            train, dev = _held_out(train, self.dev_share, self.path("train", pair, origin))
        labels = labels_of(train, self.path("train", pair, origin))
        self._require_known(labels, dev, "dev", pair, origin)
        self._require_known(labels, test, "test", pair, origin)
        chosen = set(sorted((item.name for item in test), key=lambda name: item_hash(name, 0))[: pair.limit or None])
        return Data(train, dev, tuple(item for item in test if item.name in chosen), labels)

    def _require_known(
        self, labels: tuple[str, ...], items: tuple[Item, ...], split: Split, pair: LanguagePair, origin: Origin
    ) -> None:
        if unknown := sorted({item.label for item in items} - set(labels)):
            raise DataError(
                f"{self.path(split, pair, origin)}: the label {shown(unknown[0])} is not in the training texts of "
                f"{pair.source}, which have {', '.join(labels)}"
            )


def _held_out(items: tuple[Item, ...], share: float, path: Path) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Training items and those held out; a group is on one side."""
    dev = tuple(item for item in items if item_hash(item.group or item.name, 2) < share * 2**64)
    train = tuple(item for item in items if item_hash(item.group or item.name, 2) >= share * 2**64)
    if not dev or not train:
        raise DataError(f"{path}: {len(items)} items are too few to hold out a share of {share}; name a dev file")
    return train, dev


@lru_cache(6)
def _labelled(path: Path, fields: Fields, _: tuple[tuple[int, int], ...]) -> tuple[Item, ...]:
    return read_labelled(path, fields)
