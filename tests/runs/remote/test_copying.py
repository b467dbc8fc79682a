"""A store and its copy behind a URL: what one side lacks comes from the other, whole, and nothing else does."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from crossgraft.core import Cell, Job, Point, Texts, Treatment
from crossgraft.errors import StoreError
from crossgraft.identity import content_id
from crossgraft.runs.storage.compaction import compact
from crossgraft.runs.storage.layout import Manifest
from crossgraft.runs.storage.remote.bucket import Bucket
from crossgraft.runs.storage.remote.copying import Copied, pull, push
from crossgraft.runs.storage.remote.parts import Selection
from crossgraft.runs.storage.store import Store
from crossgraft.safety import seals
from crossgraft.testing import Fake

pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'crossgraft[remote]'")
ALL = Selection()


def job(name: str) -> Job:
    cells = [
        Cell(Point("a", lang), content_id(n=name, l=lang), content_id(l=lang), "all", "accuracy")
        for lang in ("de", "en")
    ]
    return Job(Treatment("m", name, "given"), content_id(n=name), tuple(cells), content_id(run=name))


def manifest(study: str, *names: str) -> Manifest:
    return Manifest(study, 'study = "toy"', (), tuple(job(name) for name in names))


def fill(store: Store, study: str, *names: str) -> Store:
    """A study with the records, texts and adapters of its jobs."""
    store.manifests.save(manifest(study, *names))
    for entry in (job(name) for name in names):
        for cell in entry.cells:
            store.take(Fake().record(entry, cell), Texts(cell.texts_id, ("1",), {"text": ("x",)}))
        adapter(store, entry.run_id, f"weights of {entry.treatment.name}")
    return store


def adapter(store: Store, run: str, weights: str) -> Path:
    folder = store.artefacts / run
    folder.mkdir(parents=True)
    (folder / "training.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_text(weights)
    seals.seal_folder(folder)
    (folder / "README.md").write_text("A card.")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Store:
    return fill(Store(tmp_path / "source"), "first", "x", "y")


@pytest.fixture(params=["memory", "file"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket:
    (tmp_path / "bucket").mkdir()
    return Bucket.at(f"{request.param}://{tmp_path}/bucket/prefix".replace("memory:///", "memory://"))


def results(copied: list[Copied]) -> dict[str, int]:
    return dict(Counter(entry.result for entry in copied))


def contents(store: Store) -> dict[str, bytes]:
    return {
        file.relative_to(store.root).as_posix(): file.read_bytes()
        for file in store.root.rglob("*")
        if file.is_file() and "claims" not in file.parts
    }


def test_a_store_that_is_pushed_and_pulled_is_the_same_to_the_last_byte(
    source: Store, bucket: Bucket, tmp_path: Path
) -> None:
    other = Store(tmp_path / "other")

    pushed, pulled = list(push(source, bucket, ALL)), list(pull(other, bucket))

    assert results(pushed) == results(pulled) == {"copied": 4 + 2 + 2 + 1}
    assert contents(other) == contents(source)


def test_a_second_push_and_pull_copy_nothing(source: Store, bucket: Bucket) -> None:
    list(push(source, bucket, ALL))

    assert results(list(push(source, bucket, ALL))) == {"there": 9}
    assert results(list(pull(source, bucket))) == {"there": 9}


def test_two_stores_that_push_to_one_place_are_merged(source: Store, bucket: Bucket, tmp_path: Path) -> None:
    second = fill(Store(tmp_path / "second"), "second", "y", "z")

    list(push(source, bucket, ALL))
    list(push(second, bucket, ALL))
    list(pull(source, bucket))

    assert set(source.done()) == {cell.record_id for name in "xyz" for cell in job(name).cells}
    assert source.studies() == ("first", "second")


def test_claims_temporary_files_states_and_failures_stay_here(source: Store, bucket: Bucket) -> None:
    for name in ("claims/abc", "adapters/.run.state", "records/ab/.x.partial", "failures/abc.json", "logs/abc.log"):
        (source.root / name).parent.mkdir(parents=True, exist_ok=True)
        (source.root / name).write_text("x")
    (source.artefacts / "spaces" / "key").mkdir(parents=True)

    list(push(source, bucket, ALL))

    kinds = Counter(name.split("/")[1] for name in bucket.sizes())
    assert kinds == {"records": 4, "texts": 2, "adapters": 2 * 4, "studies": 1}


def test_a_study_takes_only_what_it_rests_on(source: Store, bucket: Bucket, tmp_path: Path) -> None:
    fill(source, "second", "z")
    first, other = Selection.of(source.study("first"), adapters=False), Store(tmp_path / "other")

    list(push(source, bucket, ALL))
    list(pull(other, bucket, "second"))

    assert set(other.done()) == {cell.record_id for cell in job("z").cells}
    assert [folder.name for folder in other.artefacts.iterdir()] == [job("z").run_id]
    assert other.studies() == ("second",)
    assert results(list(push(source, bucket, first))) == {"there": 4 + 2 + 1}


def test_packs_travel_and_stand_for_their_records(source: Store, bucket: Bucket, tmp_path: Path) -> None:
    list(push(source, bucket, ALL))
    list(compact(source, size=4))
    other = Store(tmp_path / "other")

    pushed = list(push(source, bucket, ALL))
    list(pull(other, bucket))

    assert [entry.name.split("/")[0] for entry in pushed if entry.result == "copied"] == ["packs"]
    assert other.done() == source.done()
    assert list(other.single_files()) == []


def test_a_damaged_record_is_named_and_not_pushed(source: Store, bucket: Bucket) -> None:
    file = next(source.single_files())
    file.write_bytes(file.read_bytes()[:-100] + bytes(100))

    pushed = list(push(source, bucket, ALL))

    (damaged,) = (entry for entry in pushed if entry.result == "damaged")
    assert damaged.name.endswith(file.name)
    assert not any(name.endswith(file.name) for name in bucket.sizes())


def test_a_damaged_adapter_is_named_and_not_pushed(source: Store, bucket: Bucket) -> None:
    folder = source.artefacts / job("x").run_id
    (folder / "adapter_model.safetensors").write_text("others")

    (damaged,) = (entry for entry in push(source, bucket, ALL) if entry.result == "damaged")

    assert damaged.name == f"adapters/{folder.name}"
    assert not any(folder.name in name for name in bucket.sizes())


def test_a_damaged_copy_is_not_pulled_and_gives_way_to_a_whole_file(
    source: Store, bucket: Bucket, tmp_path: Path
) -> None:
    list(push(source, bucket, ALL))
    name = next(name for name in bucket.sizes() if "/records/" in name)
    whole = bucket.read(name)
    bucket.write(name, whole[: len(whole) // 2])

    pulled = list(pull(Store(tmp_path / "other"), bucket))

    assert [entry.name for entry in pulled if entry.result == "damaged"] == [name.partition("/")[2]]
    assert results(list(push(source, bucket, ALL))) == {"copied": 1, "there": 8}
    assert bucket.read(name) == whole


def test_a_damaged_record_here_is_mended_by_a_pull(source: Store, bucket: Bucket) -> None:
    list(push(source, bucket, ALL))
    file = next(source.single_files())
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])

    assert results(list(pull(source, bucket))) == {"copied": 1, "there": 8}
    assert file.read_bytes() == whole


def test_a_record_that_both_sides_have_keeps_its_own_timings(source: Store, bucket: Bucket, tmp_path: Path) -> None:
    list(push(source, bucket, ALL))
    other, first = Store(tmp_path / "other"), job("x")
    record = replace(Fake().record(first, first.cells[0]), timings={"evaluate": 12.5})
    other.take(record)
    before = other.record_file(record).read_bytes()

    list(pull(other, bucket))

    assert other.record_file(record).read_bytes() == before


def test_an_adapter_of_which_a_part_has_come_is_not_pulled(source: Store, bucket: Bucket, tmp_path: Path) -> None:
    list(push(source, bucket, ALL))
    begin = f"{source.root.name}/adapters/{job('x').run_id}"
    bucket.system.rm(f"{bucket.root}/{begin}/.checksums.json")
    other = Store(tmp_path / "other")

    pulled = list(pull(other, bucket))

    assert "push was interrupted" in next(entry.reason for entry in pulled if entry.result == "damaged")
    assert [folder.name for folder in other.artefacts.iterdir()] == [job("y").run_id]
    assert results(list(push(source, bucket, ALL))) == {"copied": 1, "there": 8}


def test_a_study_that_has_grown_replaces_what_it_was(source: Store, bucket: Bucket, tmp_path: Path) -> None:
    list(push(source, bucket, ALL))
    other = Store(tmp_path / "other")
    list(pull(other, bucket))
    fill(other, "first", "x2")
    other.manifests.save(manifest("first", "x", "y", "x2"))

    list(push(other, bucket, ALL))
    list(pull(source, bucket))

    assert len(source.study("first").jobs) == 3


def test_of_two_studies_of_one_name_neither_is_written_over_unasked(
    source: Store, bucket: Bucket, tmp_path: Path
) -> None:
    other = fill(Store(tmp_path / "other"), "first", "x", "z")
    list(push(source, bucket, ALL))

    conflict = list(push(other, bucket, ALL))[-1]

    assert (conflict.result, "2 and 2 records" in conflict.reason) == ("conflict", True)
    assert list(pull(other, bucket))[-1].result == "conflict"
    assert list(push(other, bucket, ALL, replace=True))[-1].result == "copied"
    assert results(list(pull(source, bucket, replace=True)))["copied"] == 2 + 1 + 1
    assert {entry.treatment.name for entry in source.study("first").jobs} == {"x", "z"}


@pytest.mark.parametrize(
    "name",
    [
        "../../evil",
        "records/ab/../../../evil",
        "adapters/../../evil/.checksums.json",
        "studies/../../evil.json",
        "evil.sh",
    ],
)
def test_names_that_no_store_gives_are_not_pulled(source: Store, tmp_path: Path, name: str) -> None:
    bucket = Bucket.at(f"memory:/{tmp_path}/hostile")
    list(push(source, bucket, ALL))
    bucket.system.store[f"{bucket.root}/{source.root.name}/{name}"] = bucket.system.store[
        f"{bucket.root}/{next(iter(bucket.sizes()))}"
    ]
    assert any("evil" in listed for listed in bucket.sizes())
    other = Store(tmp_path / "deep" / "deeper" / "other")

    list(pull(other, bucket))

    assert not list(tmp_path.rglob("*evil*"))
    assert contents(other) == contents(source)


def test_an_adapter_whose_checksums_lead_out_of_its_folder_is_refused(
    source: Store, bucket: Bucket, tmp_path: Path
) -> None:
    list(push(source, bucket, ALL))
    name = f"{source.root.name}/adapters/{job('x').run_id}/.checksums.json"
    bucket.write(name, seals.to_json({"files": {"../../../evil": "0" * 64}}))

    pulled = list(pull(Store(tmp_path / "other"), bucket))

    assert "names files that no adapter has" in next(entry.reason for entry in pulled if entry.result == "damaged")


def test_links_in_a_copy_are_not_followed(source: Store, tmp_path: Path) -> None:
    bucket = Bucket.at(f"file://{tmp_path}/bucket")
    list(push(source, bucket, ALL))
    name = next(name for name in bucket.sizes() if "/studies/" in name)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "bucket" / name).unlink()
    os.symlink(tmp_path / "secret", tmp_path / "bucket" / name)
    other = Store(tmp_path / "other")

    list(pull(other, bucket))

    assert other.studies() == ()


def test_a_copy_of_a_newer_format_is_refused(source: Store, bucket: Bucket) -> None:
    bucket.write("crossgraft-7/records/ab/x.parquet", b"x")

    with pytest.raises(StoreError, match="crossgraft-7 was written by a newer crossgraft"):
        list(push(source, bucket, ALL))


def test_an_empty_place_is_named(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing of a store was found at"):
        list(pull(Store(tmp_path / "other"), bucket))


def test_a_study_that_is_not_there_is_named_with_its_like(source: Store, bucket: Bucket, tmp_path: Path) -> None:
    list(push(source, bucket, ALL))

    with pytest.raises(StoreError, match="did you mean 'first'"):
        list(pull(Store(tmp_path / "other"), bucket, "frist"))
