"""Embedding studies: the scores of methods on every task, and whether lexicon induction predicts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.mappings.predicting import DRAWS, Level, Prediction, levels, sentence
from crossgraft.analysis.mappings.references import Reference
from crossgraft.analysis.wording import signed
from crossgraft.report.pictures.kinds import Scatter, Spot
from crossgraft.report.section import HIDDEN, Interval, Number, Section, Table, Value, columns
from crossgraft.stats.matrices.predicting import Link

PLACE = 32
_NAMED = 4  # language pairs in a cell
_NOTE = (
    "Correlations with BLI are Pearson's, of scores and not of changes. Over methods: means over the pairs that both tasks have. Within pairs: what a method "
    "has over the mean of all methods on the pair. Over pairs: means of all methods. A method at several dictionary sizes, or in several modes, "
    f"counts as one unit of the interval: methods and pairs are both drawn anew, {DRAWS} times, and the standard error of Fisher's z is at least "
    "1/√(units - 3). Noise of items and seeds makes correlations smaller than they would be without it. Other correlations than over methods are not "
    "in the verdict."
)

_SEEN = (
    "Transductive: the vectors have learnt from the texts of the task, so that its scores are higher than on new texts; "
    "its correlations with BLI are shown and not judged."
)


def sections(findings: Findings) -> Iterator[Section]:
    found, scores = findings.predictions, levels(findings.matrix)
    seen = findings.matrix.labels.transductive
    if any(not score.is_induction for score in scores):
        tables = (_levels(scores, seen), _references(findings.evidence.references), _predictions(found))
        said = (sentence(found),) if found else ()
        yield Section(
            "Downstream tasks",
            tuple(table for table in tables if table.rows),
            said,
            note=" ".join(filter(None, (_NOTE if found else "", _SEEN if seen else ""))),
            charts=tuple(_charts(scores)),
            shows="Scores of the methods on other tasks, and whether lexicon induction predicts them.",
            explained="embeddings-downstream",
        )


def _charts(scores: Sequence[Level]) -> Iterator[Scatter]:
    """Every other task over lexicon induction, a spot per method; the first induction task is the scale."""
    induction = next((level.task for level in scores if level.is_induction), None)
    scale = {level.row: level.score for level in scores if level.task == induction}
    for task in dict.fromkeys(level.task for level in scores if not level.is_induction):
        of_task = [level for level in scores if level.task == task and level.row in scale]
        spots = tuple(Spot(level.row.label, scale[level.row], level.score) for level in of_task)
        if len(spots) > 1:
            title = f"{task} over {induction}, means over language pairs"
            yield Scatter(title, f"{induction}, score", f"{of_task[0].metric}", spots)


def _references(references: Sequence[Reference]) -> Table:
    ordered = sorted(references, key=lambda reference: reference.target)
    rows = tuple((str(one.target), one.name, Number(one.value, f"{one.value:.3f}")) for one in ordered)
    return Table("references", columns("target", "reference", "score"), rows, "What needs no mapping")


def _levels(found: Sequence[Level], seen: Mapping[str, bool]) -> Table:
    tasks = list(dict.fromkeys((level.task, level.metric) for level in found))
    by_place = {(level.row, level.task): level for level in found}
    rows = list(dict.fromkeys(level.row for level in found))
    marks = {task: " (transductive)" if seen.get(task) else "" for task, _ in tasks}
    head = columns("method", *((f"{task}, {metric}{marks[task]}", f"{task} {metric}") for task, metric in tasks))
    body: tuple[tuple[Value, ...], ...] = tuple(
        (row.label, *(_level(by_place.get((row, task))) for task, _ in tasks)) for row in rows
    )
    return Table("downstream", head, body, "Mean scores over language pairs, and gains over unmapped vectors in points")


def _level(level: Level | None) -> Number:
    return Number(None, "–") if level is None else Number(level.score, f"{level.score:.3f} ({signed(level.gain)})")


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


def _prediction(prediction: Prediction) -> tuple[Value, ...]:
    pairs = ", ".join(prediction.pairs[:_NAMED]) + (", …" if len(prediction.pairs) > _NAMED else "")
    gone = f", {len(prediction.left_out)} left out for missing pairs" if prediction.left_out else ""
    return (
        prediction.bli,
        f"{prediction.task}, {prediction.metric}",
        prediction.without or "–",
        f"{len(prediction.rows)} of {prediction.found.rows.units} kinds{gone}",
        f"{len(prediction.pairs)}: {pairs}",
        _link(prediction.found.rows),
        Number(None, "–")
        if isnan(prediction.found.ranks)
        else Number(prediction.found.ranks, f"{prediction.found.ranks:+.2f}"),
        _link(prediction.found.within),
        _link(prediction.found.columns),
        prediction.verdict,
        " ".join(prediction.pairs),
        "; ".join(row.label for row in prediction.rows),
    )


def _link(link: Link) -> Interval:
    if isnan(link.value):
        return Interval(None)
    if isnan(link.low):
        return Interval(link.value, text=f"{link.value:+.2f}")
    return Interval(link.value, link.low, link.high, text=f"{link.value:+.2f} [{link.low:+.2f}, {link.high:+.2f}]")
