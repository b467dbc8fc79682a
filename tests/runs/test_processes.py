"""Worker processes: they share the work, survive crashes, and end as they are asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from crossgraft.cli.estimate import store_status
from crossgraft.core import Record
from crossgraft.runs.claims import MARKER
from crossgraft.runs.storage.store import Store
from toy import answers, command, outcome, toy_spec

PROCESSES = ("--executor", "processes", "--workers", 2)


def records(out: Path) -> int:
    return len(list(out.glob("crossgraft-1/records/*/*.parquet")))


def wait_for(count: int, out: Path, process: subprocess.Popen[str]) -> None:
    while records(out) < count:
        assert process.poll() is None
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


@pytest.mark.parametrize("claims", ["locks", pytest.param("leases", marks=pytest.mark.slow)])
def test_inline_and_processes_give_the_same_records(tmp_path: Path, claims: str) -> None:
    spec = toy_spec(tmp_path, models=["m", "n", "o"])
    if claims == "leases":
        (tmp_path / "many" / "crossgraft-1" / "claims").mkdir(parents=True)
        (tmp_path / "many" / "crossgraft-1" / "claims" / MARKER).touch()

    alone = outcome(command("run", spec, "--out", tmp_path / "one"))
    shared = outcome(command("run", spec, "--out", tmp_path / "many", *PROCESSES))

    assert (alone[0], shared[0]) == (0, 0), shared[1]
    assert "30 results computed, 0 left" in shared[1]
    assert ("claims: leases" in shared[1]) == (claims == "leases")
    assert answers(tmp_path / "many") == answers(tmp_path / "one")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["embeddings", "adapters"])
def test_real_studies_are_the_same_under_processes_but_for_timings(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    spec: Path = request.getfixturevalue({"embeddings": "embedding_spec", "adapters": "adapter_spec"}[kind])
    if kind == "adapters":
        spec.write_text(spec.read_text().replace('["intent/en"]', '["intent/*"]'))
    same = ("--threads", 1, "--device", "cpu")

    alone = outcome(command("run", spec, "--out", tmp_path / "one", *same))
    shared = outcome(command("run", spec, "--out", tmp_path / "many", *same, *PROCESSES))

    assert (alone[0], shared[0]) == (0, 0), shared[1]
    assert untimed(tmp_path / "many") == untimed(tmp_path / "one")


def untimed(out: Path) -> list[Record]:
    return [replace(record, timings={}) for record in Store(out).read()[0]]


def test_a_job_that_kills_three_workers_is_given_up_and_named(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=4, targets=4, deadly=["a2"])

    code, said = outcome(command("run", spec, "--out", tmp_path / "out", *PROCESSES))

    assert code == 1
    assert "failed: m: a2: given up after it killed 3 workers; the last time a worker was killed by SIGKILL" in said
    assert "repeated only with --retry" in said
    assert said.count("given up after it killed 3 workers") == 2  # when it is, and at the end
    # every deadly attempt kept a target before it died; a second worker may have begun one more before the job was given up
    assert len(answers(tmp_path / "out")) - 4 * 4 in (3, 4)
    (failure,) = Store(tmp_path / "out").failures.read()[0].values()
    assert (failure["job"], failure["deterministic"]) == ("m: a2", True)


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=10, seconds=0.05)
    process = command("run", spec, "--out", tmp_path / "out", *PROCESSES)

    wait_for(3, tmp_path / "out", process)
    os.kill(children(process.pid)[0], signal.SIGKILL)
    code, said = outcome(process)

    assert code == 0, said
    assert len(answers(tmp_path / "out")) == 22


@pytest.mark.slow
def test_the_first_interruption_finishes_the_targets_at_hand(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=10, seconds=0.2)
    process = command("run", spec, "--out", tmp_path / "out", *PROCESSES)

    wait_for(2, tmp_path / "out", process)
    os.kill(process.pid, signal.SIGINT)
    code, said = outcome(process)

    assert code == 130
    assert "stopped after the targets at hand" in said
    assert 2 < len(answers(tmp_path / "out")) < 22
    assert outcome(command("run", spec, "--out", tmp_path / "out", *PROCESSES))[0] == 0
    assert len(answers(tmp_path / "out")) == 22


@pytest.mark.slow
def test_the_second_interruption_stops_at_once_and_leaves_no_process(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=10, targets=1, seconds=30)
    process = command("run", spec, "--out", tmp_path / "out", *PROCESSES)
    while len(workers := children(process.pid)) < 2:
        time.sleep(0.02)

    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGINT)
    code, _ = outcome(process)

    assert code == 130
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.slow
def test_workers_end_when_the_process_that_watches_them_is_killed(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=10, targets=1, seconds=30)
    process = command("run", spec, "--out", tmp_path / "out", *PROCESSES)
    while len(workers := children(process.pid)) < 2:
        time.sleep(0.02)

    process.kill()
    process.communicate()

    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_worker_begins_no_job_that_would_not_end_in_time(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=20, targets=1, seconds=0.3)

    code, said = outcome(command("worker", spec, "--out", tmp_path / "out", "--time-limit", "1.5s"))

    assert code == 75
    assert "the next job would not end within the time limit" in said
    assert 1 <= len(answers(tmp_path / "out")) <= 4


@pytest.mark.slow
def test_a_worker_begins_a_job_that_is_longer_than_its_limit(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=2, targets=1, seconds=0.3)

    for done in (1, 2, 3):
        outcome(command("worker", spec, "--out", tmp_path / "out", "--time-limit", "0.1s"))
        assert len(answers(tmp_path / "out")) == done


@pytest.mark.slow
def test_two_workers_take_different_models_and_leave_nothing(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, models=["m", "n"], count=6, seconds=0.15)

    both = [command("worker", spec, "--out", tmp_path / "out", "--json") for _ in range(2)]
    said = [outcome(process)[1] for process in both]

    assert len(answers(tmp_path / "out")) == 28
    begun = [next(line for line in text.splitlines() if "started" in line) for text in said]
    assert begun[0] != begun[1]


@pytest.mark.slow
def test_a_worker_takes_over_what_a_dead_one_left_under_leases(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=3, seconds=0.2)
    claims = tmp_path / "out" / "crossgraft-1" / "claims"
    claims.mkdir(parents=True)
    (claims / MARKER).touch()
    dead = command("worker", spec, "--out", tmp_path / "out")
    wait_for(2, tmp_path / "out", dead)
    dead.kill()
    dead.communicate()
    assert list(claims.glob("*.lease"))

    code, said = outcome(command("worker", spec, "--out", tmp_path / "out"))

    assert code == 0, said
    assert len(answers(tmp_path / "out")) == 8


@pytest.mark.slow
def test_the_status_of_a_store_counts_what_several_workers_are_at(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=8, seconds=0.3)
    process = command("run", spec, "--out", tmp_path / "out", *PROCESSES)
    wait_for(4, tmp_path / "out", process)

    (study,) = store_status(Store(tmp_path / "out")).studies
    outcome(process)
    (after,) = store_status(Store(tmp_path / "out")).studies

    assert study.total == 18
    assert study.running in (1, 2)  # one may be between two jobs
    assert study.left is not None
    assert 0 < study.left < 60
    assert (after.done, after.running, after.left) == (18, 0, None)
