from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from crossgraft.errors import DataError
from crossgraft.identity import content_id, item_hash
from crossgraft.runs.fingerprints import FingerprintCache, fingerprint, hub_is_reachable
from crossgraft.study import Input


def test_a_content_id_does_not_depend_on_order() -> None:
    assert content_id(a=1, b={"x": 1, "y": 2}) == content_id(b={"y": 2, "x": 1}, a=1)


def test_a_content_id_depends_on_every_value() -> None:
    assert content_id(a=1) != content_id(a=2) != content_id(b=1)


def test_item_hashes_depend_on_id_and_seed_only() -> None:
    assert item_hash("x", 0) == item_hash("x", 0)
    assert len({item_hash("x", 0), item_hash("x", 1), item_hash("y", 0)}) == 3


def test_a_moved_folder_keeps_its_fingerprint_and_a_changed_byte_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "w.safetensors").write_bytes(b"abc")
    before = fingerprint([Input("model", str(folder), "m")])
    moved = folder.rename(tmp_path / "elsewhere")

    after = fingerprint([Input("model", str(moved), "m")])
    (moved / "w.safetensors").write_bytes(b"abd")
    changed = fingerprint([Input("model", str(moved), "m")])

    assert list(before.values()) == list(after.values())
    assert list(changed.values()) != list(after.values())


def test_a_readme_is_no_part_of_a_model(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"abc")
    one = Input("model", str(tmp_path), "m")
    before = fingerprint([one])
    (tmp_path / "README.md").write_text("about")

    assert fingerprint([one]) == before


def test_the_cache_notices_a_change_that_keeps_size_and_modification_time(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"abc")
    cache = FingerprintCache(tmp_path / "cache.json")
    before = cache.of_file(file)
    status = file.stat()
    file.write_bytes(b"abd")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert cache.of_file(file) != before


def test_a_broken_cache_is_only_a_slower_start(tmp_path: Path) -> None:
    (tmp_path / "cache.json").write_text("{")
    (tmp_path / "data").write_bytes(b"abc")

    assert FingerprintCache(tmp_path / "cache.json").of_file(tmp_path / "data")


def test_a_missing_file_is_named_with_its_role(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tasks.intent: no such file"):
        fingerprint([Input("file", str(tmp_path / "x.jsonl"), "tasks.intent")])


def test_a_hub_commit_needs_no_network() -> None:
    commit = "0" * 40

    found = fingerprint([Input("hub", "owner/name", "models.m", commit)])

    assert list(found.values()) == [f"hub:owner/name@{commit}"]


def test_a_hub_branch_is_looked_up_in_the_local_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refs = tmp_path / "models--owner--name" / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text("1" * 40)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))

    found = fingerprint([Input("hub", "owner/name", "models.m", "main")])

    assert list(found.values()) == [f"hub:owner/name@{'1' * 40}"]


@contextmanager
def hub_that_says(status: int) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("status", "answers"), [(404, True), (401, True), (503, False)])
def test_the_hub_is_reachable_where_it_answers_whatever_it_says(
    monkeypatch: pytest.MonkeyPatch, status: int, answers: bool
) -> None:
    pytest.importorskip("huggingface_hub")
    with hub_that_says(status) as address:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        monkeypatch.setattr(
            "huggingface_hub.constants.HF_HUB_OFFLINE", False
        )  # it may have been loaded by an offline test

        assert hub_is_reachable("owner/name", "1" * 40) is answers


def test_the_hub_is_out_of_reach_where_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    with hub_that_says(404) as address:
        pass
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)

    assert not hub_is_reachable("owner/name", "1" * 40)
