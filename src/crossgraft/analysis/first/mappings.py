"""The first screen of an embedding study: which method is best on what, which to use, what BLI says of the other tasks, how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.mappings.predicting import Prediction
from crossgraft.analysis.mappings.predicting import sentence as what_bli_predicts
from crossgraft.analysis.mappings.shuffled import sentence as what_shuffled_did
from crossgraft.analysis.mappings.standings import TaskStandings
from crossgraft.analysis.wording import listed

_MANY = 2  # tasks, for the question which method is good on all of them


def paragraphs(evidence: Evidence, predictions: Sequence[Prediction], doubts: str) -> tuple[str, ...]:
    """One paragraph a task first; empty ones are left out."""
    tasks = evidence.standings
    said = (
        *(task.sentence for task in tasks),
        *_on_all(tasks),
        what_bli_predicts(predictions),
        what_shuffled_did(evidence.shuffled),
        _how_sure(tasks),
        doubts,
    )
    return tuple(filter(None, said))


def _on_all(tasks: Sequence[TaskStandings]) -> tuple[str, ...]:
    """The methods that are among the best on every task."""
    if len(tasks) < _MANY:
        return ()
    good = [one.row.label for one in tasks[0].standings if all(task.among_the_best(one.row) for task in tasks)]
    if not good:
        return (f"To use: no method is among the best on all {len(tasks)} tasks; choose by the task.",)
    verb = "is" if len(good) == 1 else "are"
    return (
        f"To use: {listed(good)} {verb} best, or not significantly below the best, on each of the {len(tasks)} tasks.",
    )


def _how_sure(tasks: Sequence[TaskStandings]) -> str:
    """That intervals are of these pairs, and where the mean of the best lies on new ones."""
    wide = [
        f"{mean.pairs_low:.3f} to {mean.pairs_high:.3f} ({task.task})"
        for task in tasks
        for mean in (task.best.mean,)
        if mean.pairs > 1
    ]
    new = f" For new language pairs, the mean of the best method has a 95 % interval of {listed(wide)}." if wide else ""
    return f"Intervals and tests are about new items on these language pairs (tests: 5 %, Holm).{new}"
