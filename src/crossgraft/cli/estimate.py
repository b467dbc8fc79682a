"""What a run would do and cost, and how far the studies of a store are."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from crossgraft.cli.progress import duration
from crossgraft.core import Job, Record
from crossgraft.errors import JobFailed
from crossgraft.runs.campaign import Campaign, Settings, describe_study, plan_study
from crossgraft.runs.plan import Done, Plan, per_model, plan
from crossgraft.runs.prices import are_timed, seconds_of, timings_in, work_of
from crossgraft.runs.storage.store import Store
from crossgraft.study import Amount, Cost, Costed, Failed, Forecast, Forecasts, Measurable, Recorded, Study, Trains

_RECENT = 1800.0  # seconds
_LISTED = 6  # kinds of work, and arrays, in a line


@dataclass(frozen=True)
class Outlook:
    """What is to be done, what it will weigh and, from earlier jobs, how long it may take."""

    study: str
    plan: Plan
    notes: tuple[str, ...]
    adapter_bytes: int | None  # of the adapters to be trained; None when a model is not here
    seconds: float | None  # of the work that is like some that has been timed; None where there is none
    untimed: tuple[str, ...] = ()  # kinds of work of which nothing has been timed
    measured: str = ""  # what was timed just now, if anything
    measurable: bool = False  # whether something could be
    cost: Cost | None = None  # estimated from lengths and shapes; None where these are not known
    forecast: Forecast | None = None  # the same of studies without language models

    def plain(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "results": self.plan.total,
            "missing": self.plan.missing,
            "jobs": [{"job": str(job), "targets": [str(cell.target) for cell in job.cells]} for job in self.plan.jobs],
            "failed": [str(job) for job in self.plan.failed],
            "adapter_bytes": self.adapter_bytes,
            "seconds": self.seconds,
            "untimed": list(self.untimed),
            "measured": self.measured,
            "cost": None if self.cost is None else asdict(self.cost),
            "forecast": None if self.forecast is None else asdict(self.forecast),
            "notes": list(self.notes),
        }

    def lines(self) -> Iterator[str]:
        todo = self.plan
        yield f"{self.study}: {todo.missing} of {todo.total} results to compute, in {len(todo.jobs)} jobs"
        for model, count in per_model(todo.jobs).items():
            yield f"  {model}: {count} results"
        if todo.to_train:
            weight = "unknown size" if self.adapter_bytes is None else f"about {size(self.adapter_bytes)}"
            yield f"  {len(todo.to_train)} adapters to train, {weight} on disk"
        if todo.failed:
            yield f"  {len(todo.failed)} jobs failed for good; --retry runs them again"
        if todo.missing:
            yield f"  time: {self._time()}"
        if self.cost:
            yield from _cost_lines(self.cost)
        if self.forecast:
            yield from _forecast_lines(self.forecast)
        for note in self.notes:
            yield f"  note: {note}"

    def _time(self) -> str:
        how = (
            "; --measure times a few items and training steps of it now"
            if self.measurable and not self.measured
            else ""
        )
        if self.seconds is None:
            return f"unknown until a first job has been timed{how}"
        without = f", without {', '.join(self.untimed)}, of which nothing has been timed" if self.untimed else ""
        return (
            f"about {duration(self.seconds)}{without}{how if without else ''}{self.measured and f' ({self.measured})'}"
        )


def _cost_lines(cost: Cost) -> Iterator[str]:
    """The estimate in lines; its last line says what it rests on."""
    yield (
        f"  estimate: {_many(cost.trained_tokens)} tokens to train on ({cost.examples:,} examples), {_many(cost.scored_tokens)} to score "
        f"({cost.items:,} items), {cost.flops:.1e} FLOPs"
    )
    yield f"  estimate: {size(round(cost.memory))} of memory for the largest job"
    for device, (least, most) in cost.hours.items() if _takes_a_minute(cost) else ():
        yield f"  estimate: {duration(3600 * least)} to {duration(3600 * most)} on one {device}"
    if cost.detectable:
        effects = ", ".join(f"{what} {value:.1f} pp" for what, value in cost.detectable.items())
        yield f"  smallest change to be seen (probability .8, if a tenth of the answers change): {effects}"
    yield f"  estimates rest on: {cost.about}"


def _forecast_lines(forecast: Forecast) -> Iterator[str]:
    """The most expensive kinds of work and the largest arrays, then what is not in the numbers."""
    total = sum(forecast.flops.values())
    shares = {work: flops / total for work, flops in forecast.flops.items() if flops > total / 100}
    most = ", ".join(f"{work} {share:.0%}" for work, share in [*shares.items()][:_LISTED])
    yield f"  estimate: {total:.1e} FLOPs{f' ({most})' if most else ''}"
    arrays = ", ".join(f"{what} {size(round(count))}" for what, count in [*forecast.arrays.items()][:_LISTED])
    yield f"  estimate: {size(round(forecast.memory))} of memory for a process; the largest arrays: {arrays}"
    if forecast.uncounted:
        yield f"  not in the estimate, as files are not there or sizes not known: {', '.join(forecast.uncounted)}"
    yield f"  estimates rest on: {forecast.about}"


def _takes_a_minute(cost: Cost) -> bool:
    """Whether hours on a large GPU are worth a line: of tiny models nobody asks."""
    return any(60 * most >= 1 for _, most in cost.hours.values())


def _many(count: float) -> str:
    """``3.1 billion``."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if count >= size:
            return f"{count / size:.3g} {word}"
    return f"{count:,.0f}"


