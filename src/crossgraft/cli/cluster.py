"""``worker``: a study drained by processes on any number of machines that share its store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from crossgraft.cli.options import AS_JSON, DEVICE, OUT, SPEC, THREADS, overrides, study_of
from crossgraft.cli.printing import echo
from crossgraft.cli.runs import ONLY, carry_out, print_summary, seconds_in, settings_of

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
    from crossgraft.runs.store import Store

    if not as_json:
        echo(f"claims: {Store(out).claims.kind}")
    summary = carry_out(study_of(spec, sets, limit), out, settings, as_json=as_json)
    if not as_json:
        print_summary(summary, f"{spec}", out)
    if summary.stopped or summary.out_of_time:
        raise click.exceptions.Exit(GO_ON)
    if summary.failed:
        raise click.exceptions.Exit(1)
