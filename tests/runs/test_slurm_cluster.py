"""Studies on a real SLURM that runs on this machine: its daemons are started for the test, with a configuration of their own.

``CROSSGRAFT_SLURM`` names the folder into which Debian's packages were unpacked; nothing is installed:

    apt-get --no-install-recommends --download-only -o Dir::Cache::archives=$PWD install slurmctld slurmd slurm-client
    for package in *.deb; do dpkg -x $package $CROSSGRAFT_SLURM; done
"""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from toy import ENVIRONMENT, answers, command, outcome, toy_spec

SLURM = Path(os.environ.get("CROSSGRAFT_SLURM", "/nowhere"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (SLURM / "usr/sbin/slurmctld-wlm").exists(),
        reason="CROSSGRAFT_SLURM names no folder with Debian's packages slurmctld, slurmd and slurm-client, unpacked",
    ),
]
LIBRARIES = SLURM / "usr/lib/x86_64-linux-gnu"
CONFIGURATION = """ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PluginDir={libraries}/slurm-wlm
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ReturnToService=2
MailProg=/bin/true
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=here Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Its commands come first in ``PATH``; one node with two CPUs is ready."""
    folder, host = tmp_path / "slurm", socket.gethostname().partition(".")[0]
    for name in ("state", "spool", "programs"):
        (folder / name).mkdir(parents=True)
    text = CONFIGURATION.format(
        host=host, user=getpass.getuser(), libraries=LIBRARIES, folder=folder, ports=free_ports()
    )
    (folder / "slurm.conf").write_text(text)
    paths = f"LD_LIBRARY_PATH={LIBRARIES}:{LIBRARIES}/slurm-wlm SLURM_CONF={folder}/slurm.conf"
    for name in ("sbatch", "squeue", "scontrol", "sinfo"):
        program = folder / "programs" / name
        program.write_text(f'#!/bin/sh\nexport {paths}\nexec {SLURM}/usr/bin/{name} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setitem(ENVIRONMENT, "PATH", f"{folder}/programs:{os.environ['PATH']}")
    daemons = [daemon(paths, "slurmctld-wlm", "-D", "-c")]
    daemons.append(daemon(paths, "slurmd-wlm", "-D", "-N", host, "-d", f"{SLURM}/usr/sbin/slurmstepd-wlm"))
    try:
        wait_for(lambda: "idle" in slurm("sinfo"))
        yield
    finally:
        for process in reversed(daemons):
            process.terminate()
            process.wait(30)


def free_ports() -> list[int]:
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in (first, second)]


def daemon(paths: str, name: str, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["env", *paths.split(), str(SLURM / "usr/sbin" / name), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def slurm(*words: str) -> str:
    return subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=False).stdout


def wait_for(condition: Callable[[], object], patience: float = 180) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, slurm("squeue")
        time.sleep(0.2)


def test_arrays_of_workers_make_the_records_of_one_process(tmp_path: Path, cluster: None) -> None:
    spec, out = toy_spec(tmp_path, models=["m", "n"], count=3), tmp_path / "many"
    assert outcome(command("run", spec, "--out", tmp_path / "one"))[0] == 0
    submit = ("submit", spec, "--out", out, "--slurm", "partition=here", "--cpus", 1, "--gpus", 0, "--array-max", 2)

    code, said = outcome(command(*submit))
    assert code == 0, said
    wait_for(lambda: not slurm("squeue", "-h"))

    assert answers(out) == answers(tmp_path / "one")
    assert "nothing is missing" in outcome(command(*submit))[1]


def test_a_task_that_slurm_takes_away_goes_on_later(tmp_path: Path, cluster: None) -> None:
    spec, out = toy_spec(tmp_path, count=4, seconds=0.5), tmp_path / "many"
    assert outcome(command("run", spec, "--out", tmp_path / "one"))[0] == 0
    submit = ("submit", spec, "--out", out, "--slurm", "partition=here", "--cpus", 1, "--gpus", 0, "--array-max", 1)
    assert outcome(command(*submit))[0] == 0
    wait_for(lambda: list(out.glob("crossgraft-1/records/*/*.parquet")))

    task = slurm("squeue", "-h", "-t", "R", "-o", "%i").split()[0]
    slurm("scontrol", "requeue", task)
    wait_for(lambda: "PD" in slurm("squeue", "-h", "-o", "%t"))
    slurm("scontrol", "update", f"jobid={task}", "starttime=now")  # SLURM waits two minutes otherwise
    wait_for(lambda: not slurm("squeue", "-h"), 300)

    assert answers(out) == answers(tmp_path / "one")