def without_inputs(study: Study) -> str:
    """How large a study is of which not all files are there, and what it would take as far as shapes are known."""
    jobs = study.jobs(defaultdict(str))  # ids depend on content, how many there are does not
    treatments = {job.treatment.row for job in jobs if not job.treatment.is_control}
    targets = {cell.target for job in jobs for cell in job.cells}
    count = (
        f"{study.name}: {sum(len(job.cells) for job in jobs):,} results in {len(jobs):,} jobs, of {len(treatments)} treatments on "
        f"{len(targets)} targets; it cannot be planned further before its files are there"
    )
    forecast = study.forecast(jobs) if isinstance(study, Forecasts) else None
    return "\n".join([count, *(_forecast_lines(forecast) if forecast else ())])


def outlook(study: Study, store: Store, settings: Settings, *, measure: bool = False) -> Outlook:
    """Look ahead; reads inputs and the store, writes only the cache of fingerprints.

    With ``measure``, work of which nothing has been timed yet is timed on a small part of it, whose results are not kept.
    """
    manifest = describe_study(study, store)
    todo = plan_study(manifest, store, settings)
    weight = study.adapter_bytes(todo.to_train) if isinstance(study, Trains) else 0
    timings = timings_in(manifest.jobs, store)
    known = [job for job in todo.jobs if are_timed(job, timings)]
    rest = [job for job in todo.jobs if not are_timed(job, timings)]
    seconds = [seconds_of(job, timings) for job in known]
    rates = _measured(study, rest, settings) if measure and rest and isinstance(study, Measurable) else None
    if rates is not None and isinstance(study, Measurable):
        timed = [job for job in rest if rates.know(job)]
        seconds += [rates.seconds(job, amount) for job, amount in zip(timed, study.amounts(timed), strict=True)]
        rest = [job for job in rest if not rates.know(job)]
    untimed = dict.fromkeys(": ".join(work_of(job)) for job in rest)
    return Outlook(
        study.name,
        todo,
        manifest.notes,
        weight,
        sum(seconds) if seconds else None,
        tuple(untimed),
        rates.basis if rates else "",
        isinstance(study, Measurable),
        study.cost(todo.jobs) if isinstance(study, Costed) else None,
        study.forecast(todo.jobs) if isinstance(study, Forecasts) else None,
    )


@dataclass(frozen=True)
class Rates:
    """What a sample took, in seconds: an item of a task of a model; a training run before its first step, and a token of it."""

    items: Mapping[tuple[str, str], float]
    begins: Mapping[str, float]
    tokens: Mapping[str, float]
    lengths: Mapping[str, float]  # tokens an example
    basis: str

    def know(self, job: Job) -> bool:
        model, task = job.treatment.model, job.cells[0].target.task
        return (model, task) in self.items and (job.treatment.kind != "trained" or model in self.tokens)

    def seconds(self, job: Job, amount: Amount) -> float:
        model = job.treatment.model
        evaluating = sum(count * self.items[model, target.task] for target, count in amount.items.items())
        if job.treatment.kind != "trained":
            return evaluating
        tokens = amount.tokens or amount.examples * self.lengths[model]
        return evaluating + self.begins[model] + tokens * self.tokens[model]


def _measured(study: Measurable, jobs: Sequence[Job], settings: Settings) -> Rates | None:
    """Times of a sample, taken in a store of its own; None where no model is on this machine."""
    small = study.sample({job.treatment.model for job in jobs})
    if small is None:
        return None
    records: list[Record] = []
    with tempfile.TemporaryDirectory(prefix="crossgraft-measure-") as folder:
        under_way = Campaign(small, Store(folder), replace(settings, budget=None, only=()))
        for event in under_way:
            if isinstance(event, Failed):
                raise JobFailed(f"--measure: {event.job}: {event.error}")
            if isinstance(event, Recorded):
                records.append(event.record)
        return _rates(records, str(under_way.pairing))


