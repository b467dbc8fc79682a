"""The executor ``ray`` on a cluster that Ray starts here; skipped where Ray is not installed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from crossgraft.runs.storage.store import Store
from toy import ENVIRONMENT, answers, command, outcome, toy_spec

pytestmark = pytest.mark.slow
RAY = ("--executor", "ray", "--workers", 2, "--threads", 1, "--device", "cpu")


@pytest.fixture(autouse=True)
def needs_ray() -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'crossgraft[ray]'")


def running(out: Path) -> int:
    """How many jobs somebody works on."""
    store = Store(out)
    return sum(store.running(store.study(name).jobs) for name in store.studies())


def test_inline_and_ray_give_the_same_records(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, models=["m", "n"])
    assert outcome(command("run", spec, "--out", tmp_path / "one"))[0] == 0

    code, said = outcome(command("run", spec, "--out", tmp_path / "many", *RAY), 400)

    assert code == 0, said
    assert "20 results computed, 0 left" in said
    assert answers(tmp_path / "many") == answers(tmp_path / "one")


def test_a_job_that_kills_three_workers_of_ray_is_given_up(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=3, targets=4, deadly=["a1"])

    code, said = outcome(command("run", spec, "--out", tmp_path / "out", *RAY), 400)

    assert code == 1, said
    assert "failed: m: a1: given up after it killed 3 workers" in said
    assert len(answers(tmp_path / "out")) - 3 * 4 in (3, 4)  # a second worker may have begun one more attempt


def test_a_killed_worker_of_ray_is_replaced(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=12, seconds=0.2)
    process = command("run", spec, "--out", tmp_path / "out", *RAY)
    while not list(tmp_path.glob("out/crossgraft-1/records/*/*")):
        assert process.poll() is None
        time.sleep(0.05)

    for line in subprocess.run(
        ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=False
    ).stdout.splitlines():
        pid, _, arguments = line.strip().partition(" ")
        if arguments.startswith("ray::_drain"):
            os.kill(int(pid), signal.SIGKILL)
            break
    code, said = outcome(process, 400)

    assert code == 0, said
    assert len(answers(tmp_path / "out")) == 26


def test_a_run_on_two_nodes_goes_on_when_one_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = toy_spec(tmp_path, count=9, seconds=0.5)
    assert outcome(command("run", spec, "--out", tmp_path / "one"))[0] == 0
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])  # the workers of a node have its environment
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        lost = cluster.add_node(num_cpus=1)
        monkeypatch.setitem(ENVIRONMENT, "RAY_ADDRESS", cluster.address)
        process = command("run", spec, "--out", tmp_path / "many", *RAY)
        while running(tmp_path / "many") < 2:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        cluster.remove_node(lost, allow_graceful=False)
        code, said = outcome(process, 400)
    finally:
        cluster.shutdown()

    assert code == 0, said
    assert "another takes its place" in said
    assert answers(tmp_path / "many") == answers(tmp_path / "one")
