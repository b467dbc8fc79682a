"""A command that is told to stop ends in order and without a traceback."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from crossgraft.runs.storage.store import Store
from test_kill import finish, records, start

pytestmark = pytest.mark.slow


def begun(spec: Path, out: Path) -> subprocess.Popen[str]:
    """A run that has kept a first record and has many to go."""
    spec.write_text(spec.read_text().replace("[20, 60]", str(list(range(5, 61)))))
    process = start(spec, out)
    while records(out) == 0:
        time.sleep(0.001)
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_told_to_stop_says_so_and_goes_on_later(
    embedding_spec: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = begun(embedding_spec, tmp_path / "out")
    process.send_signal(number)
    _, err = process.communicate()

    assert process.returncode == code
    assert err.strip().endswith("what was computed is kept, run the same command to go on")
    assert not list(Store(tmp_path / "out").root.rglob("*.partial"))
    finish(start(embedding_spec, tmp_path / "out"))


@pytest.mark.parametrize("wait", [0.0, 0.002, 0.01, 0.05])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_a_run_at_once(
    embedding_spec: Path, tmp_path: Path, number: signal.Signals, code: int, wait: float
) -> None:
    process = begun(embedding_spec, tmp_path / "out")
    process.send_signal(number)
    time.sleep(wait)
    process.send_signal(number)
    _, err = process.communicate()

    assert process.returncode == code
    assert "Traceback" not in err


@pytest.mark.parametrize("wait", [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5])
def test_an_interruption_during_imports_is_neither_lost_nor_a_traceback(
    embedding_spec: Path, tmp_path: Path, wait: float
) -> None:
    embedding_spec.write_text(embedding_spec.read_text().replace("[20, 60]", str(list(range(5, 61)))))
    process = start(embedding_spec, tmp_path / "out")
    time.sleep(wait)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()

    assert process.returncode in (130, -signal.SIGINT)  # the latter before Python listens
    assert "Traceback" not in err
