"""Topics, documents and judgements of test collections: TREC's markup and qrels, TSV, JSON lines."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from crossgraft.embeddings.downstream.rows import json_rows, required
from crossgraft.errors import DataError, shown
from crossgraft.safety.opening import text_lines

Qrels = Mapping[str, Mapping[str, int]]  # topic → document → judgement, above 0 where relevant

_MARKUP = re.compile(r"<[^<>]*>")
_EDGE = re.compile(r"(</?(?:DOC|top|topic)(?:\s[^<>]*)?>)", re.IGNORECASE)
_CLOSED = re.compile(r"<([A-Za-z][\w.-]*)[^<>]*>(.*?)</\1>", re.DOTALL)
_NAMED = re.compile(r"<(docno|docid)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_ELEMENT = re.compile(
    r"<(?:[A-Za-z]{2}-)?([A-Za-z][\w.-]*)[^<>]*>([^<]*)"
)  # also what is never closed; DE-title is title
_SAID = re.compile(r"^\s*(?:Number|Topic|Description|Narrative)\s*:", re.IGNORECASE)
_NAMES = {"docno", "num", "identifier", "docid"}  # of elements that name a document or topic
_LONG = {"description": "desc", "narrative": "narr"}
_ID_KEYS = ("id", "_id", "docid", "docno", "qid")


def read_documents(file: Path, fields: Sequence[str] = ()) -> dict[str, str]:
    """Document → its text; of TREC's markup all elements, or those named."""
    return _read(file, tuple(field.lower() for field in fields), "document")


def read_topics(file: Path, fields: Sequence[str] = ("title", "desc")) -> dict[str, str]:
    """Topic → its text; of TREC's markup the title and the description, or the elements named."""
    return _read(file, tuple(field.lower() for field in fields), "topic")


def _read(file: Path, fields: tuple[str, ...], what: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, name, text in _entries(file, fields, what):
        if name in found:
            raise DataError(f"{file}, line {number}: the {what} {shown(name)} is there twice; keep one of them")
        if not name or len(name.split()) > 1:
            raise DataError(f"{file}, line {number}: expected a name without spaces for the {what}; got {shown(name)}")
        found[name] = text
    if not found:
        raise DataError(f"{file}: it has no {what}; expected TREC markup, or a line 'id TAB text' for each")
    return found


def _entries(file: Path, fields: tuple[str, ...], what: str) -> Iterator[tuple[int, str, str]]:
    """Line, name and text of each."""
    if file.name.removesuffix(".gz").endswith((".jsonl", ".json")):
        return _from_json(file)
    first = next((line for _, line in text_lines(file) if line.strip()), "")
    return _from_markup(file, fields, what) if first.lstrip().startswith("<") else _from_tsv(file, what)


def _from_json(file: Path) -> Iterator[tuple[int, str, str]]:
    for number, row in json_rows(file):
        key = next((key for key in _ID_KEYS if key in row), "id")
        text = required(row, "text", file, number)
        yield number, str(required(row, key, file, number)), f"{row.get('title', '')} {text}".strip()


def _from_tsv(file: Path, what: str) -> Iterator[tuple[int, str, str]]:
    for number, line in text_lines(file):
        if line.strip():
            name, tab, text = line.partition("\t")
            if not tab or not name.strip():
                raise DataError(f"{file}, line {number}: expected a {what} as 'id TAB text'; got {shown(line)}")
            yield number, name.strip(), text


def _from_markup(file: Path, fields: tuple[str, ...], what: str) -> Iterator[tuple[int, str, str]]:
    for number, block in _blocks(file):
        elements = [(name.lower(), text) for name, text in _ELEMENT.findall(block)]
        names = [text for name, text in elements if name in _NAMES]
        if not names or not (name := _SAID.sub("", names[0]).strip()):
            raise DataError(f"{file}, line {number}: this {what} has no name; expected <DOCNO> or <num>")
        if what == "topic":
            text = " ".join(_SAID.sub("", text) for key, text in elements if _LONG.get(key, key) in fields)
        elif fields:
            text = " ".join(inside for key, inside in _CLOSED.findall(block) if key.lower() in fields)
        else:
            text = _NAMED.sub(" ", block)
        yield number, name, " ".join(_MARKUP.sub(" ", text).split())


def _blocks(file: Path) -> Iterator[tuple[int, str]]:
    """The inside of each document or topic, and the line on which it begins."""
    begun, parts = 0, list[str]()
    for number, line in text_lines(file):
        for part in _EDGE.split(line):
            if not _EDGE.fullmatch(part):
                parts.append(part)
            elif begun and not part.startswith("</"):
                raise DataError(f"{file}, line {number}: expected the end of what begins on line {begun}; got {part!r}")
            else:
                if begun:
                    yield begun, "\n".join(parts)
                begun, parts = (0 if begun else number), []
    if begun:
        raise DataError(f"{file}, line {begun}: what begins here has no end; the file may be cut short")


def read_qrels(file: Path) -> Qrels:
    """Judgements by topic: TREC's four columns, or topic, document and judgement with tabs between."""
    found: dict[str, dict[str, int]] = {}
    for number, line in text_lines(file):
        if not line.strip():
            continue
        columns = line.split("\t") if line.count("\t") == 2 else line.split()
        if number == 1 and "\t" in line and len(columns) == 3 and not _is_number(columns[-1]):
            continue  # names of columns
        if len(columns) not in (3, 4) or not _is_number(columns[-1]):
            raise DataError(
                f"{file}, line {number}: expected 'topic 0 document judgement'; got {shown(line)}; correct the line"
            )
        found.setdefault(columns[0].strip(), {})[columns[-2].strip()] = int(columns[-1])
    return found


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*-?\d{1,9}\s*", text) is not None


def relevant(qrels: Qrels, topic: str) -> dict[str, int]:
    """The relevant documents of a topic."""
    return {name: grade for name, grade in qrels.get(topic, {}).items() if grade > 0}


def check_judged(file: Path, qrels: Qrels, topics: Iterable[str], documents: Container[str]) -> None:
    """Raise where a relevant document is not in the collection."""
    missing = [(topic, name) for topic in topics for name in relevant(qrels, topic) if name not in documents]
    if missing:
        named = ", ".join(f"{shown(name)} for topic {topic}" for topic, name in missing[:3])
        raise DataError(
            f"{file}: {len(missing)} relevant documents are not in the collection, such as {named}; "
            "add them to it, or take their lines out"
        )
