"""A run that is killed at any moment, and repeated, ends with the results of a run that was not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossgraft.analysis.results import load_matrix
from crossgraft.core import Answers
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study

pytestmark = pytest.mark.slow
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def start(spec: Path, out: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "crossgraft",
        "run",
        str(spec),
        "--out",
        str(out),
        "--threads",
        "1",
        "--device",
        "cpu",
    ]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    return out


def outcomes(out: Path) -> dict[tuple[str, str], Answers]:
    records, damages = Store(out).read()
    assert damages == []
    found = {(record.id, record.pairing.id): record.answers for record in records}
    assert len(found) == len(records)
    return found


def numbers(out: Path) -> list[Any]:
    matrix = load_matrix(Store(out))
    return [array.tolist() for array in (matrix.change, matrix.low, matrix.high, matrix.n)]


def records(out: Path) -> int:
    return len(list(out.glob("crossgraft-1/records/*/*.parquet")))


def kill_at_random(spec: Path, out: Path, wait: Callable[[], float]) -> bool:
    """Start a run, kill it some time after it has added a record; whether it was still running."""
    before = records(out)
    process = start(spec, out)
    while records(out) == before and process.poll() is None:
        time.sleep(0.001)
    time.sleep(wait())
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return running


def survives_kills(spec: Path, folder: Path, *, times: int, seed: int, longest: float) -> None:
    """Kill ``times`` runs, each after its first record, and compare each with a whole one once it is repeated."""
    whole = folder / "whole"
    finish(start(spec, whole))
    expected, matrix = outcomes(whole), numbers(whole)
    rng = np.random.default_rng(seed)
    killed = 0
    for attempt in range(4 * times):
        out = folder / f"killed-{attempt}"
        if kill_at_random(spec, out, lambda: float(rng.uniform(0, longest))):
            killed += 1
            outcomes(out)  # whatever is there is whole
        finish(start(spec, out))
        assert outcomes(out) == expected
        assert numbers(out) == matrix
        shutil.rmtree(out)
        if killed == times:
            return
    pytest.fail(f"only {killed} of {4 * times} runs could be killed before they ended")


def test_an_embedding_study_survives_50_kills(embedding_spec: Path, tmp_path: Path) -> None:
    embedding_spec.write_text(embedding_spec.read_text().replace("[20, 60]", str(list(range(5, 61, 5)))))

    survives_kills(embedding_spec, tmp_path, times=50, seed=11, longest=0.25)


def test_an_adapter_study_survives_5_kills(adapter_spec: Path, tmp_path: Path) -> None:
    text = adapter_spec.read_text().replace("epochs = 1", "epochs = 40").replace('["intent/en"]', '["intent/*"]')
    adapter_spec.write_text(text)

    survives_kills(adapter_spec, tmp_path, times=5, seed=12, longest=1.0)


@pytest.mark.parametrize("kind", ["embeddings", "adapters"])
def test_two_runs_at_once_share_the_work(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    spec: Path = request.getfixturevalue({"embeddings": "embedding_spec", "adapters": "adapter_spec"}[kind])
    if kind == "adapters":
        spec.write_text(spec.read_text().replace('["intent/en"]', '["intent/*"]'))
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    finish(start(spec, whole))

    for process in [start(spec, shared), start(spec, shared)]:
        finish(process)
    finish(start(spec, shared))  # a job may have been in the other's hands when the first one ended

    assert outcomes(shared) == outcomes(whole)
    assert numbers(shared) == numbers(whole)
    assert load_study(spec).name in Store(shared).studies()
