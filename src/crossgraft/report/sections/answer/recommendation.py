"""The answer to the ``[question]`` of the spec: what to train, the options, the frontier, and which adapters to keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.variance.posterior import Posterior
from crossgraft.errors import CrossgraftError
from crossgraft.recommendation import wording
from crossgraft.recommendation.answer import decide
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import name_of
from crossgraft.recommendation.question import Question, question_of
from crossgraft.recommendation.specialisation.specialise import Specialised, specialise
from crossgraft.recommendation.verdicts import Recommendation
from crossgraft.report.pictures.kinds import Scatter, Spot
from crossgraft.report.section import Interval, Number, Section, Table, Value, change, columns, decimals
from crossgraft.transfer.matrix import TransferMatrix

PLACE = 25
_SHOWS = "The answer to the question of the spec, and the gain and the risk of harm of every option."
_ADAPTERS = 3  # of the routing table
_OPTIONS = columns(
    "model",
    "option",
    ("gain, pp", "gain"),
    ("P(best)", "p_best"),
    ("regret, pp", "regret"),
    ("P(harm)", "p_harm"),
    ("worst protected target", "worst_target"),
    ("its change, pp", "worst_change"),
    ("out because", "out_because"),
)
_FRONTIER = columns("model", ("allowed risk from", "risk"), "option", ("gain, pp", "gain"))
_YARDSTICKS = columns("model", *wording.YARDSTICK_TITLES)
_ROUTES = columns("model", "target", ("served by", "served_by"), ("gain, pp", "gain"), ("P(harm)", "p_harm"))
_NOTE = (
    "From joint posterior draws of all cells. P(harm): the share of draws in which any protected target loses more than the tolerance. "
    "P(best) and regret count an option that does harm as nothing. The frontier says from which allowed risk on an option is the answer."
)
_ROUTED = (
    f"If each target may be served by another adapter: the best {_ADAPTERS} at most, for the targets to improve and to protect. An adapter serves a target if it is "
    "expected to gain there, and may harm it with the allowed risk at most, for each target alone."
)


def sections(findings: Findings) -> Iterator[Section]:
    evidence = findings.evidence
    question = question_of(evidence.spec, evidence.overrides) if evidence.spec else None
    if question is None or not findings.matrix.cells:
        return
    models = [question.model] if question.model else list(dict.fromkeys(row.model for row, _ in findings.matrix.cells))
    try:
        drawn = evidence.posterior
    except CrossgraftError as error:
        yield _without_answer("What to train", error)
        return
    for model in models:
        title = "What to train" if len(models) == 1 else f"What to train: {model}"
        yield from _sections(title, replace(question, model=model), findings.matrix, drawn)


def _without_answer(title: str, error: CrossgraftError) -> Section:
    return Section(title, sentences=(f"The question of the spec has no answer: {error}",), shows=_SHOWS)


def _sections(title: str, question: Question, matrix: TransferMatrix, drawn: Posterior) -> Iterator[Section]:
    """The answer, then what it was chosen from."""
    try:
        found = decide(matrix, Asked.of(question, matrix), drawn)
        every = (*question.improve, *question.protect)
        routed = specialise(matrix, replace(question, improve=every, protect=()), _ADAPTERS, found=drawn)
    except CrossgraftError as error:
        yield _without_answer(title, error)
        return
    yield Section(
        title,
        sentences=found.sentences,
        charts=tuple(_chart(found)),
        shows=_SHOWS,
        explained="recommend",
    )
    yield Section(
        f"{title}: the options",
        tuple(_tables(found, routed)),
        note=_NOTE,
        folded=True,
        shows="Gain, risk of harm and reason of exclusion of every option; what simpler rules would choose; which adapter serves which target.",
        explained="recommend",
    )


def _chart(found: Recommendation) -> Iterator[Scatter]:
    """Better is up and to the right."""
    spots = tuple(Spot(verdict.name, 100 * (1 - verdict.risk), verdict.gain) for verdict in found.verdicts)
    if found.asked.protect and len(spots) > 1:
        about = "No option on the dashed line is beaten in both gain and risk."
        yield Scatter("Options and their frontier", "P(no harm), %", "expected gain, pp", spots, about, frontier=True)


def _tables(found: Recommendation, routed: Specialised) -> Iterator[Table]:
    model = found.asked.model
    yield Table("options", _OPTIONS, tuple(_options(found)), title="Options")
    steps = ((model, _percent(step.risk), name_of(step.row), change(step.gain)) for step in found.frontier)
    yield Table("frontier", _FRONTIER, tuple(steps), title="Frontier", folded=True)
    yield Table(
        "yardsticks",
        _YARDSTICKS,
        tuple((model, *row) for row in wording.yardstick_rows(found)),
        title="Yardsticks",
        folded=True,
    )
    routes = (
        (
            model,
            str(route.target),
            name_of(route.row) if route.row else "the base",
            Interval(route.gain, route.low, route.high) if route.row else change(0.0),
            _percent(route.risk),
        )
        for route in routed.routes
    )
    yield Table(
        "routes", _ROUTES, tuple(routes), title="Routing", note=f"{_ROUTED} {wording.specialised(routed)}", folded=True
    )


def _options(found: Recommendation) -> Iterator[tuple[Value, ...]]:
    for verdict in found.verdicts:
        yield (
            found.asked.model,
            f"→ {verdict.name}" if verdict is found.choice else verdict.name,
            Interval(verdict.gain, verdict.low, verdict.high) if verdict.row else change(0.0),
            _percent(verdict.best),
            decimals(verdict.regret, 1),
            _percent(verdict.risk) if found.asked.protect else Number(None, "–"),
            str(verdict.worst.target) if verdict.worst else "–",
            change(verdict.worst.change if verdict.worst else None),
            wording.why_out(verdict, found),
        )


def _percent(share: float) -> Number:
    return Number(share, wording.percent(share))
