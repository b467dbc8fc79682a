"""What a file of items holds, guessed from its name and its first row: for ``crossgraft check``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossgraft.adapters.data import Row, read_rows
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

_OPTIONS = ("options", "choices", "endings", "candidates")
_LISTED = (
    ("A", "B", "C", "D"),
    ("option_a", "option_b", "option_c", "option_d"),
    ("mc_answer1", "mc_answer2", "mc_answer3", "mc_answer4"),
    ("choice1", "choice2"),
    ("option1", "option2"),
    ("ending0", "ending1", "ending2", "ending3"),
)
_ANSWERS = ("answer", "label", "gold", "target", "answerKey", "correct", "answer_index", "correct_answer_num")
_BEFORE = ("passage", "flores_passage", "context", "premise", "article", "document")
_ASKED = ("question", "query", "prompt", "instruction", "input", "sentence", "text")
_IDS = ("id", "uid", "idx", "item_id", "question_id", "guid")


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


def tasks_of(files: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Task tables as a spec has them: files whose names differ in the language only are one task."""
    groups: dict[str, dict[str, str]] = {}
    for file in files:
        found = language_in(file.name.removesuffix(".gz").rpartition(".")[0])
        code, tag = found or ("", "und")
        before, _, after = file.name.rpartition(code) if code else (file.name, "", "")
        pattern = str(file.parent / (f"{before}{{language}}{after}" if code else file.name))
        groups.setdefault(pattern, {})[tag] = code
    tables: dict[str, dict[str, Any]] = {}
    for pattern, codes in groups.items():
        first = Path(pattern.replace("{language}", next(iter(codes.values()))))
        table = {"files": pattern, "languages": list(codes), **_fields(first)}
        if any(tag != code for tag, code in codes.items()) and "{language}" in pattern:
            table["codes"] = codes
        tables[_unused(_name(Path(pattern)), tables)] = table
    return tables


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


def _fields(file: Path) -> dict[str, Any]:
    """Kind of task and names of its fields, from the first row."""
    if file.suffix == ".txt":
        return {"kind": "text", "test_share": 1.0}
    row = next(iter(read_rows(file)), None)
    if row is None:
        raise DataError(f"{file}: expected JSON lines; the file is empty")
    found: dict[str, Any] = {"test_share": 1.0, "id": next((name for name in _IDS if name in row.values), "")}
    answer = next((name for name in _ANSWERS if name in row.values), None)
    asked = next((name for name in _ASKED if name in row.values), None)
    before = next((name for name in _BEFORE if name in row.values), None)
    if answer is None and asked == "text":
        return {**found, "kind": "text"}
    if answer is None or (asked is None and before is None):
        raise DataError(
            f"{file}: cannot tell which fields are question and answer among {', '.join(map(repr, row.values))}; name them "
            "in a spec ([tasks.NAME] with files, prompt, options, answer) and give that to --on"
        )
    parts = [f"{{{name}}}" for name in (before, asked) if name]
    found |= {"answer": answer, "prompt": "\n".join(parts) + "\nAnswer:"}
    options = _options(row)
    return {**found, "kind": "choice", "options": options} if options else {**found, "kind": "open"}


def _options(row: Row) -> str | list[str] | None:
    """The field with the list of options, or templates for options in fields of their own."""
    for name in _OPTIONS:
        if isinstance(row.values.get(name), list):
            return name
    for names in _LISTED:
        if all(name in row.values for name in names):
            return [f"{{{name}}}" for name in names]
    return None
