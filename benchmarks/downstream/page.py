"""The results of a part as Markdown: scores of methods on tasks, and how well BLI predicts the other tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isnan
from pathlib import Path

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.mappings.predicting import Prediction, predictions, sentence
from crossgraft.analysis.mappings.standings import Standing
from crossgraft.analysis.wording import number_of
from crossgraft.core import Treatment
from crossgraft.stats.cells.levels import Level
from crossgraft.stats.matrices.predicting import Link
from crossgraft.transfer.matrix import TransferMatrix
from downstream.figure import drawn

FEWEST = 4  # methods for an interval of r
Rows = Iterator[Sequence[str]]  # of a table, the head first
References = Mapping[str, Mapping[str, Level]]  # accuracies by model, then by data set


def write_page(part: str, findings: Findings, folder: Path, references: References) -> None:
    """A file of tables, and a figure where BLI can be compared with other tasks."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = [
        scores(findings),
        without_vectors(references),
        controls(findings),
        predicted(findings.predictions),
        without_one(findings.matrix),
    ]
    blocks = [block for table in tables if (block := "\n".join(markdown(table)))]
    text = "\n\n".join([*blocks, sentence(findings.predictions)]).rstrip()
    (folder / f"downstream-{part}.md").write_text(f"{text}\n", encoding="utf-8")
    if findings.predictions:
        (folder / f"downstream-{part}.svg").write_text(drawn(findings.evidence.standings), encoding="utf-8")


def markdown(table: Rows) -> Iterator[str]:
    """The lines of a table; nothing for one without rows."""
    head, *body = [*table] or [()]
    if body:
        yield f"| {' | '.join(head)} |"
        yield "|---" * len(head) + "|"
        yield from (f"| {' | '.join(row)} |" for row in body)


def scores(findings: Findings) -> Rows:
    """A method, and its mean on each task with the interval for new items."""
    tasks, seen = findings.evidence.standings, findings.matrix.labels.transductive
    yield (
        "method",
        *(
            f"{marked(task.task, seen)}, {task.metric}, {number_of(len(task.pairs), 'pair')}, "
            f"{task.best.mean.queries:,} items"
            for task in tasks
        ),
    )
    by_row = [{standing.row: standing for standing in (*task.standings, task.control)} for task in tasks]
    for row in dict.fromkeys(row for of_task in by_row for row in of_task):
        yield row.label, *(score(of_task.get(row)) for of_task in by_row)


def marked(task: str, seen: Mapping[str, bool]) -> str:
    return f"{task} †" if seen.get(task) else task


def score(standing: Standing | None) -> str:
    """In bold what is best, or cannot be distinguished from the best with the same dictionary."""
    if standing is None:
        return "–"
    mean = standing.mean
    mark = "**" if standing.verdict in ("best", "not distinguishable") else ""
    return f"{mark}{mean.value:.3f}{mark} [{mean.low:.3f}, {mean.high:.3f}]"


def without_vectors(references: References) -> Rows:
    yield "without vectors", "data set", "accuracy", "items"
    for model, accuracies in references.items():
        for name, accuracy in accuracies.items():
            yield model, name, level(accuracy.mean, accuracy.low, accuracy.high), f"{accuracy.n:,}"


def controls(findings: Findings) -> Rows:
    """Methods fitted on a shuffled dictionary, beside chance."""
    yield "shuffled dictionary", "task", "score", "chance", "verdict"
    for control in findings.evidence.shuffled:
        mean = control.mean
        yield (
            control.row.label,
            control.task,
            level(mean.value, mean.low, mean.high),
            f"{control.chance:.3f}",
            control.verdict,
        )


def level(value: float, low: float, high: float) -> str:
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def predicted(found: Sequence[Prediction]) -> Rows:
    yield "task", "left out", "methods", "pairs", "r over methods", "r within pairs", "r over pairs", "verdict"
    for prediction in found:
        links = (prediction.found.rows, prediction.found.within, prediction.found.columns)
        yield (
            prediction.task,
            prediction.without or "–",
            f"{len(prediction.rows)} of {prediction.found.rows.units} kinds",
            str(len(prediction.pairs)),
            *map(correlation, links),
            prediction.verdict,
        )


def correlation(link: Link) -> str:
    if isnan(link.low):
        return "–" if isnan(link.value) else f"{link.value:+.2f}"
    return f"{link.value:+.2f} [{link.low:+.2f}, {link.high:+.2f}]"


def without_one(matrix: TransferMatrix) -> Rows:
    """r over methods with whole dictionaries, each method left out in turn: does the correlation hang on one of them?"""
    whole = [row for row in matrix.rows if not row.recipe and not row.is_sham]
    if len(whole) <= FEWEST:
        return
    by_left_out = {
        name: {found.task: found for found in predictions(only(matrix, rows)) if not found.without}
        for name, rows in {"–": whole, **{row.name: [r for r in whole if r != row] for row in whole}}.items()
    }
    tasks = list(by_left_out["–"])
    if tasks:
        yield "left out", *(f"r over methods, {marked(task, matrix.labels.transductive)}" for task in tasks)
    for name, found in by_left_out.items() if tasks else ():
        yield name, *(correlation(found[task].found.rows) if task in found else "–" for task in tasks)


def only(matrix: TransferMatrix, rows: Sequence[Treatment]) -> TransferMatrix:
    cells = {(row, target): cell for (row, target), cell in matrix.cells.items() if row in rows}
    return replace(matrix, rows=tuple(rows), cells=cells)
