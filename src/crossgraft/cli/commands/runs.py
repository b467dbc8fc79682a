"""``plan``, ``preview``, ``run``: a study before and while it is computed."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from crossgraft.cli.options import AS_JSON, DEVICE, OUT, SPEC, THREADS, overrides, study_of
from crossgraft.cli.printing import echo, print_lines
from crossgraft.errors import JobFailed, MissingInputs, SpecError

if TYPE_CHECKING:
    from crossgraft.runs.campaign import Settings, Summary
    from crossgraft.study import Study

LEASES = (
    "claims: leases, because locks on this file system do not keep other machines out; the jobs of a killed worker are "
    "free after 4 minutes"
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes of --executor processes.  [default: one a GPU, else cores / threads]",
)
ONLY = click.option(
    "--only", multiple=True, metavar="PATTERN", help="Only models or sources that match, such as 'intent/*'."
)


@click.command(short_help="Say what a run would compute and cost.")
@SPEC
@OUT
@overrides
@ONLY
@click.option(
    "--measure", is_flag=True, help="Time a few items and training steps of what was never timed; keeps no results."
)
@DEVICE
@THREADS
@AS_JSON
def plan(
    spec: Path,
    out: Path,
    sets: tuple[str, ...],
    limit: int | None,
    only: tuple[str, ...],
    measure: bool,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Say what a run of SPEC would do, and compute nothing.

    The time is that of like jobs in the store. Before a first job there is none: --measure then loads the models and
    times a small part of the study, for seconds with small models.
    """
    settings = settings_of(only, "inline", device, threads, None, False)
    from crossgraft.cli.estimate import outlook, without_inputs
    from crossgraft.runs.storage.store import Store

    study = study_of(spec, sets, limit)
    try:
        expected = outlook(study, Store(out), settings, measure=measure)
    except MissingInputs:
        if not as_json:
            echo(without_inputs(study))
        raise
    echo(json.dumps(expected.plain(), indent=1) if as_json else "\n".join(expected.lines()))


@click.command(short_help="Show items as the model will see them.")
@SPEC
@overrides
@click.option("-n", "count", type=click.IntRange(min=1), default=1, show_default=True, help="Items of each target.")
def preview(spec: Path, sets: tuple[str, ...], limit: int | None, count: int) -> None:
    """Show the first items of every target as the study will see them."""
    from crossgraft.study import Inspectable

    study = study_of(spec, sets, limit)
    if not isinstance(study, Inspectable):
        raise SpecError(f"the study {study.name!r} has no preview")
    for preview_lines in study.preview(count):
        echo(f"{preview_lines.point} · item {preview_lines.item}", bold=True)
        print_lines(preview_lines.lines)


@click.command(short_help="Compute what a study still lacks.")
@SPEC
@OUT
@overrides
@ONLY
@click.option(
    "--executor", default="inline", show_default=True, help="How jobs are carried out; see 'crossgraft list'."
)
@WORKERS
@click.option(
    "--gpus-per-worker",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="For models with a device_map: GPUs that each of several workers sees.",
)
@DEVICE
@THREADS
@click.option("--budget", metavar="TIME", help="Stop after this time, such as 8h or 90m; what is done is kept.")
@click.option("--retry", is_flag=True, help="Try jobs again that failed for good.")
@click.option("--smoke", is_flag=True, help="First take every model through one step and one item a target.")
@AS_JSON
def run(
    spec: Path,
    out: Path,
    sets: tuple[str, ...],
    limit: int | None,
    only: tuple[str, ...],
    executor: str,
    workers: int | None,
    gpus_per_worker: int,
    device: str,
    threads: int | None,
    budget: str | None,
    retry: bool,
    smoke: bool,
    as_json: bool,
) -> None:
    """Run whatever the study in SPEC still lacks; interrupt and repeat at will.

    With --executor processes, the first Ctrl-C lets every worker finish its target, and the second stops at once.

    Exit code 0 when all is done, 1 when some jobs failed, 2 for a mistake in the spec or the data.
    """
    threads = threads or threads_each(executor, workers, device, gpus_per_worker)
    settings = settings_of(only, executor, device, threads, budget, retry)
    settings = replace(settings, workers=workers or 0, gpus_each=gpus_per_worker)
    study = study_of(spec, sets, limit)
    if smoke:
        _smoke(study, settings)
    summary = carry_out(study, out, settings, as_json=as_json)
    if not as_json:
        print_summary(summary, f"{spec}", out)
    if summary.stopped:
        raise KeyboardInterrupt
    if summary.failed:
        raise click.exceptions.Exit(1)


