"""Embedding studies: the measure itself, of every method on every pair and task, and by size of the dictionary."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.mappings.means import PairMean
from crossgraft.analysis.mappings.standings import Standing, TaskStandings, level, points
from crossgraft.analysis.wording import listed, number_of
from crossgraft.report.section import HIDDEN, Column, Interval, Number, Section, Table, Value, columns, decimals

PLACE = 4
_SHOWS = "The best method on every task, what it is compared with, and how many others cannot be distinguished from it."
_MARKS = {"best": " ★", "best of its dictionary": " ☆", "not distinguishable": " ≈"}
_LEGEND = "★ the best of the task; ☆ the best with its dictionary; ≈ not significantly different from the method named under “against”. "


def _best_methods(tasks: tuple[TaskStandings, ...]) -> Section:
    """One row a task and dictionary: what is best, by how much, and what is as good."""
    head = columns(
        "task",
        ("best method", "best_method"),
        "measure",
        ("score", "score"),
        ("n", "rests_on"),
        ("unmapped", "unmapped"),
        ("next of those tested against it", "next"),
        ("the next one less the best, points", "behind"),
        ("not distinguishable from it", "equal"),
    )
    rows = tuple(_best(task, leader) for task in tasks for leader in task.leaders)
    return Section(
        "Which method is best on what",
        (Table("best-methods", head, rows),),
        note=tasks[0].method,
        shows=_SHOWS,
        explained="embeddings",
    )


def _best(task: TaskStandings, leader: Standing) -> tuple[Value, ...]:
    tested = task.tested_against(leader)
    equal = [one.row.label for one in tested if one.verdict == "not distinguishable"]
    return (
        task.task,
        leader.row.label,
        task.metric,
        _with_interval(leader.mean),
        f"{number_of(leader.mean.pairs, 'pair')}, {leader.mean.queries:,} items",
        decimals(task.control.mean.value, 3),
        tested[0].row.label if tested else "–",
        _difference(tested[0].behind) if tested else Interval(None),
        f"{len(equal)} of {len(tested)}" + (f": {listed(equal)}" if equal else "") if tested else "–",
    )


def sections(findings: Findings) -> Iterator[Section]:
    if findings.evidence.standings:
        yield _best_methods(findings.evidence.standings)
    for task in findings.evidence.standings:
        tables = (_by_pair(task), _by_size(task))
        yield Section(
            f"{task.task}: {task.metric} by method and language pair",
            tuple(table for table in tables if table.rows),
            note=_LEGEND + task.method,
            shows="The measure itself: which method is best on each pair, and which cannot be distinguished from the best.",
            explained="embeddings",
        )


def _by_pair(task: TaskStandings) -> Table:
    head = (
        *columns((HIDDEN, "task"), (HIDDEN, "metric"), "method", (f"mean of {len(task.pairs)} pairs", "mean")),
        *columns(("against", "reference"), ("less it, points", "behind"), "verdict"),
        *(Column(pair, pair.replace(":", "_")) for pair in task.pairs),
        *columns((HIDDEN, "pairs"), (HIDDEN, "items"), (HIDDEN, "clusters")),
    )
    rows = tuple(_scores(task, one) for one in (*task.standings, task.control))
    if not task.tested_against(task.best):
        return Table("scores", head, rows, note="No other method was tested against the best")
    equal = (place for place, one in enumerate(task.standings) if one != task.best and task.among_the_best(one.row))
    return Table("scores", head, rows, leaders=(0, *equal))


def _scores(task: TaskStandings, standing: Standing) -> tuple[Value, ...]:
    mean, mark = standing.mean, _MARKS.get(standing.verdict, "")
    part = "" if mean.pairs == len(task.pairs) else f" ({mean.pairs} pairs)"
    return (
        task.task,
        task.metric,
        standing.row.label,
        Interval(mean.value, mean.low, mean.high, text=f"{level(mean)}{part}{mark}"),
        standing.reference.label if standing.reference else "–",
        _difference(standing.behind),
        standing.verdict if standing != task.control else "reference",
        *(_of_pair(standing.by_pair.get(pair)) for pair in task.pairs),
        *(Number(value, "") for value in (mean.pairs, mean.queries, mean.concepts)),
    )


def _by_size(task: TaskStandings) -> Table:
    """One row a method, one column a size of the training dictionary."""
    sizes = task.sizes
    by_place = {(one.row.name, one.row.recipe): one for one in task.standings}
    methods = dict.fromkeys(one.row.name for one in task.standings if one.row.recipe)
    free = [one for one in task.standings if not one.row.recipe]
    names = [", ".join(f"{key} {value}" for key, value in size) for size in sizes]
    head = (*columns((HIDDEN, "task"), "method"), *(Column(name, name.replace(" ", "_")) for name in names))
    rows: list[tuple[Value, ...]] = [
        (task.task, name, *(_mean(by_place.get((name, size))) for size in sizes)) for name in methods
    ]
    rows += [(task.task, f"{one.row.name}, at one size", *[_mean(one)] * len(sizes)) for one in free]
    return Table(
        "dictionary-sizes",
        head,
        tuple(rows) if len(sizes) > 1 else (),
        f"{task.metric} by size of the training dictionary",
    )


def _mean(standing: Standing | None) -> Interval:
    if standing is None:
        return Interval(None)
    mark = _MARKS.get(standing.verdict, "")
    mean = standing.mean
    return Interval(mean.value, mean.low, mean.high, text=f"{level(mean)}{mark}")


def _of_pair(mean: PairMean | None) -> Interval:
    return Interval(None) if mean is None else Interval(mean.value, mean.low, mean.high, text=f"{mean.value:.3f}")


def _with_interval(mean: PairMean) -> Interval:
    return Interval(mean.value, mean.low, mean.high, text=level(mean))


def _difference(mean: PairMean | None) -> Interval:
    return Interval(None) if mean is None else Interval(mean.value, mean.low, mean.high, text=points(mean))
