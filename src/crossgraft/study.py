"""What a study is to the rest: its inputs, its jobs, the worker that does them, the events on the way."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from crossgraft.core import Job, Labels, Pairing, Point, Record, Texts
from crossgraft.errors import JobFailed, SpecError


@dataclass(frozen=True, slots=True)
class Started:
    """A job has begun."""

    job: Job


@dataclass(frozen=True, slots=True)
class Progress:
    """Part of a job is done: ``done`` of ``total`` steps of what ``doing`` says."""

    job: Job
    doing: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the reader should know; the job goes on."""

    job: Job
    text: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A target of a job is measured; ``texts`` come along so that its items can be read."""

    job: Job
    record: Record
    texts: Texts | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A job has no targets left."""

    job: Job


@dataclass(frozen=True, slots=True)
class Failed:
    """A job ended without all its results; ``traceback`` is empty for the errors we foresaw."""

    job: Job
    error: JobFailed
    traceback: str = ""


Event = Started | Progress | Remark | Recorded | Finished | Failed


@dataclass(frozen=True, slots=True)
class Input:
    """Something outside the spec that a result depends on; ``role`` says whose it is, for errors.

    A "value" is made by a library and lies in no file; its ``revision`` is its content hash.
    """

    kind: Literal["file", "model", "adapter", "hub", "value"]
    path: str
    role: str = field(compare=False)
    revision: str = ""


Fingerprints = Mapping[Input, str]


def home(text: str) -> str:
    """A path with ``~`` filled in, where that is anyone's folder."""
    return text if "\0" in text else os.path.expanduser(text)


@dataclass(frozen=True)
class Origin:
    """Where a study was read from; kept with its results."""

    folder: Path = Path()
    text: str = ""
    overrides: tuple[str, ...] = ()

    def path(self, text: str) -> str:
        """A path of the spec, relative to the folder of the spec."""
        if "\0" in text:
            raise SpecError(f"expected a path, got {text!r}: no path has a character NUL")
        return str(self.folder / home(text))


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a worker works: the folder for adapters, the device ("auto": the best there is), the threads."""

    artefacts: Path
    device: str = "auto"
    threads: int = 1


class Worker(Protocol):
    """Keeps what is expensive to load (a base model, embedding spaces) while it runs job after job."""

    def run(self, job: Job) -> Iterator[Progress | Remark | Recorded]: ...


class Study(Protocol):
    """A frozen value that knows its jobs (pure, instant) and how to work on them (heavy).

    ``pairing`` says how its numbers would be computed on a bench; ``open`` gives the worker.
    """

    @property
    def name(self) -> str: ...

    @property
    def origin(self) -> Origin: ...

    def inputs(self) -> Sequence[Input]: ...

    def jobs(self, fingerprints: Fingerprints) -> tuple[Job, ...]: ...

    def pairing(self, workplace: Workplace) -> Pairing: ...

    def open(self, workplace: Workplace) -> AbstractContextManager[Worker]: ...


@runtime_checkable
class Trains(Protocol):
    """A study whose jobs leave adapters on disk."""

    def adapter_bytes(self, jobs: Sequence[Job]) -> int | None:
        """What they will weigh; None when that is not known yet."""
        ...


@runtime_checkable
class Fetches(Protocol):
    """A study whose inputs may have to be downloaded before a run."""

    def fetch(self) -> None:
        """Have them on this machine, or raise with one sentence."""
        ...


@runtime_checkable
class Labelled(Protocol):
    """A study that says more of its models and tasks than their names."""

    def labels(self) -> Labels: ...


@dataclass(frozen=True, slots=True)
class Amount:
    """How much work a job is: test items by target, and what its training run reads, in examples or in tokens."""

    items: Mapping[Point, int]
    examples: int = 0
    tokens: int = 0


@runtime_checkable
class Measurable(Protocol):
    """A study of which a part can be timed before its first job."""

    def sample(self, models: Collection[str]) -> Study | None:
        """A small part of the work of these models; None where none of them is on this machine."""
        ...

    def amounts(self, jobs: Sequence[Job]) -> Sequence[Amount]: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimate of what jobs will take, and of the smallest changes they could show; ``about`` says what it rests on."""

    examples: int  # training examples read, all epochs
    items: int  # test items scored
    trained_tokens: float
    scored_tokens: float
    flops: float
    memory: float  # bytes, of the largest job
    hours: Mapping[str, tuple[float, float]]  # by device, from and to
    detectable: Mapping[str, float]  # percentage points
    about: str


@runtime_checkable
class Costed(Protocol):
    """A study that can say before any work about what its jobs will take."""

    def cost(self, jobs: Sequence[Job]) -> Cost | None: ...


@dataclass(frozen=True, slots=True)
class Forecast:
    """What jobs without a language model will take, from shapes: FLOPs by kind of work, and arrays in bytes, the largest first.

    ``memory`` is of one process, with libraries; ``uncounted`` is work of which nothing is known.
    """

    flops: Mapping[str, float]
    arrays: Mapping[str, float]
    memory: float
    uncounted: tuple[str, ...]
    about: str


@runtime_checkable
class Forecasts(Protocol):
    """A study that can say from shapes what its jobs will take, also where some of its files are missing."""

    def forecast(self, jobs: Sequence[Job]) -> Forecast | None: ...


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """One item as the study will see it: labelled lines of text, for ``preview``."""

    point: Point
    item: str
    lines: tuple[tuple[str, str], ...]


@runtime_checkable
class Inspectable(Protocol):
    """A study that can read its inputs ahead of the work."""

    def check(self) -> Sequence[str]:
        """Read every input and raise on the first mistake; return notes on what looks odd."""
        ...

    def preview(self, count: int) -> Iterator[PreviewItem]:
        """The first items of every target."""
        ...

    def smoke(self) -> Study:
        """The same study, cut to one step of training and one item a target."""
        ...
