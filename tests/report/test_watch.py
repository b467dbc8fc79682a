"""``report --watch`` writes the page when records land, and ends by Ctrl-C with exit code 130."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossgraft.cli.watching import changes
from crossgraft.runs.campaign import run as run_study
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from outcomes import BASE, answers, measured, trained


@pytest.fixture
def watching(embedding_spec: Path) -> Iterator[subprocess.Popen[str]]:
    run_study(load_study(embedding_spec), Store(embedding_spec.parent / "runs"))
    command = [sys.executable, "-m", "crossgraft", "report", "planted", "--watch"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, cwd=embedding_spec.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_the_trace_of_a_store_changes_when_a_record_lands(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.take(measured(BASE, answers([0, 1]))[1])
    before = store.trace()
    assert store.trace() == before

    store.take(measured(trained(), answers([1, 1]))[1])
    assert store.trace() != before


def test_after_a_change_there_is_another_look(tmp_path: Path) -> None:
    looks = changes(tmp_path, pause=0.0)
    next(looks)
    Store(tmp_path).take(measured(BASE, answers([0, 1]))[1])

    assert next(looks) is None


def test_the_page_is_written_again_and_ctrl_c_ends_it(watching: subprocess.Popen[str], embedding_spec: Path) -> None:
    assert watching.stdout is not None
    assert watching.stdout.readline() == "watching the store; Ctrl-C ends it\n"
    assert "6 of 6 cells: wrote runs/reports/planted/report.html" in watching.stdout.readline()

    for record in (embedding_spec.parent / "runs").rglob("records/*/*.parquet"):
        record.unlink()
    assert "0 of 6 cells: wrote" in watching.stdout.readline()

    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
