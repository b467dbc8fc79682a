"""Damage to a store is noticed, named, mended by the next run, and stops nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crossgraft.analysis.results import load_findings, load_matrix
from crossgraft.cli.estimate import StudyStatus, store_status
from crossgraft.cli.verify import verify
from crossgraft.core import Cell, Job, Pairing, Point, Record, Texts, Treatment
from crossgraft.errors import SpecError, StoreError
from crossgraft.identity import content_id
from crossgraft.runs.campaign import Campaign, Settings
from crossgraft.runs.fingerprints import FingerprintCache
from crossgraft.runs.storage.garbage import tidy
from crossgraft.runs.storage.layout import Manifest
from crossgraft.runs.storage.store import Store
from crossgraft.safety import files, seals
from crossgraft.spec import load_study
from crossgraft.study import Origin
from crossgraft.testing import Fake
from parts import LANGUAGES

OLD = Path(__file__).parent / "data" / "store-0.1.0"
BROKEN = [b"", b"[]", b"null", b"{", b'{\n "name": 5\n}', b"\xff\xfe", b'{\n "jobs": "all"\n}', b"[" * 10_000]


def job(name: str = "one", run_id: str = "") -> Job:
    cells = tuple(
        Cell(Point("a", language), content_id(n=name, l=language), content_id(l=language), "all", "accuracy")
        for language in ("de", "en")
    )
    return Job(Treatment("m", name, "given"), content_id(n=name), cells, run_id)


def record(one: Job, cell: Cell) -> Record:
    return Fake().record(one, cell)


def manifest(name: str, *jobs: Job) -> Manifest:
    return Manifest(name, "", (), jobs)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two studies with their records and texts."""
    store = Store(tmp_path / "out")
    for name in ("one", "two"):
        one = job(name)
        store.manifests.save(manifest(name, one))
        for cell in one.cells:
            store.take(record(one, cell), Texts(cell.texts_id, ("item-0",), {"prompt": ["?"]}))
    return store


def record_file(store: Store, name: str = "one") -> Path:
    return next(store.root.glob(f"records/*/{job(name).cells[0].record_id}.*"))


def overwrite(file: Path, place: int, content: bytes) -> None:
    with file.open("r+b") as stream:
        stream.seek(place)
        stream.write(content)


def test_no_flipped_bit_of_a_record_counts_as_done(store: Store) -> None:
    file, (cell, _) = record_file(store), job().cells
    whole = file.read_bytes()

    for place in range(0, len(whole), 23):
        overwrite(file, place, bytes([whole[place] ^ 16]))
        assert cell.record_id not in Store(store.out).done()
        overwrite(file, place, whole[place : place + 1])
    assert cell.record_id in Store(store.out).done()


def test_a_change_is_seen_by_who_has_looked_before(store: Store) -> None:
    file, (cell, _) = record_file(store), job().cells
    assert store.has(cell.record_id)

    overwrite(file, 100, b"\0\0\0\0")

    assert not store.has(cell.record_id)
    assert [damage.file for damage in store.damaged_records()] == [file]


