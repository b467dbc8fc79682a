from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from crossgraft.adapters.export import export
from crossgraft.campaign import Settings, run
from crossgraft.errors import StoreError
from crossgraft.spec import load_study
from crossgraft.store import Store


@pytest.fixture
def store(adapter_spec: Path, tmp_path: Path) -> Store:
    store = Store(tmp_path / "out")
    run(load_study(adapter_spec), store, settings=Settings(device="cpu", threads=1))
    return store


def test_an_exported_adapter_has_its_weights_and_what_it_was_measured_to_do(store: Store, tmp_path: Path) -> None:
    (folder,) = export(store, "", tmp_path / "hub")

    assert folder.name == "tiny-intent-en-seed-1"
    assert (folder / "adapter_model.safetensors").is_file()
    card = (folder / "README.md").read_text("utf-8")
    assert card.startswith("---\nbase_model:")
    assert card.count("| intent/") == 4  # three targets, and what it was trained on
    assert "| intent/sw | MT-CL |" in card


def test_an_export_overwrites_nothing(store: Store, tmp_path: Path) -> None:
    list(export(store, "", tmp_path / "hub"))

    with pytest.raises(StoreError, match="exists already"):
        list(export(store, "", tmp_path / "hub"))
