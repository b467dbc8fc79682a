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
_VERBS = {"trained": "Train", "given": "Use", "mapping": "Use", "control": "Use"}


def sentences(found: Recommendation) -> Iterator[str]:
    yield _abstention(found) if found.abstains else _answer(found)
    if found.settling:
        yield _settling(found.settling, found.asked)
    if found.choice.missing:
        yield (
            f"{found.choice.name} was not measured on {_names(found.choice.missing)}: what it does there is predicted from "
            "its other cells and from other treatments; measure it before you rely on it."
        )
    yield from found.notes


def _answer(found: Recommendation) -> str:
    choice, asked = found.choice, found.asked
    assert choice.row is not None
    told = f"{_VERBS[choice.row.kind]} {choice.name}: expected gain {_gain(choice)} pp on {_targets(asked.improve)}"
    if asked.protect:
        told += f", with {_percent(choice.risk)} probability that {_harm(asked)} ({_allowance(found)})"
    second = found.runner_up
    if second is None or second.row is None:
        return f"{told}; no other option is allowed and expected to gain."
    at_risk = f" at {_percent(second.risk)}" if asked.protect else ""
    return f"{told}; the runner-up is {second.name}, {_gain(second)} pp{at_risk}."


def _abstention(found: Recommendation) -> str:
    asked, least = found.asked, found.asked.question.least
    options = [one for one in found.verdicts if one.row is not None]
    gaining = [one for one in options if not one.idle]
    if not options:
        return "Keep the base: there is no other option."
    if not gaining:
        best = max(options, key=lambda one: one.gain)
        much = f" more than {least:g} pp" if least else ""
        return f"Keep the base: no option is expected to gain{much} on {_targets(asked.improve)}; the best, {best.name}, has {_gain(best)} pp."
    safest = min(gaining, key=lambda one: one.risk)
    every = "the only option" if len(gaining) == 1 else f"each of the {len(gaining)} options"
    has = "that is expected to gain is too risky" if len(gaining) == 1 else "that are expected to gain is too risky"
    return (
        f"Keep the base: {every} {has}; the least risky, {safest.name}, has {_gain(safest)} pp on {_targets(asked.improve)}, and "
        f"{_percent(safest.risk)} probability that {_harm(asked)} ({_allowance(found)})."
    )


def _allowance(found: Recommendation) -> str:
    question = found.asked.question
    if question.rule == "chance":
        return f"{_allowed(question)} allowed"
    return f"allowed: no more than that on average over the worst {_allowed(question)} of draws"


def _settling(found: Settling, asked: Asked) -> str:
    """What to measure, and what is then likely to be known."""
    good = f"{'gains without harm' if asked.protect else 'gains'} with {_percent(found.good)} probability"
    if not found.targets:
        return f"More measurements would hardly change this: even the most promising option, {found.row.label}, {good} only."
    on = _names(found.targets)
    if found.unmeasured:
        on += f" (not measured yet: {_names(found.unmeasured)})"
    ways = ", or with ".join(_way(way, found) for way in found.ways)
    if any(way.clear for way in found.ways):
        return f"What would settle it: {found.row.label} {good}; measured on {on} with {ways}."
    return f"Hard to settle, because the effect is near the limit: {found.row.label} {good}; even measured on {on} with {ways}."


def _way(way: Outlook, found: Settling) -> str:
    more = [f"{way.items:,} items per target (now {found.items:,})"] if way.items > found.items else []
    if way.seeds > found.seeds:
        more.append(f"{way.seeds} seeds (now {found.seeds})")
    what = " and ".join(more) or "as many items and seeds as its other targets"
    return f"{what} it would be allowed with {_percent(way.allowed)} and ruled out with {_percent(way.ruled_out)} probability"


def option_rows(found: Recommendation) -> Iterator[Row]:
    for one in found.verdicts:
        worst = one.worst
        told = f"{worst.target} {signed(worst.change)}, {_percent(worst.risk)}" if worst else "–"
        risk = _risk(one.risk, found.asked) if one.row else "0 %"
        yield _marked(one, found), _gain(one), _percent(one.best), f"{one.regret:.1f}", risk, told, why_out(one, found)


def why_out(one: Verdict, found: Recommendation) -> str:
    question = found.asked.question
    reasons = []
    if one.harmful and question.rule == "chance":
        reasons.append(f"P(harm) > {_allowed(question)}")
    elif one.harmful:
        reasons.append(f"worst {_allowed(question)} of draws lose {one.tail:.1f} pp too much")
    if one.idle:
        reasons.append(f"gain ≤ {question.least:g}" if question.least else "no gain expected")
    return "; ".join(reasons)


def yardstick_rows(found: Recommendation) -> Iterator[Row]:
    for one in found.yardsticks:
        if one.expected is None:
            yield one.name, one.why, "–", "–"
        else:
            gain = f"{signed(one.expected.gain)} {interval(one.expected.low, one.expected.high)}"
            yield one.name, _taken(one, found), gain, _risk(one.expected.risk, found.asked)


def frontier_rows(found: Recommendation) -> Iterator[Row]:
    for step in found.frontier:
        yield _percent(step.risk) if step.row else "0 %", name_of(step.row), signed(step.gain)


def validation_rows(found: Iterable[Validated]) -> Iterator[Row]:
    for one in found:
        pairs, *harms = (
            "–" if value is None else _percent(value) for value in (one.pairs, one.promised, one.expected, one.seen)
        )
        ndcg = "–" if one.ndcg is None else f"{one.ndcg:.2f}"
        yield (
            one.held_out,
            one.rule,
            f"{one.questions:,}",
            pairs,
            ndcg,
            f"{one.regret:.2f}",
            _percent(one.recommends),
            *harms,
        )


