"""``worker``, ``submit``, ``fetch``: a study computed by processes on any number of machines that share its store."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossgraft.cli.commands.runs import ONLY, carry_out, print_summary, seconds_in, settings_of
from crossgraft.cli.options import AS_JSON, DEVICE, OUT, SPEC, THREADS, overrides, study_of
from crossgraft.cli.printing import echo

if TYPE_CHECKING:
    from crossgraft.runs.slurm import Array

GO_ON = 75  # exit code of a worker that stopped with work left: EX_TEMPFAIL of sysexits.h, "try again"


@click.command(short_help="Draw jobs of a study until none is left.")
@SPEC
@OUT
@overrides
@ONLY
@click.option("--time-limit", metavar="TIME", help="Begin no job that would not end within this time, such as 8h.")
@DEVICE
@THREADS
@AS_JSON
def worker(
    spec: Path,
    out: Path,
    sets: tuple[str, ...],
    limit: int | None,
    only: tuple[str, ...],
    time_limit: str | None,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Draw jobs of the study in SPEC from its store, one base model after the other, until none is left.

    Start as many as you like, on as many machines as share the store. What a killed worker left is taken over. The
    first SIGINT or SIGTERM lets the target at hand be finished; the second stops at once.

    Exit code 0 when nothing is left to begin, 1 when some jobs failed, 2 for a mistake in the spec or the data, 75
    when it stopped with work left.
    """
    settings = settings_of(only, "inline", device, threads, None, False)
    settings = replace(settings, by_model=True, limit=seconds_in(time_limit, "--time-limit") if time_limit else None)
    from crossgraft.runs.storage.store import Store

    if not as_json:
        echo(f"claims: {Store(out).claims.kind}")
    summary = carry_out(study_of(spec, sets, limit), out, settings, as_json=as_json)
    if not as_json:
        print_summary(summary, f"{spec}", out)
    if summary.stopped or summary.out_of_time:
        raise click.exceptions.Exit(GO_ON)
    if summary.failed:
        raise click.exceptions.Exit(1)


@click.command(short_help="Download what a study reads, ahead of its run.")
@SPEC
@OUT
@overrides
def fetch(spec: Path, out: Path, sets: tuple[str, ...], limit: int | None) -> None:
    """Download the models and data of the study in SPEC, and read and check every input.

    Run it where there is a network, such as a login node; nodes without one then work from the cache of the hub.
    """
    from crossgraft.runs.campaign import Campaign
    from crossgraft.runs.storage.store import Store

    manifest = Campaign(study_of(spec, sets, limit), Store(out)).describe()
    for note in manifest.notes:
        echo(f"note: {note}")
    echo(f"{manifest.name}: everything is here for {len(manifest.jobs)} jobs")


@click.command(short_help="Send a study to SLURM.")
@SPEC
@OUT
@overrides
@ONLY
@click.option(
    "--slurm", "options", multiple=True, metavar="KEY=VALUE", help="An option of sbatch, such as partition=gpu."
)
@click.option("--gpus", type=click.IntRange(min=0), default=1, show_default=True, help="GPUs of a task.")
@click.option("--cpus", type=click.IntRange(min=1), default=4, show_default=True, help="Cores, and threads, of a task.")
@click.option("--time", default="8:00:00", show_default=True, help="Time limit of a task, as SLURM takes it.")
@click.option(
    "--array-max", type=click.IntRange(min=1), default=32, show_default=True, help="Tasks of a base model at once."
)
@click.option("--venv", type=click.Path(path_type=Path), help="A virtual environment.  [default: the one at work]")
@click.option("--image", type=click.Path(path_type=Path), help="An Apptainer image that has crossgraft in it.")
@click.option("--dry-run", is_flag=True, help="Print the scripts, and submit nothing.")
@click.option("--local", is_flag=True, help="Run the scripts on this machine, one task after the other.")
def submit(
    spec: Path,
    out: Path,
    sets: tuple[str, ...],
    limit: int | None,
    only: tuple[str, ...],
    options: tuple[str, ...],
    gpus: int,
    cpus: int,
    time: str,
    array_max: int,
    venv: Path | None,
    image: Path | None,
    dry_run: bool,
    local: bool,
) -> None:
    """Send what the study in SPEC still lacks to SLURM: an array of workers for each base model.

    First, inputs are downloaded and checked here. A task that stops with work left, near its time limit or before
    preemption, puts itself into the queue again. Run the same command again, and only what is missing is submitted.
    """
    from crossgraft.runs.campaign import Campaign, Settings, plan_study
    from crossgraft.runs.prices import timings_in
    from crossgraft.runs.slurm import Errand, Request, arrays, parse_options
    from crossgraft.runs.storage.store import Store

    python = str((venv / "bin" / "python").absolute()) if venv else sys.executable
    request = Request(
        parse_options(options), gpus, cpus, time, array_max, python, str(image.absolute()) if image else ""
    )
    study, store = study_of(spec, sets, limit), Store(out.absolute())
    campaign = Campaign(study, store, Settings(only=only))
    manifest = campaign.describe()
    todo = plan_study(manifest, store, campaign.settings)
    if not todo.jobs:
        echo(f"{study.name}: nothing is missing, and nothing was submitted")
        return
    words = [str(spec.absolute()), "--out", str(store.out)]
    words += [word for text in sets for word in ("--set", text)] + (["--limit", str(limit)] if limit else [])
    words += [] if gpus else ["--device", "cpu"]
    logs = store.out / "slurm"
    errand = Errand(study.name, tuple(words), Path.cwd(), logs, bool(only), (store.out, spec.absolute().parent))
    made = arrays(errand, todo.jobs, timings_in(manifest.jobs, store), request)
    if dry_run:
        echo("\n".join(array.script for array in made))
        return
    if not local:
        store.manifests.save(manifest)
    codes = [_send(array, logs, local=local) for array in made]
    if any(codes):
        raise click.exceptions.Exit(max(codes))


def _send(array: Array, folder: Path, *, local: bool) -> int:
    """Write the script of an array, and have it run here or by SLURM."""
    from crossgraft.runs.slurm import run_here, submit, waiting
    from crossgraft.safety.files import write_whole

    file = folder / f"{array.name}.sh"
    write_whole(file, array.script.encode())
    if local:
        return run_here(array, file, os.environ)
    if array.name in waiting():
        echo(f"{array.model}: its array is in the queue already ({array.name}); not submitted again")
    else:
        echo(f"{array.model}: job {submit(file)}, {array.tasks} tasks; {file}")
    return 0
