"""When the names of written files are safe from a power cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crossgraft.runs.campaign import Campaign, Settings
from crossgraft.runs.storage.store import Store
from crossgraft.safety.files import Unsynced, write_whole
from crossgraft.spec import load_study
from crossgraft.testing import Fake


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was synced, in order."""
    names: list[str] = []
    sync = os.fsync

    def note(handle: int) -> None:
        names.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name)
        sync(handle)

    monkeypatch.setattr(os, "fsync", note)
    return names


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of open files as Linux has them")


@needs_proc
def test_folders_of_many_files_are_synced_once_a_second(tmp_path: Path, synced: list[str]) -> None:
    times = iter([0.0, 0.0, 0.5, 0.9, 1.0, 1.0])
    unsynced = Unsynced(clock=lambda: next(times))

    for number in range(4):
        write_whole(tmp_path / "folder" / f"{number}", b"content", unsynced)

    assert synced.count("folder") == 2  # after the first and the last
    assert len(synced) == 4 + 2  # and every file before it has its name
    assert not unsynced.folders


@needs_proc
def test_a_file_that_stands_alone_is_synced_with_its_folder(tmp_path: Path, synced: list[str]) -> None:
    write_whole(tmp_path / "folder" / "file", b"content")

    assert synced[-1] == "folder"
    assert len(synced) == 2


@needs_proc
def test_a_run_ends_with_all_its_records_synced(
    adapter_spec_without_model: Path, tmp_path: Path, synced: list[str]
) -> None:
    pytest.importorskip("torch")  # the device of an adapter study is asked of torch
    store = Store(tmp_path / "out")

    for _ in Campaign(load_study(adapter_spec_without_model), store, Settings(device="cpu"), Fake()):
        continue

    folders = {file.parent.name for file in store.single_files()}
    assert len(folders) > 2
    assert folders <= set(synced)
