"""A folder to serve from, and what its adapters cost."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from safetensors.numpy import load_file

from crossgraft.adapters.weights.serving.adapters import Adapters
from crossgraft.adapters.weights.serving.costs import costs
from crossgraft.adapters.weights.serving.routing import write_routing
from crossgraft.analysis.results import require_study
from crossgraft.cli import main
from crossgraft.core import Point, Treatment
from crossgraft.errors import StoreError
from crossgraft.recommendation.specialisation.specialise import Route, Specialised
from crossgraft.runs.campaign import Settings, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study

MERGE = '\n[merges]\nboth = { sources = ["intent/en", "intent/sw"], weights = [0.5, 0.5] }\n'


@pytest.fixture
def adapters(adapter_spec: Path, tmp_path: Path) -> Adapters:
    adapter_spec.write_text(adapter_spec.read_text() + MERGE)
    sources = ['grid.sources=["intent/en", "intent/sw"]', "grid.scales=[0.5]", "grid.targets=['intent/en']"]
    store = Store(tmp_path / "out")
    run(load_study(adapter_spec, sources), store, settings=Settings(device="cpu", threads=1))
    return Adapters.of(store, require_study(store))


def rows(adapters: Adapters) -> dict[str, Treatment]:
    return {job.treatment.label: job.treatment.row for job in adapters.manifest.jobs if not job.treatment.is_control}


def chosen(*kept: Treatment) -> Specialised:
    routes = tuple(
        Route(Point("intent", language), row, 1.0) for language, row in zip(("en", "sw"), kept, strict=False)
    )
    return Specialised(kept, 1.0, 0.5, 1.5, (*routes, Route(Point("intent", "no"), None)), ())


def test_the_folder_has_the_routes_and_the_weights(adapters: Adapters, tmp_path: Path) -> None:
    every = rows(adapters)

    file = write_routing(adapters, chosen(every["intent/en"], every["intent/sw"]), tmp_path / "served")

    routing = json.loads(file.read_text())
    assert routing["routes"] == {"intent/en": "intent-en", "intent/sw": "intent-sw", "intent/no": None}
    assert routing["adapters"]["intent-sw"] == {"treatment": "intent/sw", "seed": 1, "folder": "intent-sw"}
    assert all((file.parent / name / "adapter_model.safetensors").is_file() for name in routing["adapters"])


def test_scaled_and_merged_adapters_are_written_as_adapters(adapters: Adapters, tmp_path: Path) -> None:
    every = rows(adapters)

    file = write_routing(adapters, chosen(every["intent/en (scale 0.5)"], every["both"]), tmp_path / "served")

    half, both = (
        load_file(file.parent / name / "adapter_model.safetensors") for name in json.loads(file.read_text())["adapters"]
    )
    name = next(name for name in half if "lora_A" in name)
    assert 2 * half[name].shape[0] == both[name].shape[0]


def test_an_adapter_that_was_not_kept_is_refused_in_a_sentence(adapters: Adapters, tmp_path: Path) -> None:
    shutil.rmtree(adapters.store.artefacts)

    with pytest.raises(StoreError, match="is not in the store: it was not kept"):
        write_routing(adapters, chosen(rows(adapters)["intent/en"]), tmp_path / "served")

    assert not (tmp_path / "served").exists()


def test_a_folder_that_exists_is_left_alone(adapters: Adapters, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="exists already"):
        write_routing(adapters, chosen(rows(adapters)["intent/en"]), tmp_path)


def test_what_is_made_of_several_costs_what_they_cost_together(adapters: Adapters) -> None:
    every = rows(adapters)

    seconds, megabytes = (costs(adapters, every.values(), unit) for unit in ("seconds", "megabytes"))  # type: ignore[arg-type]

    for cost in (seconds, megabytes):
        assert cost[every["intent/en (scale 0.5)"]] == cost[every["intent/en"]] > 0
        assert cost[every["both"]] == pytest.approx(cost[every["intent/en"]] + cost[every["intent/sw"]])


def test_the_command_wants_cost_and_price_together(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for arguments, sentence in (
        (("x.toml", "--cost", "seconds"), "--cost and --price together"),
        (("x.csv", "--to", str(tmp_path / "new")), "a table has none"),
    ):
        monkeypatch.setattr(sys, "argv", ["crossgraft", "specialise", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 2
        assert sentence in capsys.readouterr().err
