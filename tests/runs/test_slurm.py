"""Studies on SLURM, with a fake sbatch that notes what it is given, and the script itself run by bash."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from crossgraft.core import Cell, Job, Point, Treatment
from crossgraft.errors import SpecError
from crossgraft.runs.slurm import Errand, Request, parse_options, script, seconds_in, task_count
from toy import ENVIRONMENT, answers, command, outcome, toy_spec

SBATCH = """#!/bin/bash
cp "$2" "$SENT/$(ls "$SENT" | wc -l).sh"
echo "$(ls "$SENT" | wc -l);cluster"
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a fake ``sbatch`` keeps the scripts it is given; ``squeue`` prints what lies in ``queue``."""
    programs, sent = tmp_path / "programs", tmp_path / "sent"
    programs.mkdir()
    sent.mkdir()
    for name, text in (("sbatch", SBATCH), ("squeue", f"#!/bin/bash\ncat {tmp_path}/queue 2> /dev/null || true\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setitem(ENVIRONMENT, "PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setitem(ENVIRONMENT, "SENT", str(sent))
    return sent


def directives(text: str) -> dict[str, str]:
    lines = (line.removeprefix("#SBATCH --") for line in text.splitlines() if line.startswith("#SBATCH --"))
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def test_each_base_model_gets_an_array_of_workers(tmp_path: Path, cluster: Path) -> None:
    spec = toy_spec(tmp_path, models=["small", "large"], count=50)

    code, said = outcome(
        command(
            "submit", spec, "--out", tmp_path / "out", "--slurm", "partition=gpu", "--slurm", "exclusive", "--gpus", 2
        )
    )

    assert code == 0, said
    assert "small: job 1, 32 tasks" in said
    scripts = sorted(file.read_text() for file in cluster.iterdir())
    assert len(scripts) == 2
    asked = directives(scripts[0])
    assert (asked["partition"], asked["exclusive"], asked["gpus"], asked["array"]) == ("gpu", "", "2", "1-32%32")
    assert (asked["time"], asked["signal"], asked["requeue"]) == ("8:00:00", "B:TERM@120", "")
    assert all("HF_HUB_OFFLINE=1" in text and "--time-limit 28500s" in text for text in scripts)
    assert {"'large:*'" in text for text in scripts} == {True, False}


def test_a_dry_run_prints_the_script_and_submits_nothing(tmp_path: Path, cluster: Path) -> None:
    spec = toy_spec(tmp_path)

    code, said = outcome(command("submit", spec, "--out", tmp_path / "out", "--dry-run", "--image", tmp_path / "c.sif"))

    assert code == 0, said
    assert said.startswith("#!/bin/bash\n#SBATCH --job-name=crossgraft-toy-m-")
    assert f"--nv --bind {Path.cwd()},{tmp_path}/out,{tmp_path} {tmp_path}/c.sif python3 -m crossgraft worker" in said
    assert list(cluster.iterdir()) == []


def test_only_what_is_missing_is_submitted(tmp_path: Path, cluster: Path) -> None:
    spec = toy_spec(tmp_path, models=["small", "large"])
    outcome(command("run", spec, "--out", tmp_path / "out", "--only", "large"))

    _, first = outcome(command("submit", spec, "--out", tmp_path / "out"))
    outcome(command("run", spec, "--out", tmp_path / "out"))
    _, second = outcome(command("submit", spec, "--out", tmp_path / "out"))

    assert "small: job 1, 5 tasks" in first
    assert "large" not in first
    assert second == "toy: nothing is missing, and nothing was submitted\n"
    assert len(list(cluster.iterdir())) == 1


def test_an_array_that_waits_in_the_queue_is_not_submitted_again(tmp_path: Path, cluster: Path) -> None:
    spec = toy_spec(tmp_path)
    outcome(command("submit", spec, "--out", tmp_path / "out"))
    (sent,) = cluster.iterdir()
    (tmp_path / "queue").write_text(directives(sent.read_text())["job-name"] + "\n")

    _, said = outcome(command("submit", spec, "--out", tmp_path / "out"))

    assert "its array is in the queue already" in said
    assert len(list(cluster.iterdir())) == 1


def test_fetch_says_that_everything_is_here(tmp_path: Path) -> None:
    code, said = outcome(command("fetch", toy_spec(tmp_path), "--out", tmp_path / "out"))

    assert (code, said) == (0, "toy: everything is here for 5 jobs\n")


def test_without_sbatch_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    code, said = outcome(command("submit", toy_spec(tmp_path), "--out", tmp_path / "out"))

    assert code == 2
    assert said.startswith("crossgraft: sbatch is not on the PATH")


def test_a_selection_is_all_that_its_workers_do(tmp_path: Path, cluster: Path) -> None:
    spec = toy_spec(tmp_path, models=["small", "large"])

    _, said = outcome(command("submit", spec, "--out", tmp_path / "out", "--only", "*:a[12]", "--dry-run"))

    assert said.count("--only small:a1 --only small:a2") == 1
    assert ":a3" not in said  # a hash may hold "a3"


@pytest.mark.slow
def test_the_same_script_runs_here(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, models=["m", "n[1]"])

    code, said = outcome(command("submit", spec, "--out", tmp_path / "out", "--local", "--gpus", 0))

    assert code == 0, said
    assert len(answers(tmp_path / "out")) == 20


@pytest.mark.slow
def test_a_task_that_is_preempted_finishes_its_target_and_asks_for_another_turn(tmp_path: Path, cluster: Path) -> None:
    spec = toy_spec(tmp_path, count=20, seconds=0.3)
    outcome(command("submit", spec, "--out", tmp_path / "out", "--gpus", 0))
    (sent,) = cluster.iterdir()
    requeue = tmp_path / "programs" / "scontrol"
    requeue.write_text(f'#!/bin/bash\necho "$@" >> {tmp_path}/requeued\n')
    requeue.chmod(0o755)
    ids = {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3"}
    task = subprocess.Popen(["bash", str(sent)], env={**ENVIRONMENT, **ids})
    while not list(tmp_path.glob("out/crossgraft-1/records/*/*")):
        time.sleep(0.01)

    task.send_signal(signal.SIGTERM)

    assert task.wait(60) == 75
    assert (tmp_path / "requeued").read_text() == "requeue 7_3\n"
    assert 1 <= len(answers(tmp_path / "out")) < 42


def test_a_script_quotes_what_a_shell_would_take_apart() -> None:
    words = ("my study.toml", "--set", "name='$(rm -rf x)'")

    text = script("n", ["a b$(x):*"], 3, Request(), Errand("s", words, Path("/a b"), Path("/logs")))

    checked = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "cd '/a b'" in text
    assert "'a b$(x):*'" in text


@pytest.mark.parametrize("text", ["Partition=x", "a b=c", "partition=a\nb", "=x", "array=1-4", "time=1"])
def test_options_that_would_break_the_script_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match="--slurm"):
        parse_options([text])


@pytest.mark.parametrize("text", ["", "8h", "1:2:3:4", "0", "-1", "1-"])
def test_times_that_slurm_does_not_take_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match="--time"):
        seconds_in(text)


def test_as_many_tasks_as_the_work_needs_and_never_more_than_jobs() -> None:
    cell = Cell(Point("t", "de"), "r", "x", "all", "accuracy")
    jobs = [Job(Treatment("m", f"a{number}", "given"), f"a{number}", (cell,)) for number in range(100)]
    timings = {(("m", "given"), "evaluate"): [3600.0]}  # an hour a job; six of them in a task of eight hours

    assert task_count(jobs, timings, Request(array_max=4)) == 16
    assert task_count(jobs, {}, Request(array_max=4)) == 4
    assert task_count(jobs[:3], timings, Request()) == 3
