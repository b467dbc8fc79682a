"""``recommend`` and ``specialise``: what to train, and which adapters to keep, from a study or from a table of results that were measured elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossgraft.cli.options import AS_JSON, OUT, overrides, study_of
from crossgraft.cli.printing import echo, print_table
from crossgraft.errors import SpecError

if TYPE_CHECKING:
    from crossgraft.adapters.weights.serving.adapters import Adapters
    from crossgraft.core import Treatment
    from crossgraft.recommendation.question import Question, Rule
    from crossgraft.recommendation.verdicts import Recommendation
    from crossgraft.transfer.matrix import TransferMatrix

KEPT_BASE = 3  # the exit code of an abstention
_TABLES = (".csv", ".parquet", ".pq")


@dataclass(frozen=True)
class Given:
    """What the options say of the question; None or empty where the spec or a default says it."""

    improve: tuple[str, ...]
    protect: tuple[str, ...]
    tolerance: float | None
    risk: float | None
    rule: Rule | None
    least: float | None
    model: str | None

    def over(self, question: Question | None) -> Question:
        """The question with what the options say in place of what the spec says."""
        from crossgraft.recommendation.question import Question

        given: dict[str, Any] = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        return replace(question, **given) if question else Question(**{"improve": (), **given})


def question_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of the question, given to the command as one value."""

    @wraps(command)
    def with_question(
        improve: tuple[str, ...],
        protect: tuple[str, ...],
        tolerance: float | None,
        risk: float | None,
        rule: Rule | None,
        least: float | None,
        model: str | None,
        **others: object,
    ) -> None:
        command(given=Given(improve, protect, tolerance, risk, rule, least, model), **others)

    for option in reversed(_QUESTION):
        with_question = option(with_question)
    return with_question


_QUESTION = (
    click.option("--improve", multiple=True, metavar="TARGETS", help="Such as intent/sw or '*/sw'; repeatable."),
    click.option("--protect", multiple=True, metavar="TARGETS", help="What must not lose, such as '*/en'; repeatable."),
    click.option("--tolerance", type=float, help="Loss that is tolerated there, in percentage points.  [default: 1]"),
    click.option("--risk", type=float, help="Allowed probability that any of them loses more.  [default: 0.1]"),
    click.option(
        "--rule",
        type=click.Choice(["chance", "cvar"]),
        help="chance: as --risk says; cvar: that share of the draws, the worst, must keep the tolerance on average.  [default: chance]",
    ),
    click.option(
        "--least", type=float, help="Expected gain that is worth training, in percentage points.  [default: 0]"
    ),
    click.option("--model", help="Of which model, where there are several."),
)


@click.command(short_help="Say what to train, or to keep the base.")
@click.argument("what", metavar="[STUDY|TABLE]", default="")
@question_options
@click.option("--column", "columns", multiple=True, metavar="FIELD=NAME", help="Of a TABLE, as in 'read'; repeatable.")
@click.option("--validate", is_flag=True, help="Say instead how well this works here: parts are held out.")
@OUT
@overrides
@AS_JSON
def recommend(
    what: str,
    given: Given,
    columns: tuple[str, ...],
    validate: bool,
    out: Path,
    sets: tuple[str, ...],
    limit: int | None,
    as_json: bool,
) -> None:
    """Which treatment improves some targets and harms no other: one of those that were measured, or none.

    STUDY is a spec file, or the name of a study in the store; TABLE is a CSV or Parquet file, as for `read`. What the
    options do not say is taken from [question] in the spec.

    With --validate halves of the items, single seeds, languages, tasks and the model are held out in turn, what rules would
    have chosen without them is looked up there, and the exit code is 0.

    Where there are several models and --model names none, each of them gets an answer; --validate is for one.

    Ends with exit code 0 if a treatment is recommended for a model, with 3 if the answer is to keep the base, with 2 after a mistake.
    """
    from crossgraft.recommendation.answer import recommend as recommended
    from crossgraft.recommendation.asked import each_model
    from crossgraft.recommendation.wording import plain

    matrix, question_in_spec = _table(Path(what), columns) if what.endswith(_TABLES) else _study(what, out, sets, limit)
    question = given.over(question_in_spec)
    if validate:
        _validate(matrix, question, as_json=as_json)
        return
    questions = each_model(question, matrix)
    recommendations = [recommended(matrix, of_model) for of_model in questions]
    if as_json:
        answers = [plain(recommendation) for recommendation in recommendations]
        echo(json.dumps(answers[0] if len(answers) == 1 else answers, indent=1))
    else:
        for recommendation in recommendations:
            if len(questions) > 1:
                echo(f"\nFor {recommendation.asked.model}:", bold=True)
            _print(recommendation)
    if all(recommendation.abstains for recommendation in recommendations):
        raise click.exceptions.Exit(KEPT_BASE)


def _table(path: Path, columns: tuple[str, ...]) -> tuple[TransferMatrix, None]:
    from crossgraft.analysis.external.outcomes import read_matrix

    return read_matrix(path, columns), None


def _study(what: str, out: Path, sets: tuple[str, ...], limit: int | None) -> tuple[TransferMatrix, Question | None]:
    """Its results, and the question of the spec file, or else of the spec it was run with."""
    from crossgraft.analysis.results import load_matrix, require_study
    from crossgraft.recommendation.question import question_of
    from crossgraft.runs.campaign import title
    from crossgraft.runs.storage.store import Store

    store = Store(out)
    if what.endswith(".toml"):
        study = study_of(Path(what), sets, limit)
        return load_matrix(store, title(study)), question_of(study.origin.text, study.origin.overrides)
    manifest = require_study(store, what)
    return load_matrix(store, manifest.name), question_of(manifest.spec, manifest.overrides)


