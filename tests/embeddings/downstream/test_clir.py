from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from crossgraft.core import Record
from crossgraft.embeddings.downstream.documents.runs import write_runs
from crossgraft.errors import DataError, SpecError, StoreError
from crossgraft.metrics import METRICS
from crossgraft.runs.campaign import Campaign, Settings, describe_study, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Remark

ONE = Settings(threads=1)


def records_of(spec: Path, out: Path, *sets: str) -> dict[str, Record]:
    summary = run(load_study(spec, list(sets)), out, settings=ONE)
    assert summary.failed == []
    return {record.treatment.name: record for record in Store(out).read()[0]}


def score(record: Record, metric: str = "AP") -> float:
    return next(one.value for one in record.scores if one.metric == metric)


@pytest.mark.parametrize("by", ["vectors", "query-likelihood", "bm25"])
def test_mapped_spaces_find_documents_that_unmapped_ones_do_not(clir_spec: Path, tmp_path: Path, by: str) -> None:
    found = records_of(clir_spec, tmp_path / "out", f'tasks.clir.by="{by}"')

    assert score(found["procrustes"]) > 0.85
    assert score(found["unmapped"]) < 0.35


def test_a_shuffled_dictionary_finds_no_more_than_none(clir_spec: Path, tmp_path: Path) -> None:
    file = clir_spec.parent / "de-en.train.tsv"
    pairs = [line.split("\t") for line in file.read_text().splitlines()]
    file.write_text("".join(f"{pair[0]}\t{pairs[place - 7][1]}\n" for place, pair in enumerate(pairs)))

    assert score(records_of(clir_spec, tmp_path / "out")["procrustes"]) < 0.35


def test_the_two_forms_of_smoothing_are_different_results(clir_spec: Path, tmp_path: Path) -> None:
    by = 'tasks.clir.by="query-likelihood"'
    run(load_study(clir_spec, [by]), tmp_path / "out", settings=ONE)
    run(load_study(clir_spec, [by, 'tasks.clir.smoothing="jelinek-mercer"']), tmp_path / "out", settings=ONE)

    records = [one for one in Store(tmp_path / "out").read()[0] if one.treatment.name == "procrustes"]
    assert len(records) == 2
    assert all(score(record) > 0.85 for record in records)


def test_the_control_carries_what_needs_no_mapping(clir_spec: Path, tmp_path: Path) -> None:
    found = records_of(clir_spec, tmp_path / "out")

    references = found["unmapped"].provenance["references"]
    assert references["BM25, monolingual"]["AP"] > 0.95
    assert references["query likelihood, untranslated"]["AP"] == 0
    assert "references" not in found["procrustes"].provenance


def test_a_document_without_vectors_is_counted_said_and_not_retrieved(clir_spec: Path, tmp_path: Path) -> None:
    file = clir_spec.parent / "docs.en.tsv"
    file.write_text(re.sub(r"^d1\t.*$", "d1\tnothing known", file.read_text(), flags=re.MULTILINE))

    events = list(Campaign(load_study(clir_spec), Store(tmp_path / "out"), ONE))

    said = [event.text for event in events if isinstance(event, Remark)]
    assert said == ["1 documents of de:en have no word with a vector"]
    record = next(one for one in Store(tmp_path / "out").read()[0] if not one.treatment.is_control)
    assert record.answers.columns["ranks"][record.answers.items.index("t1")].tolist() == [np.inf]
    assert record.provenance["without_vectors"] == {"topics": 0, "documents": 1}


