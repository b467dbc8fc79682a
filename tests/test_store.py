from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from crossgraft.core import Answers, Cell, Job, Pairing, Point, Record, Score, SourceVariant, Texts, Treatment
from crossgraft.errors import JobFailed, StoreError
from crossgraft.identity import content_id
from crossgraft.runs.storage.layout import Manifest, manifest_from_json, manifest_to_json
from crossgraft.runs.storage.store import Store
from crossgraft.study import Failed

TREATMENT = Treatment("small", "a/en", "trained", Point("a", "en"), (("rank", 8),), seed=1)


def record(name: str = "x", pairing: Pairing = Pairing("cpu", "sdpa", 1)) -> Record:
    answers = Answers(
        "choice",
        ("i1", "i2", "i3"),
        {
            "loglik": np.array([[-1.5, -2.0, np.nan], [-1.0, np.nan, np.nan], [-1.0, -2.0, -3.0]]),
            "gold": np.array([0, 0, 2]),
            "answer": np.array(["a", "b", "ü"], dtype=object),
        },
    )
    return Record(
        id=content_id(name=name),
        treatment_id=content_id(treatment=name),
        treatment=TREATMENT,
        target=Point("b", "zh-Hant"),
        item_set="all",
        texts_id=content_id(texts=1),
        answers=answers,
        pairing=pairing,
        scores=(Score("accuracy", 2 / 3, 3), Score("empty", float("nan"), 0)),
        parse_failures=1,
        timings={"evaluate": 0.5},
        provenance={"versions": {"crossgraft": "0"}},
    )


def job(one: Record) -> Job:
    return Job(one.treatment, one.treatment_id, (Cell(one.target, one.id, one.texts_id, "all", "accuracy"),))


@pytest.mark.parametrize("variant", ["", "sham", "format-only"])
def test_how_a_source_was_changed_reads_back_also_from_stores_that_did_not_say_so(variant: SourceVariant) -> None:
    name = f"evesham/en ({variant})" if variant else "evesham/en"
    job = Job(Treatment("small", name, "trained", source_variant=variant), "id", ())
    told = manifest_to_json(Manifest("study", "", (), (job,)))
    older = {**told, "jobs": [{**one, "treatment": dict(one["treatment"])} for one in told["jobs"]]}
    del older["jobs"][0]["treatment"]["source_variant"]

    assert manifest_from_json(told).jobs == manifest_from_json(older).jobs == (job,)


def test_a_record_reads_back_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.take(record())

    (read,), damages = store.read()

    assert replace(read, scores=()) == replace(record(), scores=())
    assert read.scores[0] == record().scores[0]
    assert np.isnan(read.scores[1].value)
    assert damages == []


def test_taking_a_record_twice_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.take(record())
    store.take(record())

    assert len(store.read()[0]) == 1


def test_a_record_exists_once_a_pairing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.take(record())
    store.take(record(pairing=Pairing("cpu", "sdpa", 2)))

    assert len(store.done()[record().id]) == 2
    assert store.has(record().id, Pairing("cpu", "sdpa", 2).id)
    assert not store.has(record().id, Pairing("cuda", "sdpa", 2).id)


