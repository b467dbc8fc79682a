"""``mitigate``: remedies for a treatment of which the harm is planted."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from crossgraft.adapters.remedies.proposals import KINDS, Mitigation, adapter_spec, mitigate
from crossgraft.cli import main
from crossgraft.core import Floats, Point, Treatment
from crossgraft.errors import SpecError
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

POINTS = tuple(Point("intent", language) for language in ("en", "sw", "no"))


@dataclass(frozen=True)
class Planted(SyntheticGrid):
    """Three sources, each a target; the true changes are given."""

    changes: tuple[tuple[float, ...], ...] = ()

    @property
    def points(self) -> tuple[Point, ...]:
        return POINTS

    def rows(self, model: int) -> tuple[Treatment, ...]:
        return tuple(Treatment("tiny", str(point), "trained", point) for point in POINTS)

    def truth(self, seed: int) -> Floats:
        return np.array(self.changes)


def planted(*changes: tuple[float, ...]) -> TransferMatrix:
    return Planted(models=1, tasks=1, languages=3, items=2000, fragile=0.5, changes=changes).matrix(1)


HARMFUL = ((10.0, -12.0, 4.0), (0.0, 12.0, 0.0), (0.0, 2.0, 10.0))


def mitigated(spec: Path, tmp_path: Path, changes: tuple[tuple[float, ...], ...] = HARMFUL) -> Mitigation:
    spec.write_text(spec.read_text().replace('sources = ["intent/en"]', 'sources = ["intent/*"]  # all of them'))
    study = adapter_spec(load_study(spec))
    return mitigate(study, planted(*changes), Store(tmp_path / "runs"), "intent/en", KINDS)


def test_every_remedy_is_proposed_with_its_cost(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    found = mitigated(adapter_spec_without_model, tmp_path)

    assert [str(loss.target) for loss in found.losses] == ["intent/sw"]
    assert {remedy.kind: (remedy.jobs, remedy.to_train, remedy.results) for remedy in found.remedies} == {
        "scales": (3, 0, 9),
        "merge": (1, 0, 3),
        "replay": (1, 1, 3),
        "early-stop": (3, 3, 9),
    }


def test_the_written_spec_is_a_study_with_the_remedies_and_the_users_text(
    adapter_spec_without_model: Path, tmp_path: Path
) -> None:
    found = mitigated(adapter_spec_without_model, tmp_path)

    adapter_spec_without_model.write_text(found.spec)
    study = adapter_spec(load_study(adapter_spec_without_model))
    assert "# all of them" in found.spec
    assert (study.grid.scales, study.grid.scaled) == ((0.25, 0.5, 0.75), ("intent/en",))
    assert study.merges["intent/en + intent/sw"].weights == (0.5, 0.5)
    assert study.sources["intent/en with replay"].points == {"intent/en": 3.0, "intent/sw": 1.0}
    assert study.recipe.axes["after"] == (0.5, 0.0)


def test_the_donor_is_the_one_that_gains_most_where_it_harms(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    changes = ((10.0, -12.0, 4.0), (0.0, 2.0, 0.0), (0.0, 15.0, 10.0))

    found = mitigated(adapter_spec_without_model, tmp_path, changes)

    assert "intent/no" in next(remedy.why for remedy in found.remedies if remedy.kind == "merge")


def test_without_a_donor_no_merge_is_proposed(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    changes = ((10.0, -12.0, 4.0), (0.0, -10.0, 0.0), (0.0, -9.0, 10.0))

    found = mitigated(adapter_spec_without_model, tmp_path, changes)

    assert "merge" not in {remedy.kind for remedy in found.remedies}
    assert any("no other adapter is expected to gain" in reason for reason in found.skipped)


def test_where_nothing_is_harmed_nothing_is_proposed(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    found = mitigated(adapter_spec_without_model, tmp_path, ((10.0, 5.0, 5.0), (5.0, 10.0, 5.0), (5.0, 5.0, 10.0)))

    assert found.remedies == ()
    assert "harms no target" in found.sentence


def test_an_unknown_treatment_is_refused(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    study = adapter_spec(load_study(adapter_spec_without_model))

    with pytest.raises(SpecError, match="did you mean 'intent/en'"):
        mitigate(study, planted(*HARMFUL), Store(tmp_path / "runs"), "intent/eng")


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["crossgraft", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(str(stop.value.code))


def test_the_command_proposes_and_writes_what_a_run_accepts(
    adapter_spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    adapter_spec.write_text(adapter_spec.read_text().replace("learning_rate = 1e-2", "learning_rate = 1.0"))
    assert call(monkeypatch, "run", str(adapter_spec), "--device", "cpu", "--threads", "1") == 0
    capsys.readouterr()

    code = call(monkeypatch, "mitigate", str(adapter_spec), "--for", "intent/en", "--write", "more.toml")

    out = capsys.readouterr().out
    assert code == 0
    if "harms no target" not in out:
        assert "wrote more.toml" in out
        assert call(monkeypatch, "plan", "more.toml") == 0


def test_a_file_that_exists_or_lies_elsewhere_is_refused(
    adapter_spec_without_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = str(adapter_spec_without_model)

    assert call(monkeypatch, "mitigate", spec, "--for", "intent/en", "--write", spec) == 2
    assert "exists already" in capsys.readouterr().err
    assert call(monkeypatch, "mitigate", spec, "--for", "intent/en", "--write", str(tmp_path / "new" / "x.toml")) == 2
    assert "paths in a spec start from its folder" in capsys.readouterr().err
