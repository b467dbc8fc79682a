from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from crossgraft.adapters.weights.export import export
from crossgraft.errors import StoreError
from crossgraft.runs.campaign import Settings, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study


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


def test_names_and_texts_become_no_html_in_a_card(adapter_spec: Path, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>\\u202e"
    adapter_spec.write_text(
        adapter_spec.read_text("utf-8")
        .replace('name = "tiny"', f'name = "tiny{hostile}"')
        .replace("tiny =", f'"{hostile}" ='),
        "utf-8",
    )
    store = Store(tmp_path / "out")
    run(load_study(adapter_spec), store, settings=Settings(device="cpu", threads=1))

    (card,) = (tmp_path / "out").rglob("README.md")

    assert "<img" not in card.read_text("utf-8")
    assert "\u202e" not in card.read_text("utf-8")
