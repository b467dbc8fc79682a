"""SIGKILL at random points, under each executor: what is there stays whole, and the next run ends with the same records."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from crossgraft.runs.claims import MARKER
from rounds import ROUNDS
from toy import answers, command, outcome, toy_spec

pytestmark = pytest.mark.slow
EXECUTORS = {
    "inline": ("run", ()),
    "processes": ("run", ("--executor", "processes", "--workers", 2)),
    "worker": ("worker", ()),
}


def family(pid: int) -> list[int]:
    """A process and its children."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [pid, *(int(line) for line in listed.stdout.split())]


def kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.mark.parametrize("claims", ["locks", "leases"])
@pytest.mark.parametrize("executor", EXECUTORS)
def test_kills_at_random_points_lose_nothing_and_double_nothing(tmp_path: Path, executor: str, claims: str) -> None:
    rng = np.random.default_rng([len(executor), len(claims)])
    spec = toy_spec(tmp_path, models=["m", "n"], count=6, seconds=0.03)
    assert outcome(command("run", spec, "--out", tmp_path / "whole"))[0] == 0
    expected = answers(tmp_path / "whole")
    verb, options = EXECUTORS[executor]
    for number in range(ROUNDS):
        out = tmp_path / f"killed-{number}"
        (out / "crossgraft-1" / "claims").mkdir(parents=True)
        if claims == "leases":
            (out / "crossgraft-1" / "claims" / MARKER).touch()
        process = command(verb, spec, "--out", out, *options)
        time.sleep(float(rng.uniform(0.3, 2.0)))
        victims = family(process.pid)
        kill(victims if rng.random() < 0.7 else [victims[-1]])  # all at once, or one of several
        outcome(process)

        kept = answers(out)
        assert kept.items() <= expected.items()
        code, said = outcome(command(verb, spec, "--out", out, *options))
        assert code == 0, said
        assert answers(out) == expected
