"""``docs``: the documentation, without a network."""

from __future__ import annotations

import click

from crossgraft.cli.printing import echo


@click.command(short_help="Print a page of the documentation.")
@click.argument("page", default="")
def docs(page: str) -> None:
    """Print a PAGE of the documentation, or one of its sections.

    Such as `statistics` or `reading-a-report#checks`, as a report names them. Without PAGE: the names of all pages.
    """
    from crossgraft.cli.documentation import pages, passage

    echo(passage(page) if page else "\n".join(pages()))