def test_a_damaged_record_is_computed_again(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    study, store, settings = load_study(adapter_spec_without_model), Store(tmp_path / "out"), Settings(device="cpu")
    fake = Fake(pairing=Campaign(study, store, settings).pairing)
    first, again = (Campaign(study, store, settings, fake) for _ in range(2))
    list(first)
    file = next(store.root.glob("records/*/*"))
    overwrite(file, 200, b"\0\0\0\0\0")

    list(again)

    assert (first.summary.recorded, again.summary.recorded) == (2 * len(LANGUAGES), 1)
    assert (verify(store), again.summary.left) == ([], 0)


def test_the_checksum_is_over_the_name_too(store: Store) -> None:
    file = record_file(store)
    other = file.with_name(f"{'0' * 32}.{file.name.split('.')[1]}.parquet")
    shutil.copy(file, other)

    assert "0" * 32 not in store.done()


def test_a_store_from_before_checksums_is_read(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path / "out")
    store = Store(tmp_path / "out")

    assert store.studies() == ("Old study/1", "plain")
    assert store_status(store).studies == (StudyStatus("Old study/1", 4, 4), StudyStatus("plain", 4, 4))
    assert verify(store) == []
    assert load_matrix(store, "Old study/1").change.shape == (1, 2)
    assert [one["message"] for one in store.failures.read()[0].values()] == ["told to fail"]


def test_a_study_from_before_is_written_where_no_other_can_be(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path / "out")
    store = Store(tmp_path / "out")

    store.manifests.save(replace(store.study("Old study/1"), notes=("newer",)))

    assert store.study("Old study/1").notes == ("newer",)
    assert store.studies() == ("Old study/1", "plain")


def test_a_record_from_before_that_cannot_be_decoded_is_missing(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path / "out")
    store = Store(tmp_path / "out")
    file = next(store.root.glob("records/*/*"))
    file.write_bytes(file.read_bytes()[:99] + file.read_bytes()[-99:])

    assert len(store.done()) == 3
    assert len(verify(store)) == 1


@pytest.mark.parametrize(("one", "other"), [("a/b", "a_b"), ("a b", "a_b"), ("Ä", "Ö"), ("Study", "study")])
def test_two_names_have_two_manifests(tmp_path: Path, one: str, other: str) -> None:
    store = Store(tmp_path)
    store.manifests.save(manifest(one, job("one")))
    store.manifests.save(manifest(other, job("two")))

    assert store.study(one).jobs == (job("one"),)
    assert store.study(other).jobs == (job("two"),)
    assert len({file.name.lower() for file in store.root.glob("studies/*")}) == 2


@pytest.mark.parametrize("name", ["ü" * 300, "..", "con", "x\0y", "a\udce9b"])
def test_any_name_can_be_kept(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path)
    store.manifests.save(manifest(name))

    assert store.study(name) == manifest(name)


@pytest.mark.parametrize("content", BROKEN)
@pytest.mark.parametrize("broken", ["studies/one.json", "failures/x.json", "fingerprints.json"])
def test_a_broken_file_is_named_and_stops_no_other_study(store: Store, broken: str, content: bytes) -> None:
    (store.root / broken).parent.mkdir(exist_ok=True)
    (store.root / broken).write_bytes(content)

    assert "two" in store.studies()
    assert "two: 2 of 2 results" in "\n".join(store_status(store).lines())
    assert load_findings(store, "two").sentences
    assert FingerprintCache(store.fingerprints).of_file(store.root / broken)
    assert [damage.file for damage in verify(store)] == [store.root / broken]


@pytest.mark.parametrize("broken", ["studies/one.json", "failures/x.json", "fingerprints.json", "records", "texts"])
def test_a_folder_where_a_file_should_be_or_the_other_way_round_is_named(store: Store, broken: str) -> None:
    place = store.root / broken
    files.remove(place)
    place.parent.mkdir(exist_ok=True)
    place.mkdir() if place.suffix else place.write_text("")

    assert "two" in store.studies()
    store_status(store)
    assert place in [damage.file for damage in verify(store)]


def test_a_broken_study_says_how_to_mend_it(store: Store) -> None:
    (store.root / "studies/one.json").write_bytes(b"[]")

    with pytest.raises(StoreError, match="study 'one' cannot be read: .*one.json: .*run its spec again"):
        store.study("one")


def test_broken_texts_are_named_and_written_anew(store: Store) -> None:
    one = job()
    (file,) = store.root.glob(f"texts/{one.cells[0].texts_id}.*")
    file.write_bytes(b"PAR1")

    with pytest.raises(StoreError, match="not a whole Parquet file; no number rests on it"):
        store.texts(one.cells[0].texts_id)
    texts = Texts(one.cells[0].texts_id, ("item-0",), {"prompt": ["?"]})
    store.take(record(one, one.cells[0]), texts)
    assert store.texts(texts.id) == texts


def test_a_record_that_claims_more_than_memory_is_refused(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path / "out")
    store = Store(tmp_path / "out")
    wide, long = sorted(store.root.glob("records/*/*"))[:2]
    table = pq.read_table(wide, partitioning=None)
    meta = json.loads(table.schema.metadata[b"crossgraft"])
    meta["columns"]["loglik"] = [400_000_000]
    pq.write_table(table.replace_schema_metadata({b"crossgraft": json.dumps(meta).encode()}), wide)
    pq.write_table(pa.table({"item": pa.repeat("x", 200_000_000)}).replace_schema_metadata(table.schema.metadata), long)

    reasons = {damage.file: damage.reason for damage in store.read()[1]}

    assert "claims lists of 400000000 values" in reasons[wide]
    assert "claims 200000000 values" in reasons[long]


def test_ids_in_a_manifest_lead_nowhere_else(store: Store) -> None:
    store.manifests.save(manifest("bad", job("bad", run_id="../../..")))

    with pytest.raises(StoreError, match=r"expected an id, got '../../..'"):
        store.study("bad")


def test_what_nobody_writes_any_more_is_tidied_away(store: Store) -> None:
    store.manifests.save(manifest("three", job("three", run_id="wanted")))
    store.artefacts.mkdir()
    old = [store.root / "records" / "ab" / ".x.partial", *(store.artefacts / f".{n}.state" for n in ("gone", "wanted"))]
    for file in (*old, store.root / "studies" / ".young.partial"):
        file.parent.mkdir(exist_ok=True)
        file.write_text("")
    for file in old:
        os.utime(file, (time.time() - 100_000,) * 2)

    tidy(store)

    left = {file.name for file in store.root.rglob(".*")}
    assert left == {".wanted.state", ".young.partial"}


def test_a_file_is_as_readable_as_others(store: Store, tmp_path: Path) -> None:
    (tmp_path / "any").write_text("")

    assert record_file(store).stat().st_mode == (tmp_path / "any").stat().st_mode


def test_names_that_are_no_text_are_printable(store: Store) -> None:
    os.mkdir(os.fsencode(store.root / "records") + b"/\xe9")
    Path(os.fsdecode(os.fsencode(store.root / "records") + b"/\xe9/\xff")).write_text("")

    (damage,) = verify(store)

    assert str(damage).encode()


def test_links_that_lead_back_are_named(store: Store) -> None:
    (store.root / "records" / "loop").symlink_to(store.root / "records" / "loop")
    (store.root / "records" / "up").symlink_to(store.root / "records")

    assert len(Store(store.out).done()) == 4
    assert load_findings(store, "two").sentences


def test_a_sealed_json_is_json(store: Store) -> None:
    content = (store.root / "studies/one.json").read_bytes()

    assert json.loads(content)["name"] == "one"
    assert seals.from_json(content)["name"] == "one"


def test_records_that_share_items_share_them_in_memory(store: Store) -> None:
    first, second = store.read()[0][:2]

    assert first.answers.items is second.answers.items
    assert first.answers.columns["tokens"] is second.answers.columns["tokens"]
    assert not np.array_equal(first.answers.columns["loglik"], second.answers.columns["loglik"])


def test_a_store_on_a_full_disk_says_so(store: Store) -> None:
    files.remove(store.root / "failures")
    (store.root / "failures").symlink_to("/dev/full")

    with pytest.raises(StoreError, match="cannot write into the store: .*failures.*"):
        store.failures.add(_failed())


def _failed() -> object:
    from crossgraft.errors import JobFailed
    from crossgraft.study import Failed

    return Failed(job(), JobFailed("x"))


def test_a_record_made_elsewhere_does_not_hide_a_damaged_one(store: Store) -> None:
    one = job()
    elsewhere = replace(record(one, one.cells[0]), pairing=Pairing("cuda", "", 1))
    store.take(elsewhere)
    overwrite(
        record_file(store).with_name(f"{one.cells[0].record_id}.{Pairing('fake', '', 1).id}.parquet"), 99, b"\0\1"
    )

    assert store.done()[one.cells[0].record_id] == {elsewhere.pairing.id}


@pytest.mark.slow
def test_every_flipped_bit_is_noticed_or_harmless() -> None:
    pytest.importorskip("torch")
    script = Path(__file__).parents[1] / "benchmarks" / "bitflips.py"

    subprocess.run([sys.executable, script, "--flips", "1200"], check=True)


def test_a_path_of_a_spec_has_no_nul() -> None:
    with pytest.raises(SpecError, match="no path has a character NUL"):
        Origin().path("a\0b")
