"""Bilingual lexicon induction as its literature reads it: MAP over language pairs, successes, paired tests, weak pairs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.mappings.compare import Comparison, comparisons, uses_dictionary
from crossgraft.analysis.mappings.convergence import Convergence, convergences, failures
from crossgraft.analysis.mappings.errors import ReadTexts, WrongWord, wrong_words
from crossgraft.analysis.mappings.gate import COVERAGE, QUERIES, SUCCESS, PairState, pair_state
from crossgraft.analysis.mappings.hubs import Hubs, hubs
from crossgraft.analysis.mappings.means import DRAWS, Means, PairMean
from crossgraft.analysis.mappings.standings import TaskStandings, standings
from crossgraft.analysis.mappings.subsets import Part, parts
from crossgraft.analysis.mappings.tables import TaskTables, task_tables
from crossgraft.core import Record, Treatment
from crossgraft.metrics import METRICS
from crossgraft.stats.matrices.correlation import Correlation, rank_correlation
from crossgraft.transfer.matrix import TransferMatrix

Measured = tuple[str, PairMean]  # a score or convention, by name

_NAMED = 3  # methods, or pairs, named in a sentence

__all__ = [
    "BLIFindings",
    "Comparison",
    "Convergence",
    "Hubs",
    "MethodRow",
    "PairMean",
    "PairState",
    "Part",
    "Slope",
    "WrongWord",
    "bli_findings",
]


@dataclass(frozen=True)
class MethodRow:
    """A method at one dictionary size. A run is a seed on a pair; it succeeds with a MAP of .05 or more."""

    row: Treatment
    all: PairMean
    filtered: PairMean | None  # over the pairs on which every method succeeded at least once
    succeeded: int  # pairs with a successful run
    runs_succeeded: int
    runs: int
    training: float  # median number of training pairs in both vocabularies; NaN for a method that uses none
    commonest: float  # share of queries that get the most frequent answer of their pair, mean over pairs
    measures: tuple[Measured, ...]  # the other scores and conventions, by name


@dataclass(frozen=True)
class Slope:
    """What twice as many training pairs add to the MAP of a method, by least squares over its dictionary sizes."""

    method: str
    sizes: tuple[float, ...]  # training pairs in both vocabularies
    doubling: PairMean


@dataclass(frozen=True)
class BLIFindings:
    """One task on all language pairs."""

    task: str
    standings: TaskStandings
    rows: tuple[MethodRow, ...]  # those measured on the most pairs first, and among equals the highest MAP
    convergences: tuple[Convergence, ...]  # of methods without a dictionary
    comparisons: tuple[Comparison, ...]
    slopes: tuple[Slope, ...]
    parts: tuple[Part, ...]
    hubs: tuple[Hubs, ...]
    errors: tuple[WrongWord, ...]
    pairs: tuple[PairState, ...]
    filtered_pairs: tuple[str, ...]
    shapes: tuple[
        tuple[str, Correlation], ...
    ]  # of each distance of shape with the mean MAP of the methods, over pairs
    notes: tuple[str, ...]
    method: str

    @property
    def leading(self) -> tuple[Comparison, ...]:
        """The comparisons of the first row of each dictionary size with the others."""
        best = {row.row.recipe: row.row for row in reversed(self.rows)}
        return tuple(
            comparison for comparison in self.comparisons if {comparison.first, comparison.second} & set(best.values())
        )

    @property
    def against_best(self) -> tuple[Comparison, ...]:
        """The comparisons of the first row of all."""
        best = self.rows[0].row
        return tuple(comparison for comparison in self.comparisons if best in (comparison.first, comparison.second))

    @property
    def tied(self) -> tuple[Treatment, ...]:
        """What was tested against the first row and does not differ from it significantly."""
        best = self.rows[0].row
        equal = [comparison for comparison in self.against_best if not comparison.is_told]
        return tuple(comparison.second if comparison.first == best else comparison.first for comparison in equal)


def bli_findings(
    matrix: TransferMatrix, records: Iterable[Record], texts: ReadTexts = lambda _: None
) -> tuple[BLIFindings, ...]:
    """One reading for each task in which words of one language were ranked for words of another.

    ``texts`` gives the test dictionary by its id, for a look at single words.
    """
    return tuple(_findings(tables, texts) for tables in task_tables(matrix, records) if tables.is_induction)


def _findings(tables: TaskTables, texts: ReadTexts) -> BLIFindings:
    means = Means(tables)
    states = tuple(pair_state(table, means) for table in tables.pairs)
    filtered = _filtered(tables, means)
    measures = _measures(tables, means)
    rows = [_row(row, tables, means, filtered, measures[row]) for row in tables.rows]
    believed = tuple(convergences(tables, means))
    tested = comparisons(tables, means)
    return BLIFindings(
        task=tables.task,
        standings=standings(tables, means, tested),
        rows=tuple(sorted(rows, key=lambda one: (-one.all.pairs, -one.all.value))),
        convergences=believed,
        comparisons=tested,
        slopes=tuple(_slopes(rows, means)),
        parts=parts(tables, means),
        hubs=tuple(hubs(tables)),
        errors=tuple(wrong_words(tables, states, texts)),
        pairs=states,
        filtered_pairs=filtered,
        shapes=tuple(_shapes(states)),
        notes=(*_notes(rows, states), *failures(believed)),
        method=(
            f"MAP over the queries in both vocabularies, then the mean over pairs. Brackets: 95 % for new queries on "
            f"these pairs, {tables.clusters} clusters ({tables.asked}) drawn anew {DRAWS} times, the variance between "
            "seeds added; in parentheses for new pairs, by Student's t, which takes pairs for independent although "
            "they share languages, as do rank correlations over pairs. p: signs of whole clusters flipped at random, two-sided, Holm's adjustment over all "
            f"comparisons. Successful: a MAP of {SUCCESS} or more in at least one run; filtered: the pairs on which "
            "every method succeeded at least once (Glavaš et al., 2019)."
        ),
    )


def _filtered(tables: TaskTables, means: Means) -> tuple[str, ...]:
    """The pairs on which every method, at whatever size and seed, succeeded at least once."""
    methods = {row.name for row in tables.rows}
    return tuple(
        table.pair
        for table in tables.pairs
        if methods == {row.name for row in table.runs if (means.runs(table, row) >= SUCCESS).any()}
    )


def _row(
    row: Treatment, tables: TaskTables, means: Means, filtered: Sequence[str], measures: Sequence[Measured]
) -> MethodRow:
    measured = [table for table in tables.pairs if row in table.runs]
    scores = [means.runs(table, row) for table in measured]
    everything = means.contrast([(row, 1.0)])
    assert everything is not None  # a pair is only in the matrix with a query that is known
    return MethodRow(
        row,
        everything,
        means.contrast([(row, 1.0)], among=filtered),
        sum(bool((score >= SUCCESS).any()) for score in scores),
        sum(int((score >= SUCCESS).sum()) for score in scores),
        sum(map(len, scores)),
        _training(row, tables),
        float(np.mean([_commonest(run) for table in measured for run in table.runs[row]])),
        tuple(measures),
    )


def _training(row: Treatment, tables: TaskTables) -> float:
    if not uses_dictionary(tables, row):
        return float("nan")
    known = [run.provenance["dictionary_pairs_known"] for pair in tables.pairs for run in pair.runs.get(row, ())]
    return float(np.median(known))


def _commonest(run: Record) -> float:
    """The share of known queries whose nearest word is the hub of the pair; NaN without answers."""
    if "answer" not in run.answers.columns:
        return float("nan")
    answers = Counter(answer for answer in run.answers.columns["answer"] if answer)
    return max(answers.values(), default=0) / max(answers.total(), 1)


def _measures(tables: TaskTables, means: Means) -> dict[Treatment, list[Measured]]:
    """Every other mean that all records of the task have; one measure after another, as draws are kept for one."""
    answers = [run.answers for table in tables.pairs for runs in table.runs.values() for run in runs]
    found: dict[Treatment, list[Measured]] = {row: [] for row in tables.rows}
    for name in sorted(METRICS.names(), key=_by_number):
        metric = METRICS.get(name)
        if name != "MAP" and metric.is_mean and all(metric.applies_to(answer) for answer in answers):
            for row in tables.rows:
                if mean := means.contrast([(row, 1.0)], name):
                    found[row].append((name, mean))
    return found


def _by_number(name: str) -> tuple[str | int, ...]:
    """P@5 before P@10."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name))


