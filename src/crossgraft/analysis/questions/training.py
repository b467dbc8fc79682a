"""What the training runs of a study were: steps, tokens, losses, as their records tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossgraft.core import Job, Record, Treatment


@dataclass(frozen=True)
class TrainingRun:
    """One run; losses are means over the tokens that count, in nats, one a step."""

    treatment: Treatment
    steps: int
    tokens: int
    counted: int | None  # tokens the loss counts; None where the record is older than the count
    losses: tuple[float, ...]
    kept_epoch: int | None  # None: the last
    tokens_of: Mapping[str, int] = field(default_factory=dict)  # by part of the source

    @property
    def first_loss(self) -> float:
        return self.losses[0]

    @property
    def last_loss(self) -> float:
        return self.losses[-1]


@dataclass(frozen=True)
class Training:
    """All runs of a treatment, one a seed, in order of seed."""

    row: Treatment
    runs: tuple[TrainingRun, ...]

    @property
    def first_loss(self) -> float:
        """Mean over the seeds."""
        return sum(run.first_loss for run in self.runs) / len(self.runs)

    @property
    def last_loss(self) -> float:
        """Mean over the seeds."""
        return sum(run.last_loss for run in self.runs) / len(self.runs)


def trainings(jobs: Sequence[Job], records: Iterable[Record]) -> tuple[Training, ...]:
    """Every treatment that was trained and measured, in the order of the study; labels are those of its jobs."""
    facts = {record.id: record.provenance for record in records if record.provenance.get("losses")}
    runs: dict[Treatment, list[TrainingRun]] = {}
    for job in jobs:
        facts_of_run = next((facts[cell.record_id] for cell in job.cells if cell.record_id in facts), None)
        if job.treatment.kind == "trained" and facts_of_run is not None:
            runs.setdefault(job.treatment.row, []).append(_run(job.treatment, facts_of_run))
    return tuple(Training(row, tuple(sorted(training_runs, key=_seed))) for row, training_runs in runs.items())


def _run(treatment: Treatment, facts: Mapping[str, Any]) -> TrainingRun:
    return TrainingRun(
        treatment,
        facts["train_steps"],
        facts["train_tokens"],
        facts.get("counted_tokens"),
        tuple(facts["losses"]),
        facts.get("kept_epoch"),
        facts.get("train_tokens_of", {}),
    )


def _seed(run: TrainingRun) -> int:
    return run.treatment.seed or 0
