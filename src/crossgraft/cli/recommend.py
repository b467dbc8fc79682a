"""``recommend``: what to train, from a study or from a table of results that were measured elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossgraft.cli.options import AS_JSON, OUT, overrides, study_of
from crossgraft.cli.printing import echo, print_table

if TYPE_CHECKING:
    from crossgraft.recommendation.question import Rule
    from crossgraft.recommendation.verdicts import Recommendation
    from crossgraft.transfer.matrix import TransferMatrix

KEPT_BASE = 3  # the exit code of an abstention
_TABLES = (".csv", ".parquet", ".pq")


@click.command(short_help="Say what to train, or to keep the base.")
@click.argument("what", metavar="STUDY|TABLE", default="")
@click.option(
    "--improve", multiple=True, required=True, metavar="TARGETS", help="Such as intent/sw or '*/sw'; repeatable."
)
@click.option(
    "--protect", multiple=True, metavar="TARGETS", help="Targets that must not lose, such as '*/en'; repeatable."
)
@click.option("--tolerance", type=float, default=1.0, show_default=True, help="Loss that is tolerated there, in pp.")
@click.option(
    "--risk", type=float, default=0.1, show_default=True, help="Allowed probability that any of them loses more."
)
@click.option(
    "--rule",
    type=click.Choice(["chance", "cvar"]),
    default="chance",
    show_default=True,
    help="What may be at most that: the probability of harm, or the share of draws whose mean harm is judged.",
)
@click.option(
    "--least", type=float, default=0.0, show_default=True, help="Expected gain that is worth training, in pp."
)
@click.option("--model", default="", help="Of which model, where there are several.")
@click.option("--column", "columns", multiple=True, metavar="FIELD=NAME", help="Of a TABLE, as in 'read'; repeatable.")
@OUT
@overrides
@AS_JSON
def recommend(
    what: str,
    improve: tuple[str, ...],
    protect: tuple[str, ...],
    tolerance: float,
    risk: float,
    rule: Rule,
    least: float,
    model: str,
    columns: tuple[str, ...],
    out: Path,
    sets: tuple[str, ...],
    limit: int | None,
    as_json: bool,
) -> None:
    """Which treatment improves some targets and harms no other: one of those measured, or none.

    STUDY is a spec file, or the name of a study in the store; TABLE is a CSV or Parquet file, as for `read`.

    Ends with exit code 0 if a treatment is recommended, with 3 if the answer is to keep the base, with 2 after a mistake.
    """
    from crossgraft.recommendation.answer import recommend as recommended
    from crossgraft.recommendation.question import Question

    question = Question(improve, protect, tolerance, risk, rule, model, least)
    found = recommended(_matrix(what, columns, out, sets, limit), question)
    if as_json:
        from crossgraft.recommendation.wording import plain

        echo(json.dumps(plain(found), indent=1))
    else:
        _print(found)
    if found.abstains:
        raise click.exceptions.Exit(KEPT_BASE)


def _matrix(what: str, columns: tuple[str, ...], out: Path, sets: tuple[str, ...], limit: int | None) -> TransferMatrix:
    from crossgraft.analysis.external.outcomes import read_matrix
    from crossgraft.analysis.results import load_matrix
    from crossgraft.runs.campaign import title
    from crossgraft.runs.store import Store

    if what.endswith(_TABLES):
        return read_matrix(Path(what), columns)
    name = title(study_of(Path(what), sets, limit)) if what.endswith(".toml") else what
    return load_matrix(Store(out), name)


def _print(found: Recommendation) -> None:
    from crossgraft.recommendation import wording

    first, *more = found.sentences
    echo(first, bold=True)
    for sentence in more:
        echo(sentence)
    print_table(wording.OPTION_TITLES, wording.option_rows(found))
    print_table(wording.FRONTIER_TITLES, wording.frontier_rows(found))
    print_table(wording.YARDSTICK_TITLES, wording.yardstick_rows(found))
