"""``store push`` and ``store pull`` on the command line: what they print, and what a mistake costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from toy import ENVIRONMENT, answers, command, outcome, toy_spec


def test_a_study_is_pushed_pulled_and_reads_the_same(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    spec, url = toy_spec(tmp_path), f"file://{tmp_path}/bucket"
    outcome(command("run", spec, "--out", tmp_path / "here"))

    pushed = outcome(command("store", "push", "toy", "--out", tmp_path / "here", "--to", url))
    pulled = outcome(command("store", "pull", "--out", tmp_path / "there", "--from", url))

    assert pushed[0] == pulled[0] == 0, pushed + pulled
    assert pushed[1].startswith(f"{url}: 11 copied (")
    assert answers(tmp_path / "there") == answers(tmp_path / "here")
    assert "10 of 10 results" in outcome(command("store", "status", "--out", tmp_path / "there"))[1]


def test_damage_is_named_and_is_exit_code_1(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    outcome(command("run", toy_spec(tmp_path), "--out", tmp_path / "here"))
    next((tmp_path / "here").rglob("records/*/*")).write_bytes(b"cut")

    code, said = outcome(command("store", "push", "--out", tmp_path / "here", "--to", f"file://{tmp_path}/bucket"))

    assert code == 1
    assert "damaged" in said
    assert "not a whole Parquet file" in said


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("bucket/prefix", "expected a URL such as s3://bucket/prefix; got 'bucket/prefix'"),
        ("s3://", "expected a URL such as s3://bucket/prefix; got 's3://'"),
        ("nosuch://bucket", "nosuch://bucket: ValueError: Protocol not known: nosuch"),
        ("memory://empty", "nothing of a store was found at memory://empty"),
    ],
)
def test_a_url_that_leads_nowhere_is_one_sentence(tmp_path: Path, url: str, sentence: str) -> None:
    pytest.importorskip("fsspec")

    code, said = outcome(command("store", "pull", "--out", tmp_path, "--from", url))

    assert (code, said.count("\n")) == (2, 1), said
    assert sentence in said


def test_without_fsspec_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "fsspec.py").write_text("raise ImportError")
    environment = {**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}:{ENVIRONMENT['PYTHONPATH']}"}

    said = subprocess.run(
        [sys.executable, "-m", "crossgraft", "store", "push", "--out", str(tmp_path), "--to", "s3://bucket"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 2
    assert said.stderr == "crossgraft: s3:// needs the extra 'remote': pip install 'crossgraft[remote]'\n"
