"""How long a run says that it will take, by a clock of our own."""

from __future__ import annotations

import pytest

from crossgraft.cli.progress import Pace
from crossgraft.core import Cell, Job, Point, Treatment
from crossgraft.errors import JobFailed
from crossgraft.study import Failed, Recorded, Started
from crossgraft.testing import Fake


class Clock:
    def __init__(self) -> None:
        self.now = 500.0  # of reading, before the first job

    def __call__(self) -> float:
        return self.now


def job(name: str, kind: str = "mapping", pair: str = "de:en", cells: int = 1) -> Job:
    targets = (Cell(Point(f"bli{n}", pair), f"{name}{pair}{n}", "t", "all", "MAP") for n in range(cells))
    return Job(Treatment("vectors", name, kind), f"{name}{pair}", tuple(targets))  # type: ignore[arg-type]


def run(pace: Pace, clock: Clock, job: Job, seconds: float, cells: int | None = None) -> None:
    pace.see(Started(job))
    for cell in job.cells[:cells]:
        clock.now += seconds
        pace.see(Recorded(job, Fake().record(job, cell)))


def test_the_first_control_is_no_guide_to_the_methods() -> None:
    clock, control, other = Clock(), job("unmapped", "control"), job("unmapped", "control", "fi:fr")
    methods = [job(name, pair=pair) for pair in ("de:en", "fi:fr") for name in ("a", "b")]
    pace = Pace([control, *methods[:2], other, *methods[2:]], clock)

    run(pace, clock, control, 60)
    assert pace.left() is None
    run(pace, clock, methods[0], 2)

    assert pace.left() == pytest.approx(60 + 3 * 2)


def test_a_method_takes_what_it_took_before() -> None:
    clock = Clock()
    jobs = [job(name, pair=pair) for pair in ("de:en", "fi:fr") for name in ("quick", "slow")]
    pace = Pace(jobs, clock)

    run(pace, clock, jobs[0], 1)
    run(pace, clock, jobs[1], 100)

    assert pace.left() == pytest.approx(101)
    assert (pace.done, pace.total) == (2, 4)


def test_what_failed_is_not_waited_for() -> None:
    clock, first, broken, last = Clock(), job("a"), job("b", cells=3), job("c")
    pace = Pace([first, broken, last], clock)

    run(pace, clock, first, 4)
    run(pace, clock, broken, 4, cells=1)
    pace.see(Failed(broken, JobFailed("no")))

    assert pace.left() == pytest.approx(4)


def test_controls_are_a_guide_to_controls() -> None:
    clock, jobs = Clock(), [job("unmapped", "control", pair) for pair in ("de:en", "fi:fr", "en:it")]
    pace = Pace(jobs, clock)

    run(pace, clock, jobs[0], 3)

    assert pace.left() == pytest.approx(6)
