"""Methods without a dictionary: what their runs said of themselves, and what they reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crossgraft.analysis.mappings.compare import uses_dictionary
from crossgraft.analysis.mappings.gate import SUCCESS
from crossgraft.analysis.mappings.means import Means
from crossgraft.analysis.mappings.tables import TaskTables
from crossgraft.core import Record, Treatment


@dataclass(frozen=True)
class Convergence:
    """Counts of runs, a run being a seed on a pair: by whether the run reported convergence, and whether its MAP is .05 or more."""

    row: Treatment
    converged_right: int
    converged_wrong: int
    failed_right: int
    failed_wrong: int
    failed: tuple[str, ...]  # pairs on which no run succeeded
    pairs: int

    @property
    def runs(self) -> int:
        return self.converged_right + self.converged_wrong + self.failed_right + self.failed_wrong


def convergences(tables: TaskTables, means: Means) -> Iterator[Convergence]:
    """One a row that saw no dictionary and of which every run says what it thinks of itself."""
    for row in tables.rows:
        measured = [table for table in tables.pairs if row in table.runs]
        if uses_dictionary(tables, row) or not all(
            _reports_convergence(run) for table in measured for run in table.runs[row]
        ):
            continue
        reached = {table.pair: means.runs(table, row) >= SUCCESS for table in measured}
        seen = [
            (bool(run.provenance["fit"]["converged"]), bool(success))
            for table in measured
            for run, success in zip(table.runs[row], reached[table.pair], strict=True)
        ]
        yield Convergence(
            row,
            seen.count((True, True)),
            seen.count((True, False)),
            seen.count((False, True)),
            seen.count((False, False)),
            tuple(pair for pair, found in reached.items() if not found.any()),
            len(measured),
        )


def _reports_convergence(run: Record) -> bool:
    return "converged" in run.provenance.get("fit", {})


def failures(found: Sequence[Convergence]) -> Iterator[str]:
    """A sentence on the methods that failed somewhere, and one on those that reported convergence and failed."""
    failed = [f"{convergence.row.label} on {_pairs(convergence)}" for convergence in found if convergence.failed]
    if failed:
        yield f"without a successful run (a MAP of {SUCCESS} or more): {'; '.join(failed)}; failures are in their means"
    misled = [
        f"{convergence.converged_wrong} of {convergence.runs} of {convergence.row.label}"
        for convergence in found
        if convergence.converged_wrong
    ]
    if misled:
        yield f"runs that reported convergence without success: {', '.join(misled)}"


def _pairs(convergence: Convergence) -> str:
    if len(convergence.failed) == convergence.pairs:
        return "any pair"
    return f"{len(convergence.failed)} of {convergence.pairs} pairs ({', '.join(convergence.failed)})"