def _print(recommendation: Recommendation) -> None:
    from crossgraft.recommendation import wording

    first, *more = recommendation.sentences
    echo(first, bold=True)
    for sentence in more:
        echo(sentence)
    print_table(wording.OPTION_TITLES, wording.option_rows(recommendation))
    print_table(wording.FRONTIER_TITLES, wording.frontier_rows(recommendation))
    print_table(wording.YARDSTICK_TITLES, wording.yardstick_rows(recommendation))


def _validate(matrix: TransferMatrix, question: Question, *, as_json: bool) -> None:
    from crossgraft.recommendation import wording
    from crossgraft.recommendation.asked import Asked
    from crossgraft.recommendation.validation.held_out import validate

    validations = validate(matrix, Asked.of(question, matrix))
    if as_json:
        echo(json.dumps([asdict(validation) for validation in validations], indent=1))
        return
    print_table(wording.VALIDATION_TITLES, wording.validation_rows(validations))
    echo(wording.VALIDATION_NOTE)


@click.command(short_help="Say which adapters to keep, and which serves what.")
@click.argument("what", metavar="[STUDY|TABLE]", default="")
@click.option("--k", "count", type=int, default=3, show_default=True, help="How many adapters may be kept.")
@click.option(
    "--targets", multiple=True, metavar="TARGETS", help="Which to serve, such as '*/sw'; repeatable.  [default: all]"
)
@click.option(
    "--tolerance", type=float, default=1.0, show_default=True, help="Loss that is tolerated on a target, in pp."
)
@click.option("--risk", type=float, default=0.1, show_default=True, help="Allowed probability that it loses more.")
@click.option("--fair", is_flag=True, help="Make the language that gains least gain as much as can be.")
@click.option(
    "--cost", type=click.Choice(["seconds", "megabytes"]), help="What keeping an adapter costs; needs --price."
)
@click.option(
    "--price", type=click.FloatRange(min=0), help="Points of mean gain that a second or a megabyte must bring."
)
@click.option("--to", type=click.Path(path_type=Path), help="New folder for the adapters to keep, with routing.json.")
@click.option("--model", default="", help="Of which model, where there are several.")
@click.option("--column", "columns", multiple=True, metavar="FIELD=NAME", help="Of a TABLE, as in 'read'; repeatable.")
@OUT
@overrides
@AS_JSON
def specialise(
    what: str,
    count: int,
    targets: tuple[str, ...],
    tolerance: float,
    risk: float,
    fair: bool,
    cost: str | None,
    price: float | None,
    to: Path | None,
    model: str,
    columns: tuple[str, ...],
    out: Path,
    sets: tuple[str, ...],
    limit: int | None,
    as_json: bool,
) -> None:
    """Which K adapters to keep if every target is served by the one that suits it, or by the base.

    An adapter serves a target if it is expected to gain there, and if the probability that it loses more than the tolerance there is
    within the risk. Ends with exit code 0, with 3 if the base serves all targets, with 2 after a mistake.
    """
    from crossgraft.recommendation import wording
    from crossgraft.recommendation.question import Question
    from crossgraft.recommendation.specialisation.specialise import specialise as specialised

    if (cost is None) != (price is None):
        raise SpecError("expected --cost and --price together, such as --cost megabytes --price 0.01")
    if what.endswith(_TABLES) and (cost or to):
        raise SpecError("--cost and --to need a study whose adapters are in a store; a table has none")
    matrix, _ = _table(Path(what), columns) if what.endswith(_TABLES) else _study(what, out, sets, limit)
    kept = _adapters(what, out, sets, limit) if cost or to else None
    prices = (
        {row: (price or 0.0) * spent for row, spent in _costs(kept, matrix, cost).items()} if kept and cost else None
    )
    found = specialised(
        matrix, Question(targets or ("*",), (), tolerance, risk, model=model), count, prices=prices, fair=fair
    )
    if as_json:
        echo(json.dumps(wording.plain_specialised(found), indent=1))
    else:
        echo(wording.specialised(found), bold=True)
        print_table(wording.ROUTE_TITLES, wording.route_rows(found))
        print_table(wording.CURVE_TITLES, wording.curve_rows(found))
    if kept and to and found.rows:
        from crossgraft.adapters.weights.serving.routing import write_routing

        echo(f"wrote {write_routing(kept, found, to)} and the adapters beside it", err=as_json)
    if not found.rows:
        raise click.exceptions.Exit(KEPT_BASE)


def _adapters(what: str, out: Path, sets: tuple[str, ...], limit: int | None) -> Adapters:
    """Of a study that is named by its spec file or by its name in the store."""
    from crossgraft.adapters.weights.serving.adapters import Adapters
    from crossgraft.analysis.results import require_study
    from crossgraft.runs.campaign import title
    from crossgraft.runs.storage.store import Store

    store = Store(out)
    name = title(study_of(Path(what), sets, limit)) if what.endswith(".toml") else what
    return Adapters.of(store, require_study(store, name))


def _costs(adapters: Adapters, matrix: TransferMatrix, unit: str) -> Mapping[Treatment, float]:
    from crossgraft.adapters.weights.serving.costs import costs

    measured = {row for row, _ in matrix.cells if not row.is_sham}
    return costs(adapters, [row for row in matrix.rows if row in measured], unit)  # type: ignore[arg-type]
