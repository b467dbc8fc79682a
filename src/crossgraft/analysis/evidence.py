"""What an analysis is given: the matrix of changes, and what was noted while it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.mappings import BLIFindings
from crossgraft.analysis.mappings.references import Reference
from crossgraft.analysis.mappings.shuffled import ShuffledControl
from crossgraft.analysis.mappings.standings import TaskStandings
from crossgraft.analysis.questions.training import Training
from crossgraft.analysis.questions.variance.posterior import Posterior, posterior
from crossgraft.core import Check
from crossgraft.transfer.matrix import TransferMatrix


@dataclass(frozen=True)
class Evidence:
    """A matrix and all else that a finding may rest on; ``draws`` are its joint draws of items, made when first asked for."""

    matrix: TransferMatrix
    study: str = ""
    notes: Sequence[str] = ()
    failures: Sequence[str] = ()
    checks: Sequence[Check] = ()  # of the records
    bli: Sequence[BLIFindings] = ()  # one per task of ranked words
    downstream: Sequence[TaskStandings] = ()  # one per other task on language pairs
    shuffled: Sequence[ShuffledControl] = ()  # methods fitted on a shuffled dictionary
    references: Sequence[Reference] = ()  # of downstream tasks, noted by the controls
    training: Sequence[Training] = ()
    spec: str = ""  # the text it was run from; none where results were measured elsewhere
    overrides: Sequence[str] = ()  # of its keys
    as_published: bool = False  # with the paper's figures beside ours
    draws: Draws = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "draws", Draws(self.matrix))

    @cached_property
    def posterior(self) -> Posterior:
        """The true change of every cell; DataError where there is nothing to fit."""
        return posterior(self.matrix, draws=self.draws)

    @property
    def standings(self) -> tuple[TaskStandings, ...]:
        """The methods on every task of an embedding study, lexicon induction first; empty in other studies."""
        return (*(task.standings for task in self.bli), *self.downstream)
