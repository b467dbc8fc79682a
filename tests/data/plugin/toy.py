"""A kind of study of another package: jobs that take a given time, and some that kill their process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from crossgraft.core import Cell, Job, Pairing, Point, Treatment
from crossgraft.identity import content_id
from crossgraft.metrics import scored_record
from crossgraft.study import Fingerprints, Input, Origin, Recorded, Workplace
from crossgraft.testing import coin_flips

LANGUAGES = ("de", "en", "fi", "hi", "sw", "tr")
PAIRING = Pairing("toy", "", 1)


@dataclass(frozen=True)
class Toy:
    name: str
    models: tuple[str, ...] = ("m",)
    count: int = 4  # jobs a model, after its control
    targets: int = 2
    seconds: float = 0.0  # a target
    deadly: tuple[str, ...] = ()
    origin: Origin = field(default=Origin(), metadata={"toml": False})

    def inputs(self) -> Sequence[Input]:
        return ()

    def jobs(self, fingerprints: Fingerprints) -> tuple[Job, ...]:
        return tuple(self._job(model, name) for model in self.models for name in self._names())

    def _names(self) -> tuple[str, ...]:
        return ("base", *(f"a{number}" for number in range(self.count)))

    def _job(self, model: str, name: str) -> Job:
        treatment = Treatment(model, name, "control" if name == "base" else "given")
        cells = (
            Cell(Point("t", LANGUAGES[n]), content_id(t=str(treatment), n=n), content_id(n=n), "all", "accuracy")
            for n in range(self.targets)
        )
        return Job(treatment, content_id(t=str(treatment)), tuple(cells))

    def pairing(self, workplace: Workplace) -> Pairing:
        return PAIRING

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[Toy]:
        yield self

    def run(self, job: Job) -> Iterator[Recorded]:
        for cell in job.cells:
            if self.seconds:
                time.sleep(self.seconds)
            record = scored_record(job, cell, coin_flips(job, cell), PAIRING, timings={"evaluate": self.seconds})
            yield Recorded(job, record)
            if job.treatment.name in self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
