"""The commands: each reads a spec, calls the library, prints, and imports what it needs when it runs. No logic of its own."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import click

from crossgraft import __version__
from crossgraft.cli.commands.check import check
from crossgraft.cli.commands.cluster import fetch, submit, worker
from crossgraft.cli.commands.compare import compare
from crossgraft.cli.commands.docs import docs
from crossgraft.cli.commands.export import export
from crossgraft.cli.commands.mapping import bli, map_, translate
from crossgraft.cli.commands.mitigate import mitigate
from crossgraft.cli.commands.recommend import recommend, specialise
from crossgraft.cli.commands.reports import read, report
from crossgraft.cli.commands.runs import plan, preview, run
from crossgraft.cli.commands.stores import store
from crossgraft.cli.options import AS_JSON
from crossgraft.cli.printing import echo, print_lines
from crossgraft.errors import CrossgraftError, JobFailed
from crossgraft.safety.files import why


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="crossgraft")
def cli() -> None:
    """What transfers across tasks and languages, how sure that is, and what to train next.

    A study is a TOML file. `init` writes one to start from, `plan` says what it will take,
    `preview` shows what the model will read, `run` computes what is still missing (interrupt it
    and repeat it at will), `report` writes a page to open.
    """


@cli.command(short_help="Write a commented spec to start from.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--kind", type=click.Choice(["adapters", "embeddings"]), default="adapters", show_default=True)
def init(folder: Path, kind: str) -> None:
    """Write a commented spec, study.toml, into FOLDER (here, if none is given)."""
    from crossgraft.cli.starters import write_starter

    echo(f"wrote {write_starter(kind, folder)}: edit it, then 'crossgraft plan {folder / 'study.toml'}'")


@cli.command("list", short_help="List studies, tasks, methods, metrics.")
@AS_JSON
def list_(as_json: bool) -> None:
    """List what specs and options can name: studies, tasks, methods, metrics, executors."""
    from crossgraft.cli.catalogue import catalogue

    found = catalogue()
    if as_json:
        echo(json.dumps(found, indent=1))
        return
    for kind, names in found.items():
        echo(kind, bold=True)
        print_lines(names.items())


for _command in (
    plan,
    preview,
    run,
    worker,
    fetch,
    submit,
    check,
    report,
    compare,
    read,
    export,
    recommend,
    mitigate,
    specialise,
    map_,
    bli,
    translate,
    store,
    docs,
):
    cli.add_command(_command)


def outcome() -> int:
    """Run the command that the arguments name: our errors, and what the system refuses, become one sentence and a code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name need not be text
    try:
        code = cli(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        message = io.StringIO()
        error.show(message)
        echo(message.getvalue().rstrip(), err=True)
        code = error.exit_code
    except JobFailed as error:
        echo(f"crossgraft: {error}", err=True)
        code = 1
    except CrossgraftError as error:
        echo(f"crossgraft: {error}", err=True)
        code = 2
    except BrokenPipeError:
        _drop_output()
        code = 0
    except OSError as error:
        echo(f"crossgraft: {why(error)}", err=True)
        _drop_output()
        code = 2
    return code or 0


def _drop_output() -> None:
    """What could not be printed would fail again when the process ends."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        try:
            sys.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
