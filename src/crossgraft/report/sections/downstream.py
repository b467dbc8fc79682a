"""Embedding studies: the scores of methods on every task, and whether lexicon induction predicts them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

from crossgraft.analysis.bli.predicting import DRAWS, Level, Prediction, levels, predictions, sentence
from crossgraft.analysis.bli.references import Reference
from crossgraft.analysis.findings import Findings
from crossgraft.report.section import HIDDEN, Interval, Number, Section, Table, Value, columns
from crossgraft.stats.matrices.predicting import Link

PLACE = 155
_NAMED = 4  # language pairs in a cell
_NOTE = (
    "Correlations with BLI are Pearson's, of scores and not of changes. Over methods: means over the pairs that both tasks have. Within pairs: what a method "
    "has over the mean of all methods on the pair. Over pairs: means of all methods. A method at several dictionary sizes, or in several modes, "
    f"counts as one unit of the interval: methods and pairs are both drawn anew, {DRAWS} times, and the standard error of Fisher's z is at least "
    "1/√(units - 3). Noise of items and seeds makes correlations smaller than they would be without it. Other correlations than over methods are not "
    "in the verdict."
)


def sections(findings: Findings) -> Iterator[Section]:
    found, scores = predictions(findings.matrix), levels(findings.matrix)
    if any(not one.is_induction for one in scores):
        tables = (_levels(scores), _references(findings.evidence.references), _predictions(found))
        said = (sentence(found),) if found else ()
        yield Section("Downstream tasks", tuple(one for one in tables if one.rows), said, note=_NOTE if found else "")


def _references(found: Sequence[Reference]) -> Table:
    ordered = sorted(found, key=lambda one: one.target)
    rows = tuple((str(one.target), one.name, Number(one.value, f"{one.value:.3f}")) for one in ordered)
    return Table("references", columns("target", "reference", "score"), rows, "What needs no mapping")


def _levels(found: Sequence[Level]) -> Table:
    tasks = list(dict.fromkeys((one.task, one.metric) for one in found))
    by_place = {(one.row, one.task): one for one in found}
    rows = list(dict.fromkeys(one.row for one in found))
    head = columns("method", *((f"{task}, {metric}", f"{task} {metric}") for task, metric in tasks))
    body: tuple[tuple[Value, ...], ...] = tuple(
        (row.label, *(_level(by_place.get((row, task))) for task, _ in tasks)) for row in rows
    )
    return Table("downstream", head, body, "Mean scores over language pairs, and gains over unmapped vectors in points")


def _level(one: Level | None) -> Number:
    return Number(None, "–") if one is None else Number(one.score, f"{one.score:.3f} ({one.gain:+.1f})")


def _predictions(found: Sequence[Prediction]) -> Table:
    head = columns(
        (HIDDEN, "bli"),
        "task",
        ("without", "without"),
        ("methods", "methods"),
        ("pairs", "pairs"),
        ("r over methods", "over_methods"),
        ("Spearman's ρ", "spearman"),
        ("r within pairs", "within_pairs"),
        ("r over pairs", "over_pairs"),
        "verdict",
        (HIDDEN, "all_pairs"),
        (HIDDEN, "all_methods"),
    )
    return Table("bli-predicts", head, tuple(map(_prediction, found)), "Correlation of BLI with other tasks")


def _prediction(one: Prediction) -> tuple[Value, ...]:
    pairs = ", ".join(one.pairs[:_NAMED]) + (", …" if len(one.pairs) > _NAMED else "")
    gone = f", {len(one.left_out)} left out for missing pairs" if one.left_out else ""
    return (
        one.bli,
        f"{one.task}, {one.metric}",
        one.without or "–",
        f"{len(one.rows)} of {one.found.rows.units} kinds{gone}",
        f"{len(one.pairs)}: {pairs}",
        _link(one.found.rows),
        Number(None, "–") if isnan(one.found.ranks) else Number(one.found.ranks, f"{one.found.ranks:+.2f}"),
        _link(one.found.within),
        _link(one.found.columns),
        one.verdict,
        " ".join(one.pairs),
        "; ".join(row.label for row in one.rows),
    )


def _link(one: Link) -> Interval:
    if isnan(one.value):
        return Interval(None)
    if isnan(one.low):
        return Interval(one.value, text=f"{one.value:+.2f}")
    return Interval(one.value, one.low, one.high, text=f"{one.value:+.2f} [{one.low:+.2f}, {one.high:+.2f}]")
