"""``crossgraft compare`` as a user meets it."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from crossgraft.cli import main


def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["crossgraft", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def write(file: Path, gain: float, seed: int) -> None:
    rng, base = np.random.default_rng(seed), np.random.default_rng(0).uniform(size=150) < 0.5
    with file.open("w") as lines:
        writer = csv.writer(lines)
        writer.writerow(["model", "treatment", "source", "target", "seed", "item", "score"])
        for item, right in enumerate(base):
            writer.writerow(["m", "", "", "qa/sw", "", item, int(right)])
            for run in (1, 2, 3):
                score = rng.uniform() < (0.9 if right else 0.1 + gain)
                writer.writerow(["m", "a", "qa/de", "qa/sw", run, item, int(score)])


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "old.csv", 0.0, 1)
    write(tmp_path / "new.csv", 0.5, 2)
    return tmp_path


def test_sentences_come_first_then_tables(tables: Path, capsys, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = call(capsys, monkeypatch, "compare", "old.csv", "new.csv")

    assert code == 0
    assert out.startswith("A is old, B is new; both have 1 cell.")
    assert "1 of the 1 cell tested changed significantly, 1 up and 0 down" in out
    assert "higher in B" in out


def test_json_has_sentences_and_tables(tables: Path, capsys, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = call(capsys, monkeypatch, "compare", "old.csv", "new.csv", "--json", "--to", "tables")

    found = json.loads(out)
    assert found["cells"][0]["difference"] > 10
    assert (tables / "tables" / "cells.csv").is_file()


def test_two_studies_in_two_stores(embedding_spec: Path, capsys, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(embedding_spec.parent)
    for out in ("runs", "again"):
        call(capsys, monkeypatch, "run", "study.toml", "--threads", "1", "--out", out)

    code, out, _ = call(capsys, monkeypatch, "compare", "study.toml", "planted", "--out-b", "again")
    assert code == 0
    assert "all of them rest on the same records" in out


def test_a_study_with_itself_is_a_mistake(embedding_spec: Path, capsys, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(embedding_spec.parent)
    call(capsys, monkeypatch, "run", "study.toml", "--threads", "1")

    code, _, err = call(capsys, monkeypatch, "compare", "planted", "study.toml")
    assert (code, err.count("\n")) == (2, 1)
    assert "expected two studies; A and B are both 'planted'" in err
