"""Exports: files that the other side's own package or schema accepts, with the numbers of the store."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from crossgraft.cli import main
from crossgraft.core import Job, Record, Texts, Treatment
from crossgraft.errors import SpecError
from crossgraft.identity import content_id
from crossgraft.report.exports.every_eval_ever import every_eval_ever
from crossgraft.report.exports.hub import Benchmark, hub_files
from crossgraft.report.exports.results import Run, runs
from crossgraft.runs.storage.layout import Manifest
from crossgraft.runs.storage.store import Store
from outcomes import BASE, SOURCE, answers, measured, trained

HOSTILE = 'quote " colon: # hash\n- dash \u202e 😀 <script>'
RIGHT = [1, 0, 1, 1]


def kept(folder: Path, *pairs: tuple[Job, Record]) -> Store:
    """A store with these records, and texts for their items."""
    store, jobs = Store(folder), []
    for job, record in pairs:
        treatment_id, record_id = content_id(of=job.treatment_id), content_id(record=record.id)
        cells = tuple(replace(cell, record_id=record_id) for cell in job.cells)
        jobs.append(replace(job, treatment_id=treatment_id, cells=cells))
        items = record.answers.items
        columns = {
            "prompt": [f"{HOSTILE} {item}" for item in items],
            "options": [["yes", "no", "maybe", HOSTILE]] * len(items),
        }
        record = replace(record, id=record_id, treatment_id=treatment_id)
        store.take(record, Texts(record.texts_id, items, columns))
    store.manifests.save(Manifest("mine", "", (), tuple(jobs)))
    return store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return kept(tmp_path / "runs", measured(BASE, answers([0, 0, 1, 1])), measured(trained(), answers(RIGHT)))


def exported(run: Run) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The log of a run and its items."""
    files = every_eval_ever(run, "lab")
    (log,) = (json.loads(text) for path, text in files.items() if path.endswith(".json"))
    items = [json.loads(line) for path, text in files.items() if path.endswith(".jsonl") for line in text.splitlines()]
    return log, items


def test_every_run_has_its_score_and_its_items(store: Store) -> None:
    base, adapter = map(exported, runs(store, "mine"))

    assert [log["evaluation_results"][0]["score_details"]["score"] for log, _ in (base, adapter)] == [0.5, 0.75]
    assert [item["evaluation"]["is_correct"] for item in adapter[1]] == [bool(right) for right in RIGHT]
    assert [item["output"]["raw"] for item in adapter[1]] == [["yes"], ["no"], ["yes"], ["yes"]]
    assert {item["evaluation_result_id"] for item in adapter[1]} == {"a/de#accuracy"}


def test_the_items_belong_to_their_log(store: Store) -> None:
    for run in runs(store, "mine"):
        log, items = exported(run)
        assert {item["evaluation_id"] for item in items} == {log["evaluation_id"]}
        assert {item["model_id"] for item in items} == {log["model_info"]["id"]}
        assert log["detailed_evaluation_results"]["total_rows"] == len(items)


def test_an_export_that_is_repeated_has_the_same_names(store: Store) -> None:
    first, second = (
        sorted(path for run in runs(store, "mine") for path in every_eval_ever(run, "lab")) for _ in range(2)
    )

    assert first == second


def test_a_base_from_the_hub_keeps_its_name_there(tmp_path: Path) -> None:
    job, record = measured(BASE, answers(RIGHT))
    record = replace(record, provenance={"model": {"hub": "org/base-1b", "revision": "abc"}})
    (run,) = runs(kept(tmp_path, (job, record)), "mine")

    assert exported(run)[0]["model_info"]["id"] == "org/base-1b"


