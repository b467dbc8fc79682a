"""Push and pull on an S3 that Moto runs on this machine; skipped where Moto or s3fs are not installed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from toy import ENVIRONMENT, answers, command, outcome, toy_spec

pytestmark = pytest.mark.slow
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def serve(monkeypatch: pytest.MonkeyPatch, *, is_open: bool = True) -> Iterator[str]:
    """A server of its own, as the endpoint of every command: with a bucket, or closed to everybody."""
    pytest.importorskip("moto", reason="Moto is not installed: pip install 'moto[server]'")
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'crossgraft[remote]'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        env=os.environ | ({} if is_open else {"INITIAL_NO_AUTH_ACTION_COUNT": "0"}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, server)
        url = f"http://127.0.0.1:{port}"
        facts = {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
        for name, value in (facts | dict.fromkeys(CREDENTIALS, "testing")).items():
            monkeypatch.setitem(ENVIRONMENT, name, value)
            monkeypatch.setenv(name, value)
        if is_open:
            s3fs.S3FileSystem(skip_instance_cache=True).mkdir("bucket")
        yield "s3://bucket/a/prefix"
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Moto's server did not start")


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    yield from serve(monkeypatch)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    assert outcome(command("run", toy_spec(tmp_path), "--out", tmp_path / "here"))[0] == 0
    return tmp_path / "here"


def test_a_store_goes_to_s3_and_comes_back(url: str, out: Path, tmp_path: Path) -> None:
    pushed = outcome(command("store", "push", "--out", out, "--to", url))
    again = outcome(command("store", "push", "--out", out, "--to", url))
    pulled = outcome(command("store", "pull", "--out", tmp_path / "there", "--from", url))

    assert (pushed[0], again[0], pulled[0]) == (0, 0, 0), pushed + again + pulled
    assert "11 copied" in pushed[1]
    assert "0 copied (0 B), 11 there already" in again[1]
    assert answers(tmp_path / "there") == answers(out)


def test_a_push_that_was_killed_goes_on(url: str, tmp_path: Path) -> None:
    out = tmp_path / "here"
    assert outcome(command("run", toy_spec(tmp_path, count=300), "--out", out))[0] == 0
    system = pytest.importorskip("s3fs").S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    process = command("store", "push", "--out", out, "--to", url)
    while not system.find("bucket"):
        assert process.poll() is None, process.communicate()
    process.kill()
    outcome(process)

    pushed = outcome(command("store", "push", "--out", out, "--to", url))
    outcome(command("store", "pull", "--out", tmp_path / "there", "--from", url))

    assert pushed[0] == 0, pushed
    assert " 0 copied" not in pushed[1]
    assert " 0 there already" not in pushed[1]
    assert answers(tmp_path / "there") == answers(out)


def test_a_bucket_that_is_not_there_is_one_sentence(url: str, out: Path) -> None:
    code, said = outcome(command("store", "push", "--out", out, "--to", "s3://nowhere/prefix"))

    assert (code, said.count("\n")) == (2, 1), said
    assert "there is no such bucket or folder; create it, or correct the URL" in said


def test_no_credentials_are_one_sentence(url: str, out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in CREDENTIALS:
        monkeypatch.delitem(ENVIRONMENT, name)
    monkeypatch.setitem(ENVIRONMENT, "HOME", str(tmp_path))

    code, said = outcome(command("store", "push", "--out", out, "--to", url))

    assert (code, said.count("\n")) == (2, 1), said
    assert "no credentials were found" in said


def test_no_permission_is_one_sentence(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in serve(monkeypatch, is_open=False):
        code, said = outcome(command("store", "push", "--out", out, "--to", url))

        assert (code, said.count("\n")) == (2, 1), said
        assert "access was denied" in said


def test_a_server_that_is_not_there_is_one_sentence(url: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENT, "AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    code, said = outcome(command("store", "push", "--out", out, "--to", url))

    assert (code, said.count("\n")) == (2, 1), said
    assert "Could not connect to the endpoint URL" in said
