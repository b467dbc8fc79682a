"""The options that several commands share, and the study that they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from crossgraft.study import Study

F = TypeVar("F", bound=Callable[..., Any])

OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="The folder that holds results.",
)
SPEC = click.argument("spec", type=click.Path(path_type=Path))
DEVICE = click.option("--device", default="auto", show_default=True, help="Such as cpu or cuda:0.")
THREADS = click.option("--threads", type=click.IntRange(min=1), help="Threads for computing.  [default: all cores]")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine to read.")


def overrides(command: F) -> F:
    """The options that change what a spec says."""
    command = click.option("--limit", type=click.IntRange(min=1), help="At most N test items per target.")(command)
    return click.option(
        "--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a key of the spec, such as recipe.rank=16."
    )(command)


def study_of(spec: Path, sets: tuple[str, ...], limit: int | None) -> Study:
    from crossgraft.spec import load_study

    return load_study(spec, [*sets, *([f"limit={limit}"] if limit else [])])