def _slopes(rows: Sequence[MethodRow], means: Means) -> Iterator[Slope]:
    for method in dict.fromkeys(row.row.name for row in rows):
        sized = sorted((row for row in rows if row.row.name == method), key=lambda one: one.training)
        doublings = np.log2([one.training for one in sized])
        spread = doublings - doublings.mean()
        if len(sized) < 2 or not np.isfinite(spread).all() or not spread.any():
            continue
        found = means.contrast(
            [(one.row, float(by)) for one, by in zip(sized, spread / (spread @ spread), strict=True)]
        )
        if found is not None:
            yield Slope(method, tuple(one.training for one in sized), found)


def _shapes(states: Sequence[PairState]) -> Iterator[tuple[str, Correlation]]:
    success = np.array([state.mean for state in states])
    for name in dict.fromkeys(name for state in states for name in state.distances):
        distance = np.array([state.distances.get(name, np.nan) for state in states])
        yield name, rank_correlation(distance, success)


def _notes(rows: Sequence[MethodRow], states: Sequence[PairState]) -> Iterator[str]:
    weak = [state for state in states if state.weak]
    if weak:
        named = ", ".join(f"{state.pair} ({'; '.join(state.weak)})" for state in weak[:_NAMED])
        more = ", …" if len(weak) > _NAMED else ""
        yield f"{len(weak)} of {len(states)} pairs too weak to compare methods on: {named}{more}"
    if len({row.all.pairs for row in rows}) > 1:
        yield (
            "not every method was measured on every pair: means of different pairs are not comparable, the tests are; "
            "methods measured on fewer pairs stand below the others, whatever their mean"
        )
    little = [state for state in states if state.coverage < COVERAGE]
    if little:
        lowest = min(little, key=lambda state: state.coverage)
        yield (
            f"on {len(little)} of {len(states)} pairs the vocabularies have less than {COVERAGE:.0%} of the test queries "
            f"({lowest.pair}: {lowest.coverage:.0%}), mostly frequent words: methods can be compared, but not with results "
            "on larger vocabularies"
        )
    fewest = min((state.queries for state in states), default=0)
    if states and fewest < QUERIES:
        yield f"one pair rests on {fewest} queries only, and counts as much as any other in the means"
