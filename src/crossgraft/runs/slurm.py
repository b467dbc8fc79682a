"""A study on SLURM: one array of identical workers for each base model, which draw jobs from the store.

A script of our own and ``sbatch``, and no library: the workers need no arguments of their own and return
nothing, so all that is left to do is a page of shell that its reader can check.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import escape
from math import ceil
from pathlib import Path

from crossgraft.core import Job
from crossgraft.errors import CrossgraftError, SpecError
from crossgraft.identity import content_id
from crossgraft.runs.prices import Timings, are_timed, seconds_of

GRACE = 120  # seconds between SLURM's signal and its end of a job
_RESERVE = 300.0  # seconds of a job's time that no work is begun for
_RESTARTS = 50  # a task puts itself into the queue again, while it leaves work
_TIME = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?")

_SCRIPT = """\
#!/bin/bash
{directives}

# Written by 'crossgraft submit'. Every task is a worker that draws jobs of one base model from the store.
set -u
export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 TRANSFORMERS_OFFLINE=1
export OMP_NUM_THREADS={cpus}
cd {folder} || exit 2

{command} &
worker=$!
trap 'kill -TERM "$worker" 2> /dev/null' TERM INT
while wait "$worker"; kill -0 "$worker" 2> /dev/null; do :; done  # a signal ends a wait before the worker ends
wait "$worker"
code=$?

# 75: it stopped with work left, near the time limit or before preemption
if [ "$code" -eq 75 ] && [ "${{SLURM_RESTART_COUNT:-0}}" -lt {restarts} ] && command -v scontrol > /dev/null; then
  scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
