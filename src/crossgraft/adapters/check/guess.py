"""What files of items hold, guessed from their names and rows: for ``crossgraft check``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossgraft.adapters.check.layouts import recognise
from crossgraft.adapters.items.data import Row, read_rows
from crossgraft.core import is_language
from crossgraft.errors import DataError

_ISO_639_1 = """aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg
    ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn
    no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta
    te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"""
_LANGUAGES = frozenset(_ISO_639_1.split())
_SPLITS = frozenset({"train", "test", "dev", "valid", "val", "validation", "eval"})
_PARTS = re.compile(r"[^.\s/]+")
_CODE = re.compile(r"([a-z]{2,3})(?:[-_]([A-Z][a-z]{3}|[A-Z]{2}))?")

_IDS = ("id", "uid", "idx", "item_id", "question_id", "guid")
_LANGUAGE_FIELDS = ("language", "lang", "locale")
_TESTS = ("test", "dev", "validation", "valid", "val", "eval")  # what a field calls the test split, the best first


@dataclass(frozen=True)
class Guess:
    """A task's table as a spec has it, what its rows were taken for, what is not read, and why it is not certain."""

    file: Path  # the first one
    table: dict[str, Any]
    layout: str
    unused: tuple[str, ...] = ()
    doubt: str = ""


def language_in(stem: str) -> tuple[str, str] | None:
    """The part of a file's name that names its language, and the BCP 47 tag it stands for.

    >>> language_in("xcopa.et.test"), language_in("belebele_swh_Latn"), language_in("zh-Hant"), language_in("items")
    (('et', 'et'), ('swh_Latn', 'swh-Latn'), ('zh-Hant', 'zh-Hant'), None)
    """
    for part in _PARTS.findall(stem):
        pieces = [part, *(part[match.end() :] for match in re.finditer(r"[-_]", part))]
        for piece in pieces:
            match = _CODE.fullmatch(piece)
            if match and (match[1] in _LANGUAGES or match[2]):
                return piece, piece.replace("_", "-")
    return None


def tasks_of(files: Sequence[Path]) -> dict[str, Guess]:
    """Guesses by name of task: files whose names differ in the language only are one task."""
    groups: dict[str, dict[str, str]] = {}
    for file in files:
        found = language_in(file.name.removesuffix(".gz").rpartition(".")[0])
        code, tag = found or ("", "")
        before, _, after = file.name.rpartition(code) if code else (file.name, "", "")
        pattern = str(file.parent / (f"{before}{{language}}{after}" if code else file.name))
        groups.setdefault(pattern, {})[tag] = code
    guesses: dict[str, Guess] = {}
    for pattern, codes in groups.items():
        guesses[_unused(_name(Path(pattern)), guesses)] = _guess(pattern, codes)
    return guesses


def _name(pattern: Path) -> str:
    """What the file is called, without language and split; or else its folder."""
    stem = pattern.name.removesuffix(".gz").rpartition(".")[0].replace("{language}", "")
    words = [word for word in re.split(r"[._\-\s]+", stem) if word and word not in _SPLITS]
    return "-".join(words) or pattern.parent.name or "items"


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    number = 2
    unused = name
    while unused in taken:
        unused = f"{name}-{number}"
        number += 1
    return unused


def _guess(pattern: str, codes: Mapping[str, str]) -> Guess:
    """From all rows of all languages."""
    files = [Path(pattern.replace("{language}", code)) for code in codes.values()]
    if files[0].name.removesuffix(".gz").endswith(".txt"):
        table = {**_where(pattern, codes, ""), "kind": "text", "test_share": 1.0}
        return Guess(files[0], table, "running text, a paragraph an item")
    rows = {file: list(read_rows(file)) for file in files}
    for file, some in rows.items():
        if not some:
            raise DataError(f"{file}: expected JSON lines; the file is empty")
    tag, mixed = _languages(rows)
    layout = recognise([row for some in rows.values() for row in some])
    fields: dict[str, Any] = _split(rows) | {"id": _id(rows)}
    where = _where(pattern, codes, tag)
    taken = {*layout.uses, fields["id"], fields.get("split_field", "")}
    left = dict.fromkeys(name for some in rows.values() for row in some for name in row.values if name not in taken)
    return Guess(
        files[0],
        {**where, **layout.table, **fields},
        layout.name,
        tuple(left),
        "; ".join(filter(None, [mixed, layout.doubt])),
    )


def _where(pattern: str, codes: Mapping[str, str], tag: str) -> dict[str, Any]:
    """Files and languages; of a file whose name tells no language, the one its rows tell."""
    if "{language}" not in pattern:
        return {"files": pattern, "languages": [tag or "und"]}
    table: dict[str, Any] = {"files": pattern, "languages": list(codes)}
    return table | {"codes": dict(codes)} if any(tag != code for tag, code in codes.items()) else table


def _languages(rows: Mapping[Path, Sequence[Row]]) -> tuple[str, str]:
    """The language that the rows of a file name, and the doubt if they name several."""
    tag = ""
    for file, some in rows.items():
        for name in _LANGUAGE_FIELDS:
            tags = sorted({str(row.values[name]) for row in some if name in row.values})
            if len(tags) > 1:
                return (
                    "",
                    f"{name!r} has {len(tags)} languages in {file.name}, such as {tags[0]!r} and {tags[1]!r}: one file a language is expected",
                )
            if tags and is_language(tags[0]):
                tag = tag or tags[0]
    return tag, ""


def _split(rows: Mapping[Path, Sequence[Row]]) -> dict[str, Any]:
    """The field that tells the split, where it tells more than one; or all rows."""
    for field in ("split", "partition"):
        splits = {str(row.values.get(field)) for some in rows.values() for row in some}
        theirs = next((name for name in _TESTS if name in splits), "")
        if len(splits) > 1 and theirs:
            return {"split_field": field, **({} if theirs == "test" else {"splits": {"test": theirs}})}
    return {"test_share": 1.0}


def _id(rows: Mapping[Path, Sequence[Row]]) -> str:
    """The field with the ids: every row has one, and no two rows of a file the same; "" takes the number of the line."""
    for name in _IDS:
        ids = [[row.values.get(name) for row in some] for some in rows.values()]
        if all(None not in some and len(set(map(str, some))) == len(some) for some in ids):
            return name
    return ""
