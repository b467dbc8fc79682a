"""Packing records into larger files loses nothing, whatever happens on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from crossgraft.cli.verify import verify
from crossgraft.core import Answers, Cell, Job, Point, Record, Treatment
from crossgraft.identity import content_id
from crossgraft.runs.storage.compaction import compact
from crossgraft.runs.storage.garbage import collect, remove
from crossgraft.runs.storage.store import Store
from crossgraft.testing import Fake
from toy import command, outcome

LANGUAGES = ("de", "en", "fi", "hi", "sw")


def record(number: int, language: str, *, kind: str = "choice") -> Record:
    cell = Cell(Point("a", language), content_id(n=number, l=language), content_id(l=language), "all", "accuracy")
    job = Job(Treatment("m", f"t{number}", "given"), content_id(n=number), (cell,))
    if kind == "choice":
        return Fake().record(job, cell)
    texts = np.array(["blå", "", "rød"], dtype=object)
    columns = {"answer": texts, "rank": np.array([1, 2, 3]), "right": np.array([True, False, True])}
    return replace(Fake().record(job, cell), answers=Answers("generation", ("x", "y", "z"), columns))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "out")
    for number in range(4):
        for language in LANGUAGES:
            store.take(record(number, language))
    return store


def singles(store: Store) -> list[Path]:
    return sorted(store.root.glob("records/*/*"))


def pack(store: Store) -> Path:
    (file,) = store.root.glob("packs/*")
    return file


def test_packed_records_are_what_they_were(store: Store) -> None:
    before, done = store.read(), store.done()

    (made,) = compact(store, size=20)

    after = Store(store.out)
    assert (made.records, singles(store)) == (20, [])
    assert (after.read(), after.done()) == (before, done)
    assert after.has(before[0][0].id, before[0][0].pairing.id)
    assert after.record(before[0][3].id, before[0][3].pairing.id) == before[0][3]
    assert after.find(before[0][5].id[:12]) == before[0][5]
    assert verify(after) == []


def test_a_store_that_was_open_sees_what_another_process_packed(store: Store) -> None:
    before = store.read()

    list(compact(Store(store.out), size=20))

    assert store.read() == before
    assert len(store.done()) == 20


def test_the_latest_records_stay_single(store: Store) -> None:
    assert [made.records for made in compact(store, size=8)] == [8, 8]
    assert len(singles(store)) == 4
    assert len(Store(store.out).done()) == 20


def test_text_and_numbers_of_every_type_survive(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.take(record(0, "de", kind="generation"))
    before = store.read()

    list(compact(store, size=1))

    assert Store(tmp_path).read() == before


@pytest.mark.parametrize("seed", range(6))
def test_whatever_bits_are_flipped_no_record_is_read_as_another(store: Store, seed: int) -> None:
    before = {one.id: one.answers for one in store.read()[0]}
    list(compact(store, size=20))
    file = pack(store)
    content = bytearray(file.read_bytes())
    rng = np.random.default_rng(seed)

    for at in rng.integers(0, len(content), 40):
        content[at] ^= 1 << int(rng.integers(8))
        file.write_bytes(content)
        records, _ = Store(store.out).read()
        assert all(before[one.id] == one.answers for one in records)
        assert set(Store(store.out).done()) == {one.id for one in records}
    assert [damage.file for damage in verify(Store(store.out))][:1] == [file]


def test_one_damaged_row_is_named_and_its_record_is_missing(store: Store) -> None:
    list(compact(store, size=20))
    file, lost = pack(store), store.read()[0][7]
    content = file.read_bytes()
    at = content.rindex(f'"id": "{lost.id}"'.encode())
    file.write_bytes(content[:at] + b"X" + content[at + 1 :])

    after = Store(store.out)

    assert lost.id not in after.done()
    assert len(after.done()) == 19
    assert "1 of its rows are damaged" in str(after.damaged_records()[0])


def test_a_pack_whose_footer_is_gone_still_gives_its_records(store: Store) -> None:
    before, _ = store.read()
    list(compact(store, size=20))
    content = pack(store).read_bytes()

    pack(store).write_bytes(content[:-20])

    records, damages = Store(store.out).read()
    assert records == before
    assert len(damages) == 1


def test_a_pack_is_plain_parquet_with_labels_and_scores(store: Store) -> None:
    list(compact(store, size=20))

    table = pq.read_table(pack(store), columns=["name", "treatment", "target", "metric", "score", "n"]).to_pylist()

    rows = [row for row in table if row["target"]]
    assert len(rows) == 20
    assert {row["treatment"] for row in rows} == {"t0", "t1", "t2", "t3"}
    assert all(0 <= row["score"] <= 1 and row["n"] == 20 for row in rows)


KILLED = """
import os, signal, sys
from crossgraft.runs.storage.compaction import compact
from crossgraft.runs.storage.store import Store
steps = int(sys.argv[2])
def count(event, _args):
    global steps
    if event in ("open", "os.rename", "os.remove", "os.chmod"):
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
store = Store(sys.argv[1])
store.claims
sys.addaudithook(count)
list(compact(store, size=5))
"""


@pytest.mark.slow
def test_a_kill_at_any_point_loses_nothing(store: Store) -> None:
    """Before every file that is opened, renamed or removed, one after the other, until a compaction gets through."""
    before, done = store.read(), store.done()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for steps in range(1, 400, 9):
        process = subprocess.run(
            [sys.executable, "-c", KILLED, str(store.out), str(steps)], env=environment, check=False
        )
        after = Store(store.out)
        assert (after.read()[0], after.done(), after.damaged_records()) == (before[0], done, [])
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
    assert singles(store) == []


def test_a_record_that_was_computed_again_goes_before_the_packed_one(store: Store) -> None:
    before, _ = store.read()
    list(compact(store, size=20))
    store.take(before[0])

    assert Store(store.out).read()[0] == before
    list(compact(store, size=20))
    assert singles(store) == []


def test_garbage_is_listed_and_goes_only_when_asked(store: Store) -> None:
    adapter = store.artefacts / "abc"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text(json.dumps({}))
    fresh = store.artefacts / "def"
    fresh.mkdir()
    for path in (adapter / "adapter_config.json", adapter):
        os.utime(path, (1, 1))

    found = list(collect(store))

    assert [garbage.path for garbage in found] == [adapter]
    assert adapter.exists()
    remove(found)
    assert (adapter.exists(), fresh.exists(), len(store.done())) == (False, True, 20)


def test_the_commands_say_what_they_did(store: Store) -> None:
    out = ("--out", store.out)
    (store.root / "texts").mkdir(exist_ok=True)
    half = store.root / "texts" / ".x.partial"
    half.write_bytes(b"12345")
    os.utime(half, (1, 1))

    packed, listed, deleted, again = (
        outcome(command("store", *words, *out)) for words in (("compact",), ("gc",), ("gc", "--yes"), ("gc",))
    )

    assert packed == (0, "nothing to pack: fewer than 1,000 records lie in files of their own\n")
    assert "half written by a process that was killed (5 B)" in listed[1]
    assert "1 entry, 5 B; --yes deletes them" in listed[1]
    assert "1 entry, 5 B deleted" in deleted[1]
    assert again == (0, "nothing to delete\n")