fi
exit "$code"
"""


@dataclass(frozen=True)
class Request:
    """What each task asks the cluster for, and how it starts Python."""

    options: tuple[tuple[str, str], ...] = ()  # of sbatch, such as ("partition", "gpu")
    gpus: int = 1
    cpus: int = 4
    time: str = "8:00:00"
    array_max: int = 32  # tasks of a base model at once
    python: str = "python3"
    image: str = ""  # an Apptainer image to run it in

    @property
    def seconds(self) -> float:
        return seconds_in(self.time)


@dataclass(frozen=True)
class Array:
    """The workers of one base model: the name under which SLURM knows them, how many, and their script."""

    name: str
    model: str
    tasks: int
    script: str


def parse_options(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """``key=value`` texts as options of sbatch; a key alone is a flag."""
    options = []
    for text in texts:
        key, _, value = text.partition("=")
        if not re.fullmatch(r"[a-z][a-z0-9-]*", key) or not re.fullmatch(r"[!-~]*", value):
            raise SpecError(f"--slurm: expected an option of sbatch, such as partition=gpu; got {text!r}")
        if key in ("array", "time", "gpus", "cpus-per-task", "job-name", "output", "signal"):
            raise SpecError(f"--slurm {key}: crossgraft sets this option itself; see 'crossgraft submit --help'")
        options.append((key, value))
    return tuple(options)


def seconds_in(time: str) -> float:
    """SLURM's forms of a time.

    >>> [seconds_in(time) for time in ("90", "90:30", "8:00:00", "2-12", "1-0:30")]
    [5400.0, 5430.0, 28800.0, 216000.0, 88200.0]
    """
    match = _TIME.fullmatch(time)
    if not match:
        raise SpecError(f"--time: expected a time as SLURM takes it, such as 8:00:00 or 2-12:00:00; got {time!r}")
    days, *parts = match.groups()
    first, second, third = (float(part or 0) for part in parts)
    if days is not None:
        seconds = 86_400 * float(days) + 3600 * first + 60 * second + third
    elif parts[2] is None:
        seconds = 60 * first + second
    else:
        seconds = 3600 * first + 60 * second + third
    if not seconds:
        raise SpecError(f"--time: expected more than no time; got {time!r}")
    return seconds


@dataclass(frozen=True)
class Errand:
    """What the workers are to do: the arguments they share, the folder they start in, and that of their logs.

    ``reads`` are further folders that a container must see. With ``selected``, only the treatments of the jobs at hand, whatever else the study lacks.
    """

    study: str
    words: tuple[str, ...]
    folder: Path
    logs: Path
    selected: bool = False
    reads: tuple[Path, ...] = ()


def arrays(errand: Errand, jobs: Sequence[Job], timings: Timings, request: Request) -> list[Array]:
    """An array for each base model that has jobs."""
    by_model: dict[str, list[Job]] = {}
    for job in jobs:
        by_model.setdefault(job.treatment.model, []).append(job)
    made = []
    for model, some in by_model.items():
        names = sorted({job.treatment.name for job in some}) if errand.selected else []
        patterns = [f"{escape(model)}:{escape(name)}" for name in names] or [f"{escape(model)}:*"]
        name = _name(errand, model, patterns)
        tasks = task_count(some, timings, request)
        made.append(Array(name, model, tasks, script(name, patterns, tasks, request, errand)))
    return made


def task_count(jobs: Sequence[Job], timings: Timings, request: Request) -> int:
    """As many as may run at once, or as the time of like jobs asks for if that is more; never more than jobs.

    A task that stops with work left puts itself into the queue again, so too few is no loss.
    """
    priced = sum(seconds_of(job, timings) for job in jobs if are_timed(job, timings))
    needed = ceil(1.2 * priced / _worker_seconds(request))
    return min(len(jobs), max(request.array_max, needed))


def _worker_seconds(request: Request) -> float:
    return request.seconds - min(_RESERVE, request.seconds / 10)


def _name(errand: Errand, model: str, patterns: Sequence[str]) -> str:
    """What SLURM shows, the same for the same part of a study on the same store."""
    readable = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{errand.study}-{model}")[:40]
    return f"crossgraft-{readable}-{content_id(words=list(errand.words), patterns=list(patterns))[:8]}"


def script(name: str, patterns: Sequence[str], tasks: int, request: Request, errand: Errand) -> str:
    directives = [
        ("job-name", name),
        ("array", f"1-{tasks}%{request.array_max}"),
        ("time", request.time),
        *([("gpus", str(request.gpus))] if request.gpus else []),
        ("cpus-per-task", str(request.cpus)),
        ("output", f"{errand.logs}/%x-%A_%a.log"),
        ("open-mode", "append"),
        ("requeue", ""),
        ("signal", f"B:TERM@{GRACE}"),
        *request.options,
    ]
    limit = f"{_worker_seconds(request):.0f}s"
    only = [word for pattern in patterns for word in ("--only", pattern)]
    worker = ["worker", *errand.words, *only, "--time-limit", limit, "--threads", str(request.cpus)]
    command = [*_python(request, errand), "-m", "crossgraft", *worker]
    return _SCRIPT.format(
        directives="\n".join(
            f"#SBATCH --{key}={_quoted(value)}" if value else f"#SBATCH --{key}" for key, value in directives
        ),
        cpus=request.cpus,
        folder=shlex.quote(str(errand.folder)),
        command=shlex.join(command),
        restarts=_RESTARTS,
    )


def _python(request: Request, errand: Errand) -> list[str]:
    if not request.image:
        return [request.python]
    graphics = ["--nv"] if request.gpus else []
    folders = ",".join(dict.fromkeys(map(str, (errand.folder, *errand.reads))))
    return ["apptainer", "exec", *graphics, "--bind", folders, request.image, "python3"]


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value


def waiting() -> frozenset[str]:
    """The names of this user's jobs that SLURM holds or runs; none where it cannot be asked."""
    squeue = shutil.which("squeue")
    if squeue is None:
        return frozenset()
    asked = subprocess.run(  # noqa: S603
        [squeue, "--me", "--noheader", "--format=%j"], capture_output=True, text=True, check=False
    )
    return frozenset(asked.stdout.split()) if asked.returncode == 0 else frozenset()


def submit(file: Path) -> str:
    """Hand a script to sbatch; the id of the job."""
    sbatch = shutil.which("sbatch")
    if sbatch is None:
        raise CrossgraftError(
            "sbatch is not on the PATH: run this on a login node of the cluster, or use --dry-run to see the scripts "
            "or --local to run them here"
        )
    asked = subprocess.run([sbatch, "--parsable", str(file)], capture_output=True, text=True, check=False)  # noqa: S603
    if asked.returncode:
        reason = asked.stderr.strip().splitlines()
        raise CrossgraftError(f"sbatch refused {file}: {reason[-1] if reason else f'exit code {asked.returncode}'}")
    return asked.stdout.strip().partition(";")[0]


def run_here(array: Array, file: Path, environment: Mapping[str, str]) -> int:
    """Run the tasks of an array on this machine, one after the other, until one leaves no work; its exit code."""
    bash = shutil.which("bash")
    if bash is None:
        raise CrossgraftError("--local runs the script with bash, which is not on the PATH")
    code = 0
    for task in range(1, array.tasks + 1):
        ids = {"SLURM_ARRAY_JOB_ID": "0", "SLURM_ARRAY_TASK_ID": str(task)}
        code = subprocess.run([bash, str(file)], env={**environment, **ids}, check=False).returncode  # noqa: S603
        if code != 75:
            break
    return code
