"""What training leaves in a store: damage is noticed, set aside, and made anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from crossgraft.adapters.weights.stored import adapter_damage
from crossgraft.cli.verify import verify
from crossgraft.core import Answers
from crossgraft.runs.campaign import Campaign, Settings
from crossgraft.runs.storage.store import Store
from crossgraft.safety.files import remove
from crossgraft.safety.seals import CHECKSUMS
from crossgraft.spec import load_study
from crossgraft.study import Remark

ONE = Settings(device="cpu", threads=1)
WEIGHTS = "adapter_model.safetensors"


def cut(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-10])


def emptied(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"")


def flipped(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-100] ^= 1
    (folder / WEIGHTS).write_bytes(content)


def without_facts(folder: Path) -> None:
    (folder / "training.json").unlink()


def without_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def a_file(folder: Path) -> None:
    remove(folder)
    folder.write_text("")


def before_checksums(damage: Callable[[Path], None]) -> Callable[[Path], None]:
    def damaged(folder: Path) -> None:
        (folder / CHECKSUMS).unlink()
        damage(folder)

    return damaged


DAMAGES = {
    "cut": cut,
    "emptied": emptied,
    "flipped": flipped,
    "without facts": without_facts,
    "without weights": without_weights,
    "a file": a_file,
    **{f"{damage.__name__}, before checksums": before_checksums(damage) for damage in (cut, emptied, without_facts)},
}


def run(spec: Path, store: Store) -> list[Remark]:
    campaign = Campaign(load_study(spec), store, ONE)
    remarks = [event for event in campaign if isinstance(event, Remark) and not event.job.treatment.is_control]
    assert (campaign.summary.failed, campaign.summary.left) == ([], 0)
    return remarks


def answers(store: Store) -> dict[str, Answers]:
    return {record.id: record.answers for record in store.read()[0]}


def the_adapter(store: Store) -> Path:
    (folder,) = (one for one in store.artefacts.iterdir() if not one.name.startswith("."))
    return folder


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_adapter_is_set_aside_and_trained_anew(adapter_spec: Path, tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "out")
    run(adapter_spec, store)
    expected, folder = answers(store), the_adapter(store)
    remove(store.root / "records")
    DAMAGES[name](folder)
    assert [damage.file for damage in verify(store)] == [folder]

    (remark,) = run(adapter_spec, store)

    assert "damaged" in remark.text
    assert (store.root / "damaged" / folder.name).exists()
    assert adapter_damage(folder) == ""
    assert answers(store) == expected


def test_an_adapter_from_before_checksums_is_used(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    run(adapter_spec, store)
    (the_adapter(store) / CHECKSUMS).unlink()
    remove(store.root / "records")

    assert run(adapter_spec, store) == []
    assert verify(store) == []


def test_a_readme_may_be_edited(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    run(adapter_spec, store)
    (the_adapter(store) / "README.md").write_text("mine")

    assert verify(store) == []