@pytest.mark.skipif(
    find_spec("jsonschema") is None or find_spec("every_eval_ever") is None,
    reason="every_eval_ever (Python 3.12 and later) with its schema, or jsonschema, is not installed",
)
def test_the_published_schema_accepts_every_file(store: Store) -> None:
    from jsonschema import Draft7Validator

    spec = find_spec("every_eval_ever")
    assert spec is not None
    assert spec.origin is not None
    log_schema, item_schema = (
        Draft7Validator(json.loads((Path(spec.origin).parent / "schemas" / f"{name}.schema.json").read_text("utf-8")))
        for name in ("eval", "instance_level_eval")
    )
    for run in runs(store, "mine"):
        log, items = exported(run)
        log_schema.validate(log)
        for item in items:
            item_schema.validate(item)


def test_eval_results_are_read_by_the_hubs_own_package(store: Store) -> None:
    hub = pytest.importorskip("huggingface_hub")
    yaml = pytest.importorskip("yaml")
    known = dict([Benchmark.parse("a=org/bench#hard")])
    files = hub_files(list(runs(store, "mine"))[1], known)

    (text,) = (text for path, text in files.items() if ".eval_results" in path)
    (entry,) = hub.parse_eval_result_entries(yaml.safe_load(text))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("org/bench", "hard", 75.0)


def test_the_model_index_is_read_by_the_hubs_own_package(tmp_path: Path) -> None:
    card = pytest.importorskip("huggingface_hub.repocard_data")
    yaml = pytest.importorskip("yaml")
    hostile = Treatment("m", HOSTILE, "given")
    store = kept(tmp_path, measured(BASE, answers([0, 1])), measured(hostile, answers([1, 1])))
    files = hub_files(list(runs(store, "mine"))[1], {})

    (text,) = files.values()
    name, results = card.model_index_to_eval_results(yaml.safe_load(text)["model-index"])
    assert name.startswith('m with quote " colon: # hash')
    assert [(one.dataset_name, one.metric_type, one.metric_value) for one in results] == [("a/de", "accuracy", 100.0)]


@pytest.mark.parametrize("text", ["a", "a=b", "=org/x", "a=org/", "a=org/x/y"])
def test_a_benchmark_is_an_owner_and_a_name(text: str) -> None:
    with pytest.raises(SpecError, match="expected --dataset TARGET=OWNER/NAME"):
        Benchmark.parse(text)


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["crossgraft", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_the_command_line_writes_both(store: Store, monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]
    out = str(store.out)
    assert call(monkeypatch, "export", "mine", "--out", out, "--to", "every-eval-ever", "--organization", "lab") == 0
    assert (
        call(monkeypatch, "export", "mine", "--out", out, "--to", "eval-results", "--dataset", f"{SOURCE.task}=o/b")
        == 0
    )

    files = [
        file.relative_to(store.out / "exports/mine")
        for file in (store.out / "exports/mine").rglob("*.*")
        if file.is_file()
    ]
    assert sorted(file.suffix for file in files) == [
        ".json",
        ".json",
        ".jsonl",
        ".jsonl",
        ".yaml",
        ".yaml",
        ".yaml",
        ".yaml",
    ]


def test_what_is_missing_is_said_in_one_sentence(store: Store, monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]
    out = str(store.out)
    assert call(monkeypatch, "export", "mine", "--out", out, "--to", "every-eval-ever") == 2
    assert call(monkeypatch, "export", "mine", "--out", out, "--to", "eval-results", "--dataset", "nothing=o/b") == 2

    first, second = capsys.readouterr().err.splitlines()
    assert "expected --organization NAME" in first
    assert "--dataset: expected targets or tasks of the study, such as a/de; got nothing" in second


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the service's own dependencies
def test_the_matrix_is_a_table_of_an_offline_run(store: Store, monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("wandb")
    assert call(monkeypatch, "export", "mine", "--out", str(store.out), "--to", "wandb") == 0

    (table,) = (store.out / "exports/mine/wandb").rglob("cells*.table.json")
    rows = json.loads(table.read_text("utf-8"))
    assert dict(zip(rows["columns"], rows["data"][0], strict=True))["change"] == 25.0
    assert "logged 1 cells, offline" in capsys.readouterr().out
