"""Methods on one task in the task's own measure: every pair, the mean over pairs, and which cannot be distinguished from the best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from crossgraft.analysis.mappings.compare import Comparison, comparisons
from crossgraft.analysis.mappings.means import DRAWS, Means, PairMean
from crossgraft.analysis.mappings.tables import TaskTables, task_tables
from crossgraft.analysis.wording import interval, number_of, signed
from crossgraft.core import Record, Scalar, Treatment
from crossgraft.transfer.matrix import TransferMatrix

_NAMED = 3  # methods in a sentence
_FOR_POWER = (
    2.80 / 1.96
)  # a difference of 2.80 standard errors is found with 80 % power, in half-widths of its interval

Verdict = Literal["best", "best of its dictionary", "not distinguishable", "lower", "higher", "not tested"]
Recipe = tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True)
class Standing:
    """A method, at one dictionary size, on a task."""

    row: Treatment
    mean: PairMean  # over the pairs on which it was measured
    by_pair: Mapping[str, PairMean]
    verdict: Verdict
    reference: Treatment | None = None  # the best method that it was tested against
    behind: PairMean | None = None  # its mean less that of the reference


@dataclass(frozen=True)
class TaskStandings:
    """One task: the methods measured on the most pairs first, and of these the one with the highest mean."""

    task: str
    metric: str
    pairs: tuple[str, ...]
    standings: tuple[Standing, ...]
    control: Standing  # unmapped vectors
    comparisons: tuple[Comparison, ...]
    method: str

    @property
    def best(self) -> Standing:
        return self.standings[0]

    @property
    def leaders(self) -> tuple[Standing, ...]:
        """The best method of every dictionary, that of the whole task first."""
        return tuple(one for one in self.standings if one.verdict.startswith("best"))

    def tested_against(self, leader: Standing) -> tuple[Standing, ...]:
        """The methods that were tested against it, in their order."""
        return tuple(one for one in self.standings if one.reference == leader.row)

    def among_the_best(self, row: Treatment) -> bool:
        """Whether it is the best of all, or tested against that and not significantly below it."""
        standing = next((one for one in self.standings if one.row == row), None)
        if standing is None or standing.verdict == "best":
            return standing is not None
        return standing.reference == self.best.row and standing.verdict in ("not distinguishable", "higher")

    @property
    def detectable(self) -> float:
        """The difference from the best that is found with 80 % power at 5 %, before Holm's adjustment: the median over methods.

        It has the noise of items and seeds in it; NaN where nothing was tested.
        """
        halves = [(one.behind.high - one.behind.low) / 2 for one in self.tested_against(self.best) if one.behind]
        return _FOR_POWER * median(halves) if halves else float("nan")

    @property
    def is_underpowered(self) -> bool:
        """Whether every method lies nearer to the best than what could be found, and none is significantly below it."""
        tested = [one for one in self.tested_against(self.best) if one.behind]
        return bool(tested) and all(
            one.verdict == "not distinguishable" and abs(one.behind.value) < self.detectable
            for one in tested
            if one.behind
        )

    @property
    def sizes(self) -> tuple[Recipe, ...]:
        """The dictionary sizes of the study, the smallest first; empty where there is one."""
        recipes = {one.row.recipe for one in self.standings if one.row.recipe}
        return tuple(sorted(recipes, key=lambda recipe: tuple(map(_number, recipe))))

    @property
    def sentence(self) -> str:
        """Which method is best, by how much and on how many items; unmapped vectors; the best with other dictionaries."""
        mean = self.best.mean
        over = f"over {number_of(mean.pairs, 'pair')} ({number_of(mean.queries, 'item')})"
        said = [
            f"{self.task}: {self.best.row.label} is best, {self.metric} {level(mean)} {over}{self._beside_the_best()}."
        ]
        said.append(f"Unmapped vectors have {self.control.mean.value:.3f}.")
        others = [f"{one.row.label} {level(one.mean)}" for one in self.leaders[1:]]
        said += [f"Best with another dictionary: {', '.join(others)}."] if others else []
        return " ".join(said)

    def _beside_the_best(self) -> str:
        tested = self.tested_against(self.best)
        if not tested:
            return ""
        if all(one.verdict == "not distinguishable" for one in tested):
            said = f"; none of the {len(tested)} methods tested against it differs significantly from it"
            return said + (f" (underpowered: {_in_points(self.detectable)})" if self.is_underpowered else "")
        unlike = [one for one in tested if one.verdict != "lower"]
        if unlike:
            names = ", ".join(one.row.label for one in unlike[:_NAMED]) + (", …" if len(unlike) > _NAMED else "")
            higher = any(one.verdict == "higher" for one in unlike)
            what = (
                "are not significantly below it on the pairs that both have"
                if higher
                else "cannot be distinguished from it"
            )
            return f"; {len(unlike)} of the {len(tested)} methods tested against it {what} ({names})"
        nearest = tested[0]
        assert nearest.behind is not None
        count = f"all {len(tested)} methods" if len(tested) > 1 else "the one method"
        return f", significantly above {count} tested against it; next is {nearest.row.label}, {points(nearest.behind)} points"


def _number(axis: tuple[str, Scalar]) -> tuple[str, float]:
    name, value = axis
    return name, float(value) if isinstance(value, int | float) else 0.0


def _in_points(detectable: float) -> str:
    return f"with 80 % power a difference of {100 * detectable:.1f} points would be found, and all are smaller"


def level(mean: PairMean) -> str:
    return f"{mean.value:.3f} [{mean.low:.3f}, {mean.high:.3f}]"


def points(mean: PairMean) -> str:
    return f"{signed(100 * mean.value)} {interval(100 * mean.low, 100 * mean.high)}"


def downstream_standings(matrix: TransferMatrix, records: Iterable[Record]) -> tuple[TaskStandings, ...]:
    """Of every task on language pairs but lexicon induction, which has more to say and says it itself."""
    return tuple(
        standings(tables, means, comparisons(tables, means))
        for tables in task_tables(matrix, records)
        if not tables.is_induction
        for means in (Means(tables),)
    )


def standings(tables: TaskTables, means: Means, tested: Sequence[Comparison]) -> TaskStandings:
    unsorted = [_measured(row, tables, means) for row in tables.rows]
    ordered = sorted(unsorted, key=lambda one: (-one.mean.pairs, -one.mean.value))
    control = tables.pairs[0].control.treatment.row
    return TaskStandings(
        tables.task,
        tables.measure,
        tuple(table.pair for table in tables.pairs),
        tuple(_judged(ordered, tested)),
        replace(_measured(control, tables, means), verdict="not tested"),
        tuple(tested),
        (
            f"Means over language pairs, each of equal weight. Brackets: 95 % for new items on these pairs, {tables.clusters} clusters "
            f"({tables.asked}) drawn anew {DRAWS} times, the variance between seeds added. The best method is the one with the highest "
            "mean over the most pairs. Methods with the same dictionary, and those without one, are tested against it, those with "
            "another dictionary against the best of that: paired by item, the names of both methods exchanged at random for whole clusters, "
            "two-sided, Holm's adjustment over all comparisons of the task, 5 %. The test is about new items, for the runs that were made. "
            "Intervals of differences are not adjusted, so that some exclude zero where the test finds no difference."
        ),
    )


def _measured(row: Treatment, tables: TaskTables, means: Means) -> Standing:
    everything = means.contrast([(row, 1.0)])
    assert everything is not None  # a pair is only in the matrix with an item that counts
    pairs = (table.pair for table in tables.pairs)
    by_pair = {pair: mean for pair in pairs if (mean := means.contrast([(row, 1.0)], among=[pair]))}
    return Standing(row, everything, by_pair, "not tested")


def _judged(ordered: Sequence[Standing], tested: Sequence[Comparison]) -> Iterator[Standing]:
    """Each against the best of all where that was tested, else against the best with its dictionary."""
    by_rows = {(one.first, one.second): one for one in tested}
    leaders: dict[Recipe, Treatment] = {}
    best = ordered[0].row
    for standing in ordered:
        row = standing.row
        leader = leaders.setdefault(row.recipe, row)
        if row == best:
            yield replace(standing, verdict="best")
        elif (compared := _compared(by_rows, row, best)) or (compared := _compared(by_rows, row, leader)):
            yield _against(standing, compared)
        else:
            yield replace(standing, verdict="best of its dictionary" if row == leader else "not tested")


def _compared(
    by_rows: Mapping[tuple[Treatment, Treatment], Comparison], row: Treatment, other: Treatment
) -> Comparison | None:
    return by_rows.get((row, other)) or by_rows.get((other, row))


def _against(standing: Standing, compared: Comparison) -> Standing:
    row = standing.row
    reference = compared.second if compared.first == row else compared.first
    behind = compared.difference if compared.first == row else compared.difference.negated
    clear: Verdict = "lower" if behind.value < 0 else "higher"
    verdict: Verdict = clear if compared.is_told else "not distinguishable"
    return replace(standing, verdict=verdict, reference=reference, behind=behind)
