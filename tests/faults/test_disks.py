"""Disks that are full or cannot be written: one sentence, exit code 2, and nothing computed is lost."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from toy import ENVIRONMENT, answers, command, outcome, toy_spec

pytestmark = pytest.mark.slow
OPTIONS = {"inline": (), "processes": ("--executor", "processes", "--workers", 2)}


@pytest.mark.parametrize("executor", OPTIONS)
@pytest.mark.parametrize("most", [0, 1_000, 5_000, 30_000])
def test_files_that_cannot_grow_end_a_run_with_a_sentence(tmp_path: Path, executor: str, most: int) -> None:
    """A limit on the size of files stands for a full disk: the system refuses to write in the middle of a file."""
    spec = toy_spec(tmp_path, count=6)
    words = ["run", str(spec), "--out", str(tmp_path / "out"), *map(str, OPTIONS[executor])]
    process = subprocess.run(
        [sys.executable, "-m", "crossgraft", *words],
        env=ENVIRONMENT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode in (0, 2), process.stderr
    assert "Traceback" not in process.stderr
    if process.returncode == 2:
        assert process.stderr.startswith("crossgraft: ")
        assert "File too large" in process.stderr
    assert outcome(command(*words))[0] == 0
    assert len(answers(tmp_path / "out")) == 14


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_under_the_output_is_no_traceback(tmp_path: Path) -> None:
    spec = toy_spec(tmp_path, count=6)
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "crossgraft", "run", str(spec), "--out", str(tmp_path / "out")],
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert process.returncode == 2
    assert "No space left on device" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into every folder")
@pytest.mark.parametrize("executor", OPTIONS)
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, executor: str) -> None:
    spec = toy_spec(tmp_path)
    out = tmp_path / "out"
    out.mkdir(mode=0o555)

    code, said = outcome(command("run", spec, "--out", out, *OPTIONS[executor]))

    assert (code, "Permission denied" in said, "Traceback" in said) == (2, True, False)
