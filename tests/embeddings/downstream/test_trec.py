from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from crossgraft.embeddings.downstream.documents.trec import read_documents, read_qrels, read_topics

CLASSIC = """<top>
<num> Number: 301
<title> Organized Crime
<desc> Description:
Name a gang
<narr> Narrative:
Not this.
</top>
"""
CLEF = """<top><num> C141 </num>
<DE-title> Briefbombe </DE-title>
<DE-desc> Finde Berichte
über sie. </DE-desc><DE-narr> Nicht dies </DE-narr></top>
<top><num>C142</num><DE-title>Christo</DE-title><DE-desc>Reichstag</DE-desc></top>"""
XML = "<topics><topic><identifier>10</identifier><title>a</title><description>b</description></topic></topics>"


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        (CLASSIC, {"301": "Organized Crime Name a gang"}),
        (CLEF, {"C141": "Briefbombe Finde Berichte über sie.", "C142": "Christo Reichstag"}),
        (XML, {"10": "a b"}),
    ],
)
def test_topics_are_title_and_description_in_each_dialect(tmp_path: Path, text: str, topics: dict[str, str]) -> None:
    file = tmp_path / "topics.txt"
    file.write_text(text, "utf-8")

    assert read_topics(file) == topics


def test_the_fields_of_topics_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "topics.txt").write_text(CLASSIC)

    assert read_topics(tmp_path / "topics.txt", ("narr",)) == {"301": "Not this."}


DOC = "<DOC>\n<DOCNO> A-1 </DOCNO>\n<DATE>1994</DATE>\n<TEXT><P>one</P>\n<P>two</P></TEXT>\n</DOC>\n"


@pytest.mark.parametrize(("fields", "text"), [((), "1994 one two"), (("TEXT",), "one two")])
def test_documents_have_all_fields_or_those_named(tmp_path: Path, fields: tuple[str, ...], text: str) -> None:
    (tmp_path / "docs.gz").write_bytes(gzip.compress((DOC + DOC.replace("A-1", "A-2")).encode()))

    assert read_documents(tmp_path / "docs.gz", fields) == {"A-1": text, "A-2": text}


def test_json_lines_may_have_titles(tmp_path: Path) -> None:
    (tmp_path / "docs.jsonl").write_text('{"_id": "a", "title": "One", "text": "two"}\n{"id": 2, "text": "three"}\n')

    assert read_documents(tmp_path / "docs.jsonl") == {"a": "One two", "2": "three"}


@pytest.mark.parametrize("text", ["q 0 d 1\nq Q0 e 0\n", "query-id\tcorpus-id\tscore\nq\td\t1\nq\te\t0\n"])
def test_judgements_have_four_columns_or_three(tmp_path: Path, text: str) -> None:
    (tmp_path / "qrels").write_text(text)

    assert read_qrels(tmp_path / "qrels") == {"q": {"d": 1, "e": 0}}