def _rates(records: Sequence[Record], where: str) -> Rates:
    an_item: dict[tuple[str, str], list[float]] = {}
    runs: dict[str, set[tuple[int, float, int]]] = {}  # tokens, seconds and steps of each training run
    for record in records:
        model = record.treatment.model
        an_item.setdefault((model, record.target.task), []).append(record.timings["evaluate"] / len(record.answers))
        if "train" in record.timings:
            facts = record.provenance
            runs.setdefault(model, set()).add((facts["train_tokens"], record.timings["train"], facts["train_steps"]))
    items = {place: median(some) for place, some in an_item.items()}
    begins, tokens, lengths = {}, {}, {}
    for model, some in runs.items():
        (few, brief, _), (many, long, steps) = min(some), max(some)
        tokens[model] = max(0.0, long - brief) / (many - few) or long / many
        begins[model] = max(0.0, long - many * tokens[model])
        lengths[model] = many / steps / _batch(records, model)
    basis = [f"measured just now on {where}: {_each(items.values())} an item"]
    if tokens:
        basis.append(f"{_each([tokens[token] * lengths[token] for token in tokens])} a training example")
    basis.append("loading models is not in it")
    return Rates(items, begins, tokens, lengths, ", ".join(basis))


def _batch(records: Sequence[Record], model: str) -> int:
    """The examples of a training step."""
    return next(
        int(record.provenance["recipe"]["batch"])
        for record in records
        if record.treatment.model == model and "recipe" in record.provenance
    )


def _each(seconds: Iterable[float]) -> str:
    """``12 to 340 ms``."""
    some = sorted(1000 * second for second in seconds)
    ends = dict.fromkeys(f"{one:.2g}" if one < 100 else f"{one:.0f}" for one in (some[0], some[-1]))
    return f"{' to '.join(ends)} ms"


def size(count: int) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count = round(count / 1000)
    return f"{count:,} GB"


@dataclass(frozen=True)
class StudyStatus:
    """How far a study is: results, jobs that processes work on, jobs that failed, and seconds left at the present pace."""

    name: str
    done: int
    total: int
    running: int = 0
    failed: int = 0
    left: float | None = None

    def plain(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "done": self.done,
            "results": self.total,
            "running": self.running,
            "failed": self.failed,
            "seconds_left": self.left,
        }

    def __str__(self) -> str:
        parts = [f"{self.done} of {self.total} results"]
        parts += [f"{self.running} jobs running"] if self.running else []
        parts += [f"{self.failed} jobs failed"] if self.failed else []
        parts += [f"about {duration(self.left)} left at the pace of the last half hour"] if self.left else []
        return f"{self.name}: {', '.join(parts)}"


@dataclass(frozen=True)
class StoreStatus:
    """How far each study is, what failed, what is damaged."""

    root: Path
    studies: tuple[StudyStatus, ...]
    failures: tuple[str, ...]
    damages: tuple[str, ...]
    records: int

    def plain(self) -> dict[str, Any]:
        return {
            "root": str(self.root),
            "records": self.records,
            "studies": [study.plain() for study in self.studies],
            "failures": list(self.failures),
            "damaged": list(self.damages),
        }

    def lines(self) -> Iterator[str]:
        yield f"{self.root}: {self.records} records"
        yield from (f"  {study}" for study in self.studies)
        yield from (f"  failed: {failure}" for failure in self.failures)
        yield from (f"  damaged: {damage}" for damage in self.damages)


def store_status(store: Store) -> StoreStatus:
    done, failures = store.done(), store.failures.read()[0]
    studies = tuple(_study_status(store, store.study(name).jobs, name, done, failures) for name in store.studies())
    damages = [*store.damaged_records(), *store.manifests.read()[1], *store.failures.read()[1]]
    failed = (f"{failure['job']}: {failure['message']}" for failure in failures.values())
    records = sum(len(pairings) for pairings in done.values())
    return StoreStatus(store.root, studies, tuple(failed), tuple(map(str, damages)), records)


def _study_status(
    store: Store, jobs: Sequence[Job], name: str, done: Done, failures: Mapping[str, Mapping[str, Any]]
) -> StudyStatus:
    todo = plan(jobs, done)
    running = store.running(todo.jobs) if todo.missing else 0
    failed = sum(job.treatment_id in failures for job in todo.jobs)
    left = _seconds_left(jobs, todo.missing, store.times()) if running else None
    return StudyStatus(name, todo.total - todo.missing, todo.total, running, failed, left)


def _seconds_left(jobs: Sequence[Job], missing: int, times: Mapping[str, float]) -> float | None:
    """At the pace at which all workers together wrote records of the study in the half hour before the latest one."""
    written = sorted(times[cell.record_id] for job in jobs for cell in job.cells if cell.record_id in times)
    recent = [when for when in written if when > written[-1] - _RECENT]
    if len(recent) < 2 or recent[-1] == recent[0]:
        return None
    return missing * (recent[-1] - recent[0]) / (len(recent) - 1)
