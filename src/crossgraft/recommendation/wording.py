"""An answer as a reader gets it: one sentence that says what to do, then what would settle it, what it rests on, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from crossgraft.analysis.wording import interval, listed, number_of, signed
from crossgraft.core import Point
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import name_of
from crossgraft.recommendation.question import Question
from crossgraft.recommendation.settling import Outlook, Settling
from crossgraft.recommendation.specialisation.specialise import Specialised
from crossgraft.recommendation.validation.held_out import Validated
from crossgraft.recommendation.verdicts import Recommendation, Verdict
from crossgraft.recommendation.yardsticks import Yardstick

Row = tuple[str, ...]

OPTION_TITLES = ("option", "gain (pp)", "P(best)", "regret (pp)", "P(harm)", "worst protected target", "out because")
YARDSTICK_TITLES = ("yardstick", "takes", "gain (pp)", "P(harm)")
FRONTIER_TITLES = ("allowed risk from", "option", "gain (pp)")
VALIDATION_TITLES = (
    "held out", "rule", "questions", "pairs right", "NDCG@3", "regret (pp)", "recommends", "P(harm)", "P(harm seen)", "harm seen",
)  # fmt: skip
VALIDATION_NOTE = (
    "Every target that was held out is asked for in turn. P(harm) is promised of true changes; what is seen in a held-out part is noisy, so "
    "compare 'harm seen' with 'P(harm seen)', which has that noise. Single seeds share their items, and halves of the items their "
    "training runs: neither tests the other. Regrets are against the largest of noisy changes, so all are too large."
)
ROUTE_TITLES = ("target", "served by", "gain (pp)", "P(harm)")
CURVE_TITLES = ("adapters", "mean gain (pp)", "greedy", "at most")
_VERBS = {"trained": "Train", "given": "Use", "mapping": "Use", "control": "Use", "derived": "Use"}


def sentences(recommendation: Recommendation) -> Iterator[str]:
    yield _abstention(recommendation) if recommendation.abstains else _answer(recommendation)
    if recommendation.settling:
        yield _settling(recommendation.settling, recommendation.asked)
    if recommendation.choice.missing:
        yield (
            f"{recommendation.choice.name} was not measured on {_names(recommendation.choice.missing)}: what it does there is predicted from "
            "its other cells and from other treatments; measure it before you rely on it."
        )
    yield from recommendation.notes


def _answer(recommendation: Recommendation) -> str:
    choice, asked = recommendation.choice, recommendation.asked
    assert choice.row is not None
    sentence = f"{_VERBS[choice.row.kind]} {choice.name}: expected gain {_gain(choice)} pp on {_targets(asked.improve)}"
    if asked.protect:
        sentence += f", with {percent(choice.risk)} probability that {_harm(asked)} ({_allowance(recommendation)})"
    second = recommendation.runner_up
    if second is None or second.row is None:
        return f"{sentence}; no other option is allowed and expected to gain."
    at_risk = f" at {percent(second.risk)}" if asked.protect else ""
    return f"{sentence}; the runner-up is {second.name}, {_gain(second)} pp{at_risk}."


def _abstention(recommendation: Recommendation) -> str:
    asked, least = recommendation.asked, recommendation.asked.question.least
    options = [verdict for verdict in recommendation.verdicts if verdict.row is not None]
    gaining = [option for option in options if not option.idle]
    if not options:
        return "Keep the base: there is no other option."
    if not gaining:
        best = max(options, key=lambda option: option.gain)
        much = f" more than {least:g} pp" if least else ""
        return f"Keep the base: no option is expected to gain{much} on {_targets(asked.improve)}; the best, {best.name}, has {_gain(best)} pp."
    safest = min(gaining, key=lambda one: one.risk)
    every = "the only option" if len(gaining) == 1 else f"each of the {len(gaining)} options"
    has = "that is expected to gain is too risky" if len(gaining) == 1 else "that are expected to gain is too risky"
    return (
        f"Keep the base: {every} {has}; the least risky, {safest.name}, has {_gain(safest)} pp on {_targets(asked.improve)}, and "
        f"{percent(safest.risk)} probability that {_harm(asked)} ({_allowance(recommendation)})."
    )


def _allowance(recommendation: Recommendation) -> str:
    question = recommendation.asked.question
    if question.rule == "chance":
        return f"{_allowed(question)} allowed"
    return f"allowed: no more than that on average over the worst {_allowed(question)} of draws"


def _settling(settling: Settling, asked: Asked) -> str:
    """What to measure, and what is then likely to be known."""
    good = f"{'gains without harm' if asked.protect else 'gains'} with {percent(settling.good)} probability"
    if not settling.targets:
        return f"More measurements would hardly change this: even the most promising option, {settling.row.label}, {good} only."
    on = _names(settling.targets)
    if settling.unmeasured:
        on += f" (not measured yet: {_names(settling.unmeasured)})"
    ways = ", or with ".join(_way(way, settling) for way in settling.ways)
    if any(way.clear for way in settling.ways):
        return f"What would settle it: {settling.row.label} {good}; measured on {on} with {ways}."
    return f"Hard to settle, because the effect is near the limit: {settling.row.label} {good}; even measured on {on} with {ways}."


def _way(way: Outlook, settling: Settling) -> str:
    more = [f"{way.items:,} items per target (now {settling.items:,})"] if way.items > settling.items else []
    if way.seeds > settling.seeds:
        more.append(f"{way.seeds} seeds (now {settling.seeds})")
    what = " and ".join(more) or "as many items and seeds as its other targets"
    return f"{what} it would be allowed with {percent(way.allowed)} and ruled out with {percent(way.ruled_out)} probability"


def option_rows(recommendation: Recommendation) -> Iterator[Row]:
    for verdict in recommendation.verdicts:
        worst = verdict.worst
        weakest = f"{worst.target} {signed(worst.change)}, {percent(worst.risk)}" if worst else "–"
        risk = _risk(verdict.risk, recommendation.asked) if verdict.row else "0 %"
        yield (
            _marked(verdict, recommendation),
            _gain(verdict),
            percent(verdict.best),
            f"{verdict.regret:.1f}",
            risk,
            weakest,
            why_out(verdict, recommendation),
        )


def why_out(verdict: Verdict, recommendation: Recommendation) -> str:
    question = recommendation.asked.question
    reasons = []
    if verdict.harmful and question.rule == "chance":
        reasons.append(f"P(harm) > {_allowed(question)}")
    elif verdict.harmful:
        reasons.append(f"worst {_allowed(question)} of draws lose {verdict.tail:.1f} pp too much")
    if verdict.idle:
        reasons.append(f"gain ≤ {question.least:g}" if question.least else "no gain expected")
    return "; ".join(reasons)


def yardstick_rows(recommendation: Recommendation) -> Iterator[Row]:
    for yardstick in recommendation.yardsticks:
        if yardstick.expected is None:
            yield yardstick.name, yardstick.why, "–", "–"
        else:
            gain = f"{signed(yardstick.expected.gain)} {interval(yardstick.expected.low, yardstick.expected.high)}"
            yield (
                yardstick.name,
                _taken(yardstick, recommendation),
                gain,
                _risk(yardstick.expected.risk, recommendation.asked),
            )


def frontier_rows(recommendation: Recommendation) -> Iterator[Row]:
    for step in recommendation.frontier:
        yield percent(step.risk) if step.row else "0 %", name_of(step.row), signed(step.gain)


def validation_rows(validations: Iterable[Validated]) -> Iterator[Row]:
    for validated in validations:
        pairs, *harms = (
            "–" if value is None else percent(value)
            for value in (validated.pairs, validated.promised, validated.expected, validated.seen)
        )
        ndcg = "–" if validated.ndcg is None else f"{validated.ndcg:.2f}"
        yield (
            validated.held_out,
            validated.rule,
            f"{validated.questions:,}",
            pairs,
            ndcg,
            f"{validated.regret:.2f}",
            percent(validated.recommends),
            *harms,
        )


def specialised(found: Specialised) -> str:
    served = sum(1 for route in found.routes if route.row)
    if not found.rows:
        return f"Keep the base: no adapter may serve any of the {number_of(len(found.routes), 'target')}."
    names = ", ".join(row.label for row in found.rows)
    gain = f"{signed(found.gain)} {interval(found.low, found.high)} pp"
    sentence = (
        f"Keep {names}: routed by target, the expected gain is {gain} on the mean of {number_of(len(found.routes), 'target')}; "
        f"the base serves {len(found.routes) - served or 'none'} of them."
    )
    if found.price:
        sentence += f" Their cost counts as {found.price:.2f} pp."
    if found.fair:
        language, least = next(iter(found.by_language.items()))
        sentence += f" The language that gains least is {language}, with {signed(least)} pp."
    return sentence


def route_rows(found: Specialised) -> Iterator[Row]:
    for route in found.routes:
        gain = f"{signed(route.gain)} {interval(route.low, route.high)}" if route.row else "0"
        yield (
            str(route.target),
            route.row.label if route.row else "the base",
            gain,
            percent(route.risk) if route.row else "0 %",
        )


def curve_rows(found: Specialised) -> Iterator[Row]:
    for step in found.curve:
        yield (
            str(step.count),
            *("–" if value is None else f"{value:.2f}" for value in (step.gain, step.greedy, step.bound)),
        )


def plain_specialised(found: Specialised) -> dict[str, Any]:
    """As JSON can hold it, with full precision."""
    return {
        "answer": specialised(found),
        "keep": [row.label for row in found.rows],
        "gain": found.gain,
        "low": found.low,
        "high": found.high,
        "price": found.price,
        "by_language": dict(found.by_language),
        "routes": [
            {**asdict(route), "target": str(route.target), "row": route.row.label if route.row else None}
            for route in found.routes
        ],
        "curve": [asdict(step) for step in found.curve],
    }


def plain(recommendation: Recommendation) -> dict[str, Any]:
    """The answer as JSON can hold it, with full precision."""
    question = recommendation.asked.question
    return {
        "answer": recommendation.sentences[0],
        "recommended": None if recommendation.abstains else recommendation.choice.name,
        "abstains": recommendation.abstains,
        "model": recommendation.asked.model,
        "improve": [str(target) for target in recommendation.asked.improve],
        "protect": [str(target) for target in recommendation.asked.protect],
        "tolerance": question.tolerance,
        "risk": question.risk,
        "rule": question.rule,
        "least": question.least,
        "runner_up": recommendation.runner_up.name if recommendation.runner_up else None,
        "options": [_plain_option(verdict, recommendation) for verdict in recommendation.verdicts],
        "frontier": [
            {"risk": step.risk, "gain": step.gain, "option": name_of(step.row)} for step in recommendation.frontier
        ],
        "yardsticks": [_plain_yardstick(yardstick) for yardstick in recommendation.yardsticks],
        "settling": _plain_settling(recommendation.settling) if recommendation.settling else None,
        "notes": list(recommendation.notes),
    }


def _plain_option(verdict: Verdict, recommendation: Recommendation) -> dict[str, Any]:
    worst = verdict.worst
    return {
        "option": verdict.name,
        "source": str(verdict.row.source) if verdict.row and verdict.row.source else None,
        "gain": verdict.gain,
        "low": verdict.low,
        "high": verdict.high,
        "p_best": verdict.best,
        "regret": verdict.regret,
        "p_harm": verdict.risk,
        "tail": verdict.tail if worst else None,
        "worst": {"target": str(worst.target), "change": worst.change, "p_harm": worst.risk} if worst else None,
        "not_measured": [str(target) for target in verdict.missing],
        "out_because": why_out(verdict, recommendation),
    }


def _plain_yardstick(yardstick: Yardstick) -> dict[str, Any]:
    estimate = asdict(yardstick.expected) if yardstick.expected else {}
    return {
        "yardstick": yardstick.name,
        "takes": [row.label for row in yardstick.rows],
        **estimate,
        "why": yardstick.why,
    }


def _plain_settling(settling: Settling) -> dict[str, Any]:
    return {
        "option": settling.row.label,
        "p_good": settling.good,
        "targets": [str(target) for target in settling.targets],
        "not_measured": [str(target) for target in settling.unmeasured],
        "items": settling.items,
        "seeds": settling.seeds,
        "ways": [asdict(way) for way in settling.ways],
    }


def _targets(targets: tuple[Point, ...]) -> str:
    return str(targets[0]) if len(targets) == 1 else f"the mean of {number_of(len(targets), 'target')}"


def _harm(asked: Asked) -> str:
    if len(asked.protect) == 1:
        return f"{asked.protect[0]} loses more than {asked.question.tolerance:g} pp"
    return f"any of the {len(asked.protect)} protected targets loses more than {asked.question.tolerance:g} pp"


def _gain(verdict: Verdict) -> str:
    return (
        signed(verdict.gain) if verdict.row is None else f"{signed(verdict.gain)} {interval(verdict.low, verdict.high)}"
    )


def _allowed(question: Question) -> str:
    return f"{100 * question.risk:g} %"


def _risk(value: float, asked: Asked) -> str:
    return percent(value) if asked.protect else "–"


def percent(share: float) -> str:
    """Of draws: what none of them shows is not impossible.

    >>> percent(0.0), percent(0.034), percent(1.0)
    ('<1 %', '3 %', '>99 %')
    """
    if share < 0.005:
        return "<1 %"
    return ">99 %" if share > 0.995 else f"{100 * share:.0f} %"


def _marked(verdict: Verdict, recommendation: Recommendation) -> str:
    return f"→ {verdict.name}" if verdict is recommendation.choice else verdict.name


def _taken(yardstick: Yardstick, recommendation: Recommendation) -> str:
    """What it takes, and whether the rule would have allowed that."""
    out = {verdict.row for verdict in recommendation.verdicts if verdict.is_out}
    names = listed([row.label for row in yardstick.rows])
    return f"{names} (out)" if all(row in out for row in yardstick.rows) else names


def _names(targets: tuple[Point, ...]) -> str:
    return listed([str(target) for target in targets])