def test_topics_without_relevant_documents_are_left_out_and_noted(clir_spec: Path, tmp_path: Path) -> None:
    file = clir_spec.parent / "qrels.txt"
    file.write_text(file.read_text().replace("t0 0 d0 1", "t0 0 d0 0"))

    notes = describe_study(load_study(clir_spec), Store(tmp_path / "out")).notes
    found = records_of(clir_spec, tmp_path / "out")

    assert notes == ("de:en: 1 topics have no relevant document and are left out",)
    assert "t0" not in found["procrustes"].answers.items
    assert len(found["procrustes"].answers) == 11


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("qrels.txt", "t0 0 d99 1\n", "1 relevant documents are not in the collection, such as 'd99' for topic t0"),
        ("qrels.txt", "q0 0 d0 1\n", "none of the 12 topics has a relevant document"),
        ("qrels.txt", "t0 0 d0\n", "line 1: expected 'topic 0 document judgement'; got 't0 0 d0'"),
        ("topics.de.tsv", "t0 de1\n", "line 1: expected a topic as 'id TAB text'; got 't0 de1'"),
        ("topics.de.tsv", "t0\tde1\nt0\tde2\n", "line 2: the topic 't0' is there twice"),
        ("docs.en.tsv", "\n", "it has no document; expected TREC markup, or a line 'id TAB text' for each"),
        ("docs.en.tsv", "d 0\ten1\n", "expected a name without spaces for the document; got 'd 0'"),
        ("docs.en.tsv", "<DOC>\n<DOCNO>d0</DOCNO>\nen1\n", "line 1: what begins here has no end"),
        ("docs.en.tsv", "<DOC>\nen1\n</DOC>\n", "line 1: this document has no name; expected <DOCNO> or <num>"),
    ],
)
def test_a_broken_file_is_one_sentence(clir_spec: Path, tmp_path: Path, file: str, text: str, message: str) -> None:
    (clir_spec.parent / file).write_text(text)

    with pytest.raises(DataError, match=re.escape(message)):
        describe_study(load_study(clir_spec), Store(tmp_path / "out"))


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ('topics="topics.tsv"', "expected a file name with {language}; got 'topics.tsv'"),
        ("mu=0.0", "expected a pseudo-count above 0; got 0.0"),
        ("weight=1.0", "expected a weight between 0 and 1; got 1.0"),
        ("b=2.0", "expected k1 of at least 0 and b from 0 to 1; got 1.2 and 2.0"),
        ("depth=-1", "expected depth, kept and shortest of at least 0"),
    ],
)
def test_a_wrong_setting_is_one_sentence(clir_spec: Path, sets: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        load_study(clir_spec, [f"tasks.clir.{sets}"])


def test_results_depend_on_the_judgements(clir_spec: Path, tmp_path: Path) -> None:
    before = [
        cell.record_id for job in describe_study(load_study(clir_spec), Store(tmp_path)).jobs for cell in job.cells
    ]
    file = clir_spec.parent / "qrels.txt"
    file.write_text(file.read_text() + "t0 0 d5 1\n")

    after = [
        cell.record_id for job in describe_study(load_study(clir_spec), Store(tmp_path)).jobs for cell in job.cells
    ]

    assert not set(before) & set(after)


def test_run_files_hold_what_was_retrieved(clir_spec: Path, tmp_path: Path) -> None:
    found = records_of(clir_spec, tmp_path / "out", "tasks.clir.kept=5")

    files = list(write_runs(Store(tmp_path / "out"), "", tmp_path / "runs"))

    assert {file.name for file in files} == {"unmapped.clir-de-en.run", "procrustes.clir-de-en.run"}
    lines = [line.split() for line in (tmp_path / "runs" / "procrustes.clir-de-en.run").read_text().splitlines()]
    assert len(lines) == 12 * 5
    first = {line[0]: line[2] for line in lines if line[3] == "1"}
    assert tuple(first.values()) == tuple(found["procrustes"].answers.columns["answer"])
    with pytest.raises(StoreError, match="exists already; choose another folder"):
        list(write_runs(Store(tmp_path / "out"), "", tmp_path / "runs"))


def test_run_files_have_the_scores_of_the_records_for_each_topic_by_trec_eval(clir_spec: Path, tmp_path: Path) -> None:
    ir_measures = pytest.importorskip(
        "ir_measures", reason="ir_measures is not installed; pip install 'crossgraft[checks]'"
    )
    found = records_of(clir_spec, tmp_path / "out", "tasks.clir.depth=100")
    qrels = list(ir_measures.read_trec_qrels(str(clir_spec.parent / "qrels.txt")))
    theirs = {"AP": ir_measures.AP, "RR": ir_measures.RR, "nDCG@10": ir_measures.nDCG @ 10}

    assert len(list(write_runs(Store(tmp_path / "out"), "", tmp_path / "runs"))) == len(found)
    for name, record in found.items():
        file = next(file for file in (tmp_path / "runs").iterdir() if file.name.startswith(name))
        run = list(ir_measures.read_trec_run(str(file)))
        for metric, measure in theirs.items():
            expected = {one.query_id: one.value for one in ir_measures.iter_calc([measure], qrels, run)}
            rows = METRICS.get(metric).statistics(record.answers)
            ours = dict(zip(record.answers.items, rows[:, 0] / rows[:, 1], strict=True))
            assert ours == pytest.approx(expected, abs=1e-12), (name, metric)


def test_a_transductive_task_has_the_same_results_and_is_named_in_the_study(clir_spec: Path, tmp_path: Path) -> None:
    plain, marked = (load_study(clir_spec, sets) for sets in ([], ["tasks.clir.transductive=true"]))

    described = [describe_study(study, Store(tmp_path / "out")) for study in (plain, marked)]

    assert described[0].jobs == described[1].jobs
    assert described[0].labels.transductive == {}
    assert described[1].labels.transductive == {"clir": True}