def carry_out(study: Study, out: Path, settings: Settings, *, as_json: bool) -> Summary:
    from crossgraft.cli.progress import watch, watcher
    from crossgraft.runs.campaign import Campaign
    from crossgraft.runs.storage.store import Store

    under_way = Campaign(study, Store(out), settings)
    todo = under_way.plan()
    if not as_json:
        echo(f"{study.name}: {todo.missing} of {todo.total} results to compute, in {len(todo.jobs)} jobs")
    if todo.jobs and under_way.store.claims.kind == "leases":
        echo(LEASES, err=True)
    with finishing_first(under_way.stopping) if settings.executor != "inline" or settings.by_model else nullcontext():
        watch(under_way, watcher(todo.jobs, as_json=as_json, workers=_workers(settings)))
    return under_way.summary


def _workers(settings: Settings) -> int:
    if settings.executor == "inline":
        return 1
    from crossgraft.runs.executors.processes import worker_count

    return worker_count(settings)


@contextmanager
def finishing_first(stopping: threading.Event) -> Iterator[None]:
    """The first signal lets the targets at hand be finished; the next one is for whoever handled signals before."""

    def receive(number: int, frame: FrameType | None) -> None:
        handler = before[number]
        if stopping.is_set() and callable(handler):
            handler(number, frame)
        elif not stopping.is_set():
            stopping.set()
            echo("finishing the targets at hand; interrupt once more to stop now", err=True)

    numbers = [number for number in (signal.SIGINT, signal.SIGTERM) if callable(signal.getsignal(number))]
    before = {int(number): signal.signal(number, receive) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def settings_of(
    only: tuple[str, ...], executor: str, device: str, threads: int | None, budget: str | None, retry: bool
) -> Settings:
    """The options of ``run``. BLAS reads its number of threads when NumPy is first imported: not before here."""
    threads = threads or os.cpu_count() or 1
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, str(threads))
    from crossgraft.runs.campaign import Settings

    return Settings(executor, device, threads, only, retry, seconds_in(budget, "--budget") if budget else None)


def threads_each(executor: str, workers: int | None, device: str, gpus_each: int = 1) -> int | None:
    """The threads of each of several workers, where nobody says: the cores are shared among them; None for one process."""
    if executor == "inline":
        return None
    from crossgraft.runs.executors.processes import gpu_groups
    from crossgraft.runs.settings import Settings

    cores = os.cpu_count() or 1
    if executor == "ray":
        return min(4, cores)  # of machines that this one cannot look at
    return max(1, cores // (workers or len(gpu_groups(Settings(device=device, gpus_each=gpus_each))) or 1))


def _smoke(study: Study, settings: Settings) -> None:
    from crossgraft.runs.campaign import smoke
    from crossgraft.study import Failed

    failed = [event for event in smoke(study, settings) if isinstance(event, Failed)]
    if failed:
        for event in failed:
            echo(f"smoke run: {event.job}: {event.error}\n{event.traceback}".rstrip(), err=True)
        raise JobFailed(f"the smoke run failed for {len(failed)} jobs; nothing else was started")
    echo("smoke run: every model went through", err=True)


def print_summary(summary: Summary, study: str, out: Path) -> None:
    echo(f"{summary.recorded} results computed, {summary.left} left")
    if summary.out_of_budget:
        echo("stopped: the time budget is spent; run the same command to go on")
    if summary.out_of_time:
        echo("stopped: the next job would not end within the time limit; run the same command to go on")
    if summary.stopped:
        echo("stopped after the targets at hand; run the same command to go on")
    if summary.elsewhere:
        echo(f"{summary.elsewhere} jobs are in the hands of another run on this store")
    for failure in summary.failed:
        again = "repeated only with --retry" if failure.error.deterministic else "tried again by the next run"
        echo(f"failed: {failure.job}: {failure.error} ({again})")
    where = "" if out == Path("runs") else f" --out {out}"
    echo(f"report: crossgraft report {study}{where}")


def seconds_in(text: str, option: str) -> float:
    """``1h30m`` as seconds."""
    match = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", text.strip())
    if not match or not any(match.groups()):
        raise SpecError(f"{option}: expected a time such as 8h, 90m or 1h30m; got {text!r}")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + seconds
