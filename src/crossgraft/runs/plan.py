"""Which jobs are still missing, and in which order they leave something to analyse when stopped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import groupby

from crossgraft.core import Cell, Job, Point, Treatment
from crossgraft.errors import SpecError, did_you_mean

Done = Mapping[str, Collection[str]]  # record id → pairings it exists in

CHUNK = 4  # treatments of one model before the next model is loaded


@dataclass(frozen=True)
class Plan:
    """What a run would do now: the jobs in order, and how much of the study is there already."""

    jobs: tuple[Job, ...]
    total: int  # records of the whole study
    failed: tuple[Job, ...] = ()  # failed for good; repeated only with retry

    @property
    def missing(self) -> int:
        """Records that are to be made."""
        return sum(len(job.cells) for job in self.jobs)

    @property
    def to_train(self) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if job.treatment.kind == "trained")


def plan(
    jobs: Sequence[Job],
    done: Done,
    *,
    pairing: str | None = None,
    failed: Collection[str] = (),
) -> Plan:
    """The jobs whose records are not there yet, in order.

    A control is also missing when treatments are about to be computed under a ``pairing`` (its
    id) under which the control does not exist: numbers made differently are never compared.
    ``failed`` are the ids of records that jobs failed to make and would fail to make again.
    """
    todo, hopeless = [], []
    treatments_missing = {
        (job.treatment.model, cell.target)
        for job in jobs
        if not job.treatment.is_control
        for cell in job.cells
        if cell.record_id not in done and cell.record_id not in failed
    }
    for job in jobs:
        needed = treatments_missing if job.treatment.is_control else set()
        cells = tuple(
            cell
            for cell in job.cells
            if _is_missing(cell, done, pairing if (job.treatment.model, cell.target) in needed else None)
        )
        if cells and all(cell.record_id in failed for cell in cells):
            hopeless.append(job)
        elif cells:
            todo.append(replace(job, cells=cells))
    return Plan(tuple(ordered(todo)), sum(len(job.cells) for job in jobs), tuple(hopeless))


def _is_missing(cell: Cell, done: Done, pairing: str | None) -> bool:
    pairings = done.get(cell.record_id)
    return not pairings or (pairing is not None and pairing not in pairings)


def select(jobs: Sequence[Job], patterns: Sequence[str]) -> tuple[Job, ...]:
    """The jobs of which a pattern matches the model, the source or name, or ``model:name``.

    Controls of the models that are left stay, because nothing can be said without them.
    """
    if not patterns:
        return tuple(jobs)
    chosen = [job for job in jobs if not job.treatment.is_control and _matches(job.treatment, patterns)]
    models = {job.treatment.model for job in chosen}
    models |= {job.treatment.model for job in jobs if any(fnmatchcase(job.treatment.model, p) for p in patterns)}
    if not models:
        names = {name for job in jobs for name in _names(job.treatment)}
        raise SpecError(f"--only {' '.join(patterns)}: nothing in the study matches{did_you_mean(patterns[0], names)}")
    keep = {id(job) for job in chosen}
    return tuple(job for job in jobs if id(job) in keep or (job.treatment.is_control and job.treatment.model in models))


def _matches(treatment: Treatment, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in _names(treatment) for pattern in patterns)


def _names(treatment: Treatment) -> tuple[str, ...]:
    return treatment.model, treatment.name, f"{treatment.model}:{treatment.name}"


def ordered(jobs: Sequence[Job]) -> Iterator[Job]:
    """The order in which a run leaves something to analyse, wherever it is stopped.

    Mappings come pair by pair, as their study lists them. Otherwise the controls of a model come first;
    then, seed by seed and recipe by recipe, a few sources of every model in turn, spread over tasks
    and languages. Whatever is done when a run stops is a smaller study of the same shape.
    """
    if any(job.treatment.kind == "mapping" for job in jobs):
        yield from jobs
        return
    models = list(dict.fromkeys(job.treatment.model for job in jobs))
    controls = {
        model: [job for job in jobs if job.treatment.is_control and job.treatment.model == model] for model in models
    }
    passes: dict[tuple[object, ...], list[Job]] = {}
    for job in jobs:
        if not job.treatment.is_control:
            passes.setdefault((job.treatment.seed, job.treatment.recipe), []).append(job)
    for jobs_of_pass in passes.values():
        spread = sorted(jobs_of_pass, key=_spread(jobs_of_pass))
        spread.sort(key=lambda job: bool(job.members))  # merges after the adapters that they are made of
        queues = {model: [job for job in spread if job.treatment.model == model] for model in models}
        while any(queues.values()):
            for model, queue in queues.items():
                yield from controls.pop(model, ()) if queue else ()
                yield from queue[:CHUNK]
                del queue[:CHUNK]
    for left in controls.values():
        yield from left


def _spread(jobs: Sequence[Job]) -> _Spread:
    points = [job.treatment.source for job in jobs if job.treatment.source]
    return _Spread(_positions(p.task for p in points), _positions(p.lang for p in points))


def _positions(names: Iterable[str]) -> dict[str, int]:
    return {name: position for position, name in enumerate(dict.fromkeys(names))}


@dataclass(frozen=True)
class _Spread:
    """A sort key along the diagonals of tasks × languages: each diagonal has every task once."""

    tasks: Mapping[str, int]
    languages: Mapping[str, int]

    def __call__(self, job: Job) -> tuple[int, int]:
        source: Point | None = job.treatment.source
        if source is None:
            return (0, 0)  # adapters and mappings keep the order of the spec
        task, language = self.tasks[source.task], self.languages[source.lang]
        return ((language - task) % max(len(self.tasks), len(self.languages)), task)


def per_model(jobs: Iterable[Job]) -> dict[str, int]:
    """How many records each model still needs."""
    ordered_jobs = sorted(jobs, key=lambda job: job.treatment.model)
    return {
        model: sum(len(job.cells) for job in group)
        for model, group in groupby(ordered_jobs, key=lambda job: job.treatment.model)
    }
