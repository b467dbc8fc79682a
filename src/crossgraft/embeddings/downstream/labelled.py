"""Labelled texts in the layouts of their data sets: JSON lines, MLDoc's and XNLI's TSV, the folders of the TED corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossgraft.embeddings.downstream.rows import json_rows, required
from crossgraft.errors import DataError, shown
from crossgraft.safety.opening import is_folder, read_text, text_lines

SIDES = ("positive", "negative")  # the folders of a topic in the TED corpus
_NO_LABEL = ("", "-")  # MultiNLI's annotators did not agree
_COLUMNS = {  # of XNLI and MultiNLI → ours
    "gold_label": "label",
    "sentence1": "premise",
    "sentence2": "hypothesis",
    "hypo": "hypothesis",
    "pairID": "id",
}
_LABELS = {"contradictory": "contradiction"}  # in the translated training sets of XNLI


@dataclass(frozen=True)
class Fields:
    """Which fields of a row say what; of ``split_field``, where it is set, only rows with the value ``split`` count."""

    texts: tuple[str, ...]
    label: str = "label"
    id: str = "id"
    split_field: str = ""
    split: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One text, or a pair of them; ``part`` is the question asked of it, where a data set has several."""

    name: str
    texts: tuple[str, ...]
    label: str
    part: str = ""
    group: str = ""


def read_labelled(path: Path, fields: Fields) -> tuple[Item, ...]:
    """The items of a file or folder, each name once."""
    found: dict[str, Item] = {}
    for where, item in _items(path, fields):
        if item.name in found:
            raise DataError(f"{where}: the item {shown(item.name)} is there twice; names must be different")
        found[item.name] = item
    if not found:
        split = f" in the {fields.split} split" if fields.split_field else ""
        raise DataError(f"{path}: it has no labelled text{split}")
    return tuple(found.values())


def files_of(path: Path) -> tuple[Path, ...]:
    """The files that are read: the path itself, or what lies in the folders of a TED corpus."""
    return tuple(file for _, _, file in _ted_files(path)) if is_folder(path) else (path,)


def _items(path: Path, fields: Fields) -> Iterator[tuple[str, Item]]:
    if is_folder(path):
        return _from_ted(path)
    if path.name.removesuffix(".gz").endswith((".jsonl", ".json")):
        return _from_json(path, fields)
    return _from_columns(path, fields) if len(fields.texts) > 1 else _from_mldoc(path)


def _from_json(file: Path, fields: Fields) -> Iterator[tuple[str, Item]]:
    for number, row in json_rows(file):
        if fields.split_field and required(row, fields.split_field, file, number) != fields.split:
            continue
        name = str(required(row, fields.id, file, number)) if fields.id else str(number)
        yield f"{file}, line {number}", _item(row, fields, name, file, number)


def _item(row: Mapping[str, Any], fields: Fields, name: str, file: Path, number: int) -> Item:
    texts = tuple(str(required(row, field, file, number)) for field in fields.texts)
    return Item(name, texts, str(required(row, fields.label, file, number)))


def _from_mldoc(file: Path) -> Iterator[tuple[str, Item]]:
    for number, line in text_lines(file):
        if line.strip():
            label, tab, text = line.partition("\t")
            if not tab or not label.strip():
                raise DataError(f"{file}, line {number}: expected 'label TAB text'; got {shown(line)}")
            yield f"{file}, line {number}", Item(str(number), (text,), label.strip())


def _from_columns(file: Path, fields: Fields) -> Iterator[tuple[str, Item]]:
    """Named columns, as XNLI has them, of which ``language`` chooses rows; pairs without a label are passed over."""
    lines = text_lines(file)
    head = [_COLUMNS.get(name, name) for name in next(lines, (0, ""))[1].split("\t")]
    for number, line in lines:
        if not line.strip():
            continue
        values = line.split("\t")
        if len(values) != len(head):
            raise DataError(
                f"{file}, line {number}: expected {len(head)} columns as in the first line; got {len(values)}"
            )
        row = dict(zip(head, values, strict=True))
        if row.get("language", fields.language) != fields.language or row.get(fields.label) in _NO_LABEL:
            continue
        item = _item(row, fields, row.get("id", str(number)), file, number)
        yield f"{file}, line {number}", Item(item.name, item.texts, _LABELS.get(item.label, item.label))


def _from_ted(folder: Path) -> Iterator[tuple[str, Item]]:
    """Each document once a topic; a document is one group, whatever it is asked."""
    for topic, side, file in _ted_files(folder):
        yield str(file), Item(f"{topic}/{file.stem}", (read_text(file),), side, topic, file.stem)


def _ted_files(folder: Path) -> Iterator[tuple[str, str, Path]]:
    topics = [path for path in sorted(folder.iterdir()) if any((path / side).is_dir() for side in SIDES)]
    if not topics:
        raise DataError(
            f"{folder}: expected a folder for each topic, with folders 'positive' and 'negative'; none is there"
        )
    for topic in topics:
        for side in SIDES:
            for file in sorted((topic / side).glob("*")):
                if file.is_file() and not file.name.startswith("."):
                    yield topic.name, side, file


def labels_of(items: Sequence[Item], path: Path) -> tuple[str, ...]:
    """The labels that a model is to tell apart, sorted."""
    found = tuple(sorted({item.label for item in items}))
    if len(found) < 2:
        raise DataError(f"{path}: every item has the label {shown(found[0])}; a model needs at least two to learn")
    return found
