"""Training runs that are followed: by a service of our own, by Weights & Biases offline, by MLflow on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

pytest.importorskip("torch")

from crossgraft.adapters.training.callbacks import CALLBACKS, Run
from crossgraft.cli.progress import Lines
from crossgraft.errors import MissingExtra, SpecError
from crossgraft.runs.campaign import Settings, describe_study, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Remark

ONE = Settings(device="cpu", threads=1)


class Notebook:
    """Keeps what it is told; breaks where it is asked to."""

    package: ClassVar[str] = ""
    told: ClassVar[list[tuple[str, Any]]] = []
    breaks: ClassVar[bool] = False

    def started(self, run: Run) -> None:
        self.told.append(("started", run))

    def measured(self, step: int, values: Mapping[str, float]) -> None:
        if self.breaks and step == 2:
            raise ConnectionError("the service is away")
        self.told.append(("measured", (step, dict(values))))

    def ended(self, facts: Mapping[str, Any]) -> None:
        self.told.append(("ended", dict(facts)))


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> type[Notebook]:
    monkeypatch.setitem(CALLBACKS._objects, "notebook", Notebook)
    Notebook.told.clear()
    Notebook.breaks = False
    return Notebook


def followed(spec: Path, tmp_path: Path, name: str, *more: str) -> Store:
    store = Store(tmp_path / "out")
    study = load_study(spec, [f"callbacks=['{name}']", "grid.targets=['intent/en']", "recipe.epochs=2", *more])
    events: list[Any] = []
    summary = run(study, store, settings=ONE, watch=events.append)
    assert (summary.failed, summary.left) == ([], 0)
    assert [one.text for one in events if isinstance(one, Remark) and not one.job.treatment.is_control] == []
    return store


def test_a_follower_hears_of_every_step_and_of_the_end(
    adapter_spec: Path, tmp_path: Path, notebook: type[Notebook]
) -> None:
    store = followed(adapter_spec, tmp_path, "notebook", "recipe.validation=0.25")

    about, ended = notebook.told[0][1], notebook.told[-1][1]
    steps = [step for what, (step, values) in notebook.told[1:-1] if what == "measured" and "loss" in values]
    losses = [values["loss"] for _, (_, values) in notebook.told[1:-1] if "loss" in values]
    facts = [one.provenance for one in store.read()[0] if not one.treatment.is_control][0]
    assert (about.source, about.seed) == ("intent/en", 1)
    assert steps == list(range(1, ended["train_steps"] + 1))
    assert losses == facts["losses"]
    assert sum("held_out_loss" in values for _, (_, values) in notebook.told[1:-1]) == 2


def test_a_follower_that_breaks_is_told_of_and_costs_nothing(
    adapter_spec: Path, tmp_path: Path, notebook: type[Notebook]
) -> None:
    notebook.breaks = True
    events: list[Any] = []
    study = load_study(adapter_spec, ["callbacks=['notebook']", "grid.targets=['intent/en']", "recipe.epochs=3"])

    summary = run(study, Store(tmp_path / "out"), settings=ONE, watch=events.append)

    assert summary.failed == []
    told = [one.text for one in events if isinstance(one, Remark) and not one.job.treatment.is_control]
    assert told == ["notebook stopped following: ConnectionError: the service is away"]


def test_a_plain_run_prints_what_a_follower_failed_at(
    adapter_spec: Path, tmp_path: Path, notebook: type[Notebook], capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.breaks = True
    study = load_study(adapter_spec, ["callbacks=['notebook']", "grid.targets=['intent/en']"])

    run(study, Store(tmp_path / "out"), settings=ONE, watch=Lines([]).see)

    printed = capsys.readouterr().out
    assert printed.count("note: tiny: intent/en seed 1: notebook stopped following: ConnectionError") == 1


def test_a_smoke_run_is_not_followed(adapter_spec: Path) -> None:
    study = load_study(adapter_spec, ["callbacks=['wandb']"])

    assert study.smoke().callbacks == ()  # type: ignore[attr-defined]


def test_a_service_named_twice_is_refused(adapter_spec: Path) -> None:
    with pytest.raises(SpecError, match="expected different callbacks"):
        load_study(adapter_spec, ["callbacks=['wandb', 'wandb']"])


def test_being_followed_changes_no_id(adapter_spec: Path, tmp_path: Path, notebook: type[Notebook]) -> None:
    ids = [
        [job.treatment_id for job in describe_study(load_study(adapter_spec, told), Store(tmp_path / "out")).jobs]
        for told in ([], ["callbacks=['notebook']"])
    ]

    assert ids[0] == ids[1]


def test_an_unknown_service_is_refused(adapter_spec: Path) -> None:
    with pytest.raises(SpecError, match="no callback is called 'wandbb'; did you mean 'wandb'"):
        load_study(adapter_spec, ["callbacks=['wandbb']"])


def test_a_service_that_is_not_installed_is_said_before_anything_runs(
    adapter_spec: Path, tmp_path: Path, notebook: type[Notebook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook, "package", "no_such_package")

    with pytest.raises(MissingExtra, match="the callback 'notebook' needs the extra 'notebook'"):
        describe_study(load_study(adapter_spec, ["callbacks=['notebook']"]), Store(tmp_path / "out"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the service's own dependencies
def test_weights_and_biases_keeps_runs_on_disk(adapter_spec: Path, tmp_path: Path) -> None:
    pytest.importorskip("wandb")

    store = followed(adapter_spec, tmp_path, "wandb")

    files = list((store.root / "followed").rglob("*.wandb"))
    assert len(files) == 1
    assert files[0].stat().st_size > 500


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the service's own dependencies
def test_mlflow_has_the_losses_of_the_record(adapter_spec: Path, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    from mlflow import MlflowClient

    store = followed(adapter_spec, tmp_path, "mlflow")

    client = MlflowClient(tracking_uri=f"sqlite:///{store.root / 'followed' / 'mlflow.db'}")
    (experiment,) = [one for one in client.search_experiments() if one.name != "Default"]
    (found,) = client.search_runs([experiment.experiment_id])
    facts = [one.provenance for one in store.read()[0] if not one.treatment.is_control][0]
    assert [one.value for one in client.get_metric_history(found.info.run_id, "loss")] == facts["losses"]
    assert found.info.status == "FINISHED"
    assert found.data.params["source"] == "intent/en"
