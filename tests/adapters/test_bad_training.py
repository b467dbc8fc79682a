"""A user's mistakes about training, through the command line: one sentence, and what can go on goes on.

What the data or the spec show is found before anything is computed (exit code 2); what only the model or the
training itself shows is the recorded failure of that job (exit code 1).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from crossgraft.cli import main
from crossgraft.runs.storage.store import Store
from crossgraft.safety.seals import from_json, to_json
from parts import write_jsonl


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, adapter_spec: Path):  # type: ignore[no-untyped-def]
    """Run the study with overrides: exit code and what was printed."""

    def run(*overrides: str) -> tuple[int, str]:
        told = [part for one in ("grid.targets=['intent/en']", *overrides) for part in ("--set", one)]
        monkeypatch.chdir(adapter_spec.parent)
        monkeypatch.setattr(sys, "argv", ["crossgraft", "run", adapter_spec.name, "--device", "cpu", *told])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return int(stop.value.code or 0), out + err

    return run


def failures(folder: Path) -> list[str]:
    return [one["message"] for one in Store(folder / "runs").failures.read()[0].values()]


def test_a_source_without_items_is_found_before_anything_is_computed(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    write_jsonl(tmp_path / "data/en.train.jsonl", [])

    code, printed = command()

    assert code == 2
    assert "en.train.jsonl: no items for language 'en' in the train split" in printed


def test_a_negative_layer_is_found_before_anything_is_computed(command) -> None:  # type: ignore[no-untyped-def]
    code, printed = command("recipe.layers=[-1]")

    assert code == 2
    assert "recipe.layers: expected numbers of layers from 0 on; got [-1]" in printed


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("recipe.max_tokens=1", "12 of 12 answers do not fit into 1 tokens even without their prompts; raise recipe.max_tokens"),
        ("recipe.validation=0.99", "recipe.validation 0.99 of 12 items leaves nothing to train on"),
        ("recipe.targets=['q_prj']", "no module of this LlamaForCausalLM is called 'q_prj'; did you mean 'q_proj'?"),
        ("recipe.layers=[7]", "recipe.layers [7]: this LlamaForCausalLM has 2 layers, 0 to 1"),
    ],
)  # fmt: skip
def test_what_the_model_shows_is_a_recorded_failure(command, tmp_path: Path, told: str, sentence: str) -> None:  # type: ignore[no-untyped-def]
    code, printed = command(told)

    assert code == 1
    assert sentence in printed
    assert any(sentence in message for message in failures(tmp_path))


def test_a_learning_rate_that_diverges_ends_its_own_job(command, tmp_path: Path, adapter_spec: Path) -> None:  # type: ignore[no-untyped-def]
    axes = "\n[recipe.axes]\nlearning_rate = [1e30, 1e-2]\n"
    adapter_spec.write_text(adapter_spec.read_text().replace("\n    [recipe]", "\n[recipe]") + axes)

    code, _ = command("recipe.warmup=0.0", "recipe.clip=0.0")

    assert code == 1
    (message,) = failures(tmp_path)
    assert message.startswith("training diverged: ")
    assert message.endswith("lower recipe.learning_rate (1e+30)")
    trained = [record for record in Store(tmp_path / "runs").read()[0] if not record.treatment.is_control]
    assert [dict(record.treatment.recipe)["learning_rate"] for record in trained] == [0.01]


def test_a_failure_is_not_tried_again_until_it_is_asked_for(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    command("recipe.validation=0.99")
    (file,) = (tmp_path / "runs/crossgraft-1/failures").glob("*.json")
    file.write_bytes(to_json({**from_json(file.read_bytes()), "at": "long ago"}))

    code, printed = command("recipe.validation=0.99")

    assert code == 1
    assert "leaves nothing to train on" in printed
    assert json.loads(file.read_text())["at"] == "long ago"