def specialised(found: Specialised) -> str:
    served = sum(1 for route in found.routes if route.row)
    if not found.rows:
        return f"Keep the base: no adapter may serve any of the {number_of(len(found.routes), 'target')}."
    names = ", ".join(row.label for row in found.rows)
    gain = f"{signed(found.gain)} {interval(found.low, found.high)} pp"
    return (
        f"Keep {names}: routed by target, the expected gain is {gain} on the mean of {number_of(len(found.routes), 'target')}; "
        f"the base serves {len(found.routes) - served or 'none'} of them."
    )


def route_rows(found: Specialised) -> Iterator[Row]:
    for one in found.routes:
        gain = f"{signed(one.gain)} {interval(one.low, one.high)}" if one.row else "0"
        yield str(one.target), one.row.label if one.row else "the base", gain, _percent(one.risk) if one.row else "0 %"


def curve_rows(found: Specialised) -> Iterator[Row]:
    for step in found.curve:
        yield str(step.count), f"{step.gain:.2f}", f"{step.greedy:.2f}", f"{step.bound:.2f}"


def plain_specialised(found: Specialised) -> dict[str, Any]:
    """As JSON can hold it, with full precision."""
    return {
        "answer": specialised(found),
        "keep": [row.label for row in found.rows],
        "gain": found.gain,
        "low": found.low,
        "high": found.high,
        "routes": [
            {**asdict(one), "target": str(one.target), "row": one.row.label if one.row else None}
            for one in found.routes
        ],
        "curve": [asdict(step) for step in found.curve],
    }


def plain(found: Recommendation) -> dict[str, Any]:
    """The answer as JSON can hold it, with full precision."""
    question = found.asked.question
    return {
        "answer": found.sentences[0],
        "recommended": None if found.abstains else found.choice.name,
        "abstains": found.abstains,
        "model": found.asked.model,
        "improve": [str(target) for target in found.asked.improve],
        "protect": [str(target) for target in found.asked.protect],
        "tolerance": question.tolerance,
        "risk": question.risk,
        "rule": question.rule,
        "least": question.least,
        "runner_up": found.runner_up.name if found.runner_up else None,
        "options": [_plain_option(one, found) for one in found.verdicts],
        "frontier": [{"risk": one.risk, "gain": one.gain, "option": name_of(one.row)} for one in found.frontier],
        "yardsticks": [_plain_yardstick(one) for one in found.yardsticks],
        "settling": _plain_settling(found.settling) if found.settling else None,
        "notes": list(found.notes),
    }


def _plain_option(one: Verdict, found: Recommendation) -> dict[str, Any]:
    worst = one.worst
    return {
        "option": one.name,
        "source": str(one.row.source) if one.row and one.row.source else None,
        "gain": one.gain,
        "low": one.low,
        "high": one.high,
        "p_best": one.best,
        "regret": one.regret,
        "p_harm": one.risk,
        "tail": one.tail if worst else None,
        "worst": {"target": str(worst.target), "change": worst.change, "p_harm": worst.risk} if worst else None,
        "not_measured": [str(target) for target in one.missing],
        "out_because": why_out(one, found),
    }


def _plain_yardstick(one: Yardstick) -> dict[str, Any]:
    told = asdict(one.expected) if one.expected else {}
    return {"yardstick": one.name, "takes": [row.label for row in one.rows], **told, "why": one.why}


def _plain_settling(one: Settling) -> dict[str, Any]:
    return {
        "option": one.row.label,
        "p_good": one.good,
        "targets": [str(target) for target in one.targets],
        "not_measured": [str(target) for target in one.unmeasured],
        "items": one.items,
        "seeds": one.seeds,
        "ways": [asdict(way) for way in one.ways],
    }


def _targets(targets: tuple[Point, ...]) -> str:
    return str(targets[0]) if len(targets) == 1 else f"the mean of {number_of(len(targets), 'target')}"


def _harm(asked: Asked) -> str:
    if len(asked.protect) == 1:
        return f"{asked.protect[0]} loses more than {asked.question.tolerance:g} pp"
    return f"any of the {len(asked.protect)} protected targets loses more than {asked.question.tolerance:g} pp"


def _gain(one: Verdict) -> str:
    return signed(one.gain) if one.row is None else f"{signed(one.gain)} {interval(one.low, one.high)}"


def _allowed(question: Question) -> str:
    return f"{100 * question.risk:g} %"


def _risk(value: float, asked: Asked) -> str:
    return _percent(value) if asked.protect else "–"


def _percent(share: float) -> str:
    """Of draws: what none of them shows is not impossible.

    >>> _percent(0.0), _percent(0.034), _percent(1.0)
    ('<1 %', '3 %', '>99 %')
    """
    if share < 0.005:
        return "<1 %"
    return ">99 %" if share > 0.995 else f"{100 * share:.0f} %"


def _marked(one: Verdict, found: Recommendation) -> str:
    return f"→ {one.name}" if one is found.choice else one.name


def _taken(one: Yardstick, found: Recommendation) -> str:
    """What it takes, and whether the rule would have allowed that."""
    out = {verdict.row for verdict in found.verdicts if verdict.is_out}
    names = listed([row.label for row in one.rows])
    return f"{names} (out)" if all(row in out for row in one.rows) else names


def _names(targets: tuple[Point, ...]) -> str:
    return listed([str(target) for target in targets])
