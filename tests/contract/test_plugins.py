"""What every plug-in owes its kind, whoever wrote it."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from crossgraft.adapters.tasks import TASKS
from crossgraft.adapters.training.callbacks import CALLBACKS
from crossgraft.core import Answers, Cell, Job, Pairing, Point, Treatment
from crossgraft.embeddings.mapping import MAPPERS, mapper
from crossgraft.embeddings.spaces.space import Space, unit
from crossgraft.embeddings.tasks import TASKS as EMBEDDING_TASKS
from crossgraft.metrics import METRICS
from crossgraft.registry import Registry
from crossgraft.runs.executors import EXECUTORS
from crossgraft.spec import STUDIES
from crossgraft.study import Failed, Finished, Origin, Recorded, Workplace
from crossgraft.testing import Fake, coin_flips
from planted import clouds

REGISTRIES: list[Registry[object]] = [TASKS, CALLBACKS, MAPPERS, EMBEDDING_TASKS, EXECUTORS, METRICS, STUDIES]  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("registry", "name"), [(r, n) for r in REGISTRIES for n in r.names()], ids=lambda x: getattr(x, "kind", x)
)
def test_a_plugin_has_a_description_and_can_be_had(registry: Registry[object], name: str) -> None:
    assert registry.get(name) is not None
    assert dict(registry.describe())[name]


SMALL = {  # settings for 200 words, where those of the authors take minutes or hours
    "c1": {"steps": 10, "negatives": 20},
    "muse": {
        "epochs": 4,
        "samples": 45_000,
        "rate": 0.7,
        "game": {"hidden": 64, "guesses": 1, "batch": 64, "dropout": 0.0, "beta": 0.05},
    },
}


@pytest.mark.parametrize("name", MAPPERS.names())
def test_a_mapper_is_a_frozen_value_that_finds_a_planted_rotation(name: str) -> None:
    rng = np.random.default_rng(0)
    x = clouds(200, 10)
    rotation = np.linalg.qr(rng.normal(size=(10, 10)))[0].astype(np.float32)
    rotation[:, 0] *= np.linalg.det(rotation)  # no reflection, to which no game in small steps finds
    words = tuple(map(str, range(200)))
    source, target = Space(words, x), Space(words, x @ rotation)
    pairs = np.stack([np.arange(100)] * 2, axis=1)
    method = mapper(name, SMALL.get(name))

    known = pairs if method.uses_dictionary else pairs[:0]
    tries = (method.fit(source, target, known, np.random.default_rng(seed)) for seed in range(8))
    mapping = next(one for one in tries if one.facts.get("converged", True))  # by chance one may fail, and says so

    mapped, expected = unit(mapping.map_source(source.vectors)), unit(mapping.map_target(target.vectors))
    nearest = (mapped @ expected.T).argmax(axis=1)
    assert np.mean(nearest == np.arange(200)) > 0.95
    assert method == mapper(name, SMALL.get(name))


def example(kind: str) -> Answers:
    rng = np.random.default_rng(1)
    items = tuple(f"i{n}" for n in range(12))
    if kind == "choice":
        cell = Cell(Point("a", "en"), "r", "t", "all", "accuracy")
        flips = coin_flips(Job(Treatment("m", "x", "given"), "t", (cell,)), cell, items=12)
        classes = {"classes": np.full(12, 2.0), "positive": np.ones(12)}
        return Answers("choice", flips.items, {**flips.columns, **classes, "unconditional": rng.normal(size=(12, 2))})
    if kind == "ranking":
        ranks = rng.integers(1, 30, size=(12, 2)).astype(float)
        ranks[3] = np.nan
        lines = np.where(np.isnan(ranks), np.nan, rng.integers(1, 3, size=(12, 2)))
        ranks[:, 1] += ranks[:, 0]  # two words have two ranks
        return Answers("ranking", items, {"ranks": ranks, "lines": lines, "leaked_source": rng.random(12) < 0.3})
    if kind == "generation":
        words = ["der Himmel ist blau", "42", "", "Gras"] * 3
        right = ["der Himmel ist blau", "42\x1f43", "Wasser", "das Gras"] * 3
        columns = {"answer": words, "references": right, "language": ["de"] * 12}
        return Answers("generation", items, {name: np.array(values, dtype=object) for name, values in columns.items()})
    if kind == "text":
        columns = {"loglik": -rng.uniform(5, 20, size=12), "bytes": rng.integers(20, 60, size=12).astype(float)}
        return Answers("text", items, {**columns, "tokens": np.full(12, 9.0)})
    if kind == "retrieval":
        ranks = rng.permuted(np.arange(1.0, 31.0)[None].repeat(12, axis=0), axis=1)[:, :3]
        ranks[2, 0], ranks[3, 1:] = np.inf, np.nan
        return Answers("retrieval", items, {"ranks": ranks, "gains": np.where(np.isnan(ranks), np.nan, 2.0)})
    raise AssertionError(f"a metric reads {kind!r}: add an example of such answers here")


def permuted(answers: Answers, order: np.ndarray) -> Answers:
    columns = {name: column[order] for name, column in answers.columns.items()}
    return Answers(answers.kind, tuple(answers.items[n] for n in order), columns)


@pytest.mark.parametrize("name", [name for name in METRICS.names() if not name.startswith("test-")])
def test_a_metric_has_a_row_an_item_and_does_not_see_their_order(name: str) -> None:
    metric = METRICS.get(name)
    answers = example(metric.reads)
    order = np.random.default_rng(2).permutation(12)

    rows = metric.statistics(answers)

    assert rows.shape[0] == 12
    assert np.isfinite(rows).all()
    assert metric.score(permuted(answers, order)).value == pytest.approx(metric.score(answers).value)
    if metric.unit == "share":
        assert 0 <= metric.score(answers).value <= 1


class Fakes:
    """A study whose worker answers at once, and fails where it is told to."""

    name = "fakes"
    origin = Origin()

    def inputs(self) -> list[object]:
        return []

    def jobs(self, fingerprints: object) -> tuple[Job, ...]:
        return tuple(
            Job(
                Treatment("m", name, "given"),
                name,
                tuple(Cell(Point("a", code), f"{name}{code}", "t", "all", "accuracy") for code in ("en", "de")),
            )
            for name in ("good", "bad", "better")
        )

    def pairing(self, workplace: Workplace) -> Pairing:
        return Pairing("fake", "", 1)

    def open(self, workplace: Workplace):  # type: ignore[no-untyped-def]
        from contextlib import nullcontext

        return nullcontext(self)

    def run(self, job: Job):  # type: ignore[no-untyped-def]
        for cell in job.cells:
            if job.treatment.name == "bad":
                raise ValueError("broken")
            yield Recorded(job, Fake().record(job, cell))


@pytest.mark.parametrize(
    "name", [*(name for name in EXECUTORS.names() if name not in ("processes", "ray")), "fake"]
)  # its workers read a spec
def test_an_executor_records_every_target_and_a_failure_stops_no_other_job(name: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    executor = Fake(failing=("m: bad",)) if name == "fake" else EXECUTORS.get(name)()
    study = Fakes()

    events = list(executor.run(study, study.jobs({}), Workplace(tmp_path)))  # type: ignore[arg-type]

    recorded = {event.record.id for event in events if isinstance(event, Recorded)}
    assert recorded == {"gooden", "goodde", "betteren", "betterde"}
    assert [str(event.job) for event in events if isinstance(event, Failed)] == ["m: bad"]
    assert {str(event.job) for event in events if isinstance(event, Finished)} == {"m: good", "m: better"}


@pytest.mark.parametrize("name", TASKS.names())
def test_a_kind_of_task_is_a_dataclass_the_spec_can_read(name: str) -> None:
    parameters = inspect.signature(TASKS.get(name)).parameters

    assert "languages" in parameters
    assert "metric" in parameters