def test_other_tools_read_a_record_with_its_labels(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.take(record())
    (file,) = tmp_path.glob("crossgraft-1/records/*/*.parquet")

    rows = pq.read_table(file).to_pylist()

    assert rows[0]["item"] == "i1"
    assert rows[0]["loglik"] == [-1.5, -2.0]
    assert (rows[0]["model"], rows[0]["source"], rows[0]["target"], rows[0]["seed"]) == (
        "small",
        "a/en",
        "b/zh-Hant",
        1,
    )


def test_pandas_and_polars_read_the_store_without_us(tmp_path: Path) -> None:
    import pandas
    import polars

    store = Store(tmp_path)
    store.take(record("x"))
    store.take(record("y"))
    pattern = str(tmp_path / "crossgraft-1/records/*/*.parquet")

    assert len(polars.read_parquet(pattern)) == 6
    assert (
        len(pandas.concat(pandas.read_parquet(file) for file in Path(tmp_path).glob("crossgraft-1/records/*/*"))) == 6
    )


def test_a_torn_file_is_not_done_and_is_reported_by_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.take(record())
    (file,) = tmp_path.glob("crossgraft-1/records/*/*.parquet")
    file.write_bytes(file.read_bytes()[:-20])

    records, damages = store.read()

    assert (store.done(), records) == ({}, [])
    assert file.name in str(damages[0])


def test_foreign_files_are_reported_and_skipped(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.take(record())
    (file,) = tmp_path.glob("crossgraft-1/records/*/*.parquet")
    (file.parent / "notes.txt").write_text("hello")
    other = file.with_name(f"{'0' * 32}.{'0' * 8}.parquet")
    other.write_bytes(file.read_bytes())

    records, damages = store.read()

    assert len(records) == 1
    assert {damage.file for damage in damages} == {file.parent / "notes.txt", other}


def test_a_partial_file_of_a_killed_writer_is_invisible(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.take(record())
    (file,) = tmp_path.glob("crossgraft-1/records/*/*.parquet")
    (file.parent / ".abc.partial").write_bytes(b"PAR1")

    assert (len(store.read()[0]), store.read()[1]) == (1, [])


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "crossgraft-9").mkdir()

    with pytest.raises(StoreError, match="newer crossgraft .store format 9; this one knows up to 1."):
        Store(tmp_path)


def test_an_older_format_is_read_and_not_written(tmp_path: Path) -> None:
    Store(tmp_path, format=1).take(record("old"))
    newer = Store(tmp_path, format=2)
    newer.take(record("new"))

    assert len(newer.read()[0]) == 2
    assert len(list(tmp_path.glob("crossgraft-2/records/*/*.parquet"))) == 1


def test_texts_are_kept_once_and_read_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    texts = Texts(record().texts_id, ("i1",), {"prompt": ["p"], "options": [["a", "b"]]})
    store.take(record("x"), texts)
    store.take(record("y"), texts)

    assert store.texts(record().texts_id) == texts
    assert store.texts("unknown") is None


def test_a_study_reads_back_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path)
    manifest = Manifest("a study/with a name", 'name = "x"', ("limit=1",), (job(record()),), ("a note",), "/somewhere")
    store.manifests.save(manifest)

    assert store.study(manifest.name) == manifest
    assert store.studies() == (manifest.name,)


def test_an_unknown_study_suggests_the_nearest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.manifests.save(Manifest("intent", "", (), ()))

    with pytest.raises(StoreError, match="no study 'intend'.*did you mean 'intent'"):
        store.study("intend")


def test_a_failure_is_kept_with_its_traceback_until_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one = job(record())
    store.failures.add(Failed(one, JobFailed("no noise"), "Traceback …"))

    (failure,) = store.failures.read()[0].values()
    assert (failure["message"], failure["deterministic"]) == ("no noise", False)
    assert "Traceback …" in store.failures.log_file(one).read_text("utf-8")
    store.failures.forget(one)
    assert store.failures.read()[0] == {}


def test_a_claim_is_exclusive_and_ends(tmp_path: Path) -> None:
    store, one = Store(tmp_path), job(record())

    with store.claim(one) as first, Store(tmp_path).claim(one) as second:
        assert (first, second) == (True, False)
    with store.claim(one) as again:
        assert again


def _write_many(folder: str, offset: int) -> None:
    store = Store(folder)
    for number in range(30):
        store.take(record(str((number + offset) % 30)))


def test_many_writers_at_once_leave_whole_records(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(str(tmp_path), 10 * n)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    records, damages = Store(tmp_path).read()

    assert (len(records), damages) == (30, [])


@pytest.mark.parametrize(("prefix", "message"), [("zz", "no record"), ("", "2 records")])
def test_a_prefix_must_name_one_record(tmp_path: Path, prefix: str, message: str) -> None:
    store = Store(tmp_path)
    store.take(record("x"))
    store.take(record("y"))

    with pytest.raises(StoreError, match=message):
        store.find(prefix)
