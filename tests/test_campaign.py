"""Runs with the Fake executor over a real spec: what is planned, kept, failed, and left."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from crossgraft.cli.verify import verify
from crossgraft.core import Job
from crossgraft.errors import JobFailed, StoreError
from crossgraft.runs.campaign import Campaign, Settings, describe_study, plan_study, title
from crossgraft.runs.executors.inline import attempt
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Event, Failed, Finished, Recorded, Study, Workplace
from crossgraft.testing import Fake
from parts import LANGUAGES

CPU = Settings(device="cpu")
pytestmark = pytest.mark.usefixtures("torch")


@pytest.fixture
def torch() -> None:
    pytest.importorskip("torch")  # the device of an adapter study is asked of torch


@pytest.fixture
def study(adapter_spec_without_model: Path) -> Study:
    return load_study(adapter_spec_without_model)


def go(study: Study, store: Store, settings: Settings = CPU, executor: Fake | None = None) -> Campaign:
    campaign = Campaign(study, store, settings, executor or fake(study, store))
    for _ in campaign:
        pass
    return campaign


def fake(study: Study, store: Store, failing: tuple[str, ...] = ()) -> Fake:
    return Fake(failing=failing, pairing=Campaign(study, store, CPU).pairing)


def left(study: Study, store: Store) -> int:
    return plan_study(describe_study(study, store), store, CPU).missing


def test_a_run_records_everything_and_the_next_has_nothing_to_do(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")

    first, second = go(study, store), go(study, store)

    assert (first.summary.recorded, first.summary.left) == (2 * len(LANGUAGES), 0)
    assert second.summary.recorded == 0


def test_a_run_that_is_stopped_goes_on_where_it_was(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    events = iter(Campaign(study, store, CPU, fake(study, store)))
    seen: list[Event] = list(itertools.takewhile(lambda event: not isinstance(event, Recorded), events))
    events.close()  # type: ignore[attr-defined]

    assert len(seen) == 1
    assert left(study, store) == 2 * len(LANGUAGES) - 1
    assert go(study, store).summary.left == 0


def test_a_failed_job_leaves_the_others_alone_and_is_not_repeated(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    failing = fake(study, store, failing=("tiny: intent/en seed 1",))

    first = go(study, store, executor=failing)
    second = go(study, store, executor=fake(study, store))

    assert (first.summary.recorded, len(first.summary.failed), first.summary.left) == (3, 1, 3)
    assert (second.summary.recorded, len(second.summary.failed)) == (0, 1)


def test_retry_runs_a_failed_job_again_and_forgets_the_failure(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    go(study, store, executor=fake(study, store, failing=("tiny: intent/en seed 1",)))

    again = go(study, store, Settings(device="cpu", retry=True))

    assert again.summary.left == 0
    assert store.failures.read()[0] == {}


def test_a_budget_ends_the_run_at_a_record(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")

    summary = go(study, store, Settings(device="cpu", budget=0.0)).summary

    assert (summary.recorded, summary.out_of_budget) == (1, True)
    assert summary.left == 2 * len(LANGUAGES) - 1


def test_only_runs_what_matches(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")

    go(study, store, Settings(device="cpu", only=("tiny",)))

    assert left(study, store) == 0


def test_a_job_that_another_run_holds_is_left_to_it(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    job = Campaign(study, store, CPU).plan().jobs[1]

    with store.claim(job):
        summary = go(study, store).summary

    assert (summary.elsewhere, summary.left) == (1, len(LANGUAGES))
    assert go(study, store).summary.left == 0


def test_what_another_run_recorded_meanwhile_is_not_computed_again(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    slow = Campaign(study, store, CPU, fake(study, store))
    assert slow.plan().missing == 2 * len(LANGUAGES)
    go(study, store)

    assert [event for event in slow if isinstance(event, Recorded)] == []


def test_another_language_adds_only_its_own_results(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    spec = adapter_spec_without_model
    text = spec.read_text()
    spec.write_text(text.replace('["en", "sw", "no"]', '["en", "sw"]'))
    go(load_study(spec), store)
    spec.write_text(text)

    todo = plan_study(describe_study(load_study(spec), store), store, CPU)

    assert {str(cell.target) for job in todo.jobs for cell in job.cells} == {"intent/no"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "uid"', 'id = "uid"\nmetric = "accuracy-per-char"'),
        ('name = "tiny"', 'name = "renamed"'),
        ("tiny = {", "other = {"),
        ('family = "llama"', 'family = "lama"'),
        ('id = "uid"', 'id = "uid"\ntranslated = "human"'),
    ],
)
def test_what_does_not_change_a_result_computes_nothing(
    adapter_spec_without_model: Path, tmp_path: Path, old: str, new: str
) -> None:
    store = Store(tmp_path / "out")
    spec = adapter_spec_without_model
    go(load_study(spec), store)
    assert old in spec.read_text()
    spec.write_text(spec.read_text().replace(old, new))

    assert left(load_study(spec), store) == 0


@pytest.mark.parametrize(
    ("old", "new", "results"),
    [
        ("rank = 2", "rank = 3", 3),
        ("seeds = [1]", "seeds = [2]", 3),
        ('targets = ["intent/*"]', 'targets = ["intent/*"]\ntest_items = 5', 6),
        ('targets = ["intent/*"]', 'targets = ["intent/*"]\ntrain_items = 5', 3),
        ("{text} Intent:", "{text} Aim:", 6),
        ('family = "llama"', 'dtype = "bfloat16"', 6),
        ('targets = ["intent/*"]', 'targets = ["intent/*"]\nbase_repeats = 2', 3),
    ],
)
def test_what_changes_a_result_computes_it(
    adapter_spec_without_model: Path, tmp_path: Path, old: str, new: str, results: int
) -> None:
    store = Store(tmp_path / "out")
    spec = adapter_spec_without_model
    go(load_study(spec), store)
    assert old in spec.read_text()
    spec.write_text(spec.read_text().replace(old, new))

    assert left(load_study(spec), store) == results


@pytest.mark.parametrize(
    ("file", "results"), [("model/model.safetensors", 6), ("data/en.train.jsonl", 3), ("data/sw.test.jsonl", 2)]
)
def test_one_byte_of_a_file_computes_what_depends_on_it(
    adapter_spec_without_model: Path, tmp_path: Path, file: str, results: int
) -> None:
    store = Store(tmp_path / "out")
    spec = adapter_spec_without_model
    go(load_study(spec), store)
    with (spec.parent / file).open("a") as stream:
        stream.write("\n")

    assert left(load_study(spec), store) == results


def test_a_moved_folder_computes_nothing(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    go(load_study(adapter_spec_without_model), store)
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("study.toml", "data", "model"):
        (tmp_path / name).rename(moved / name)

    assert left(load_study(moved / "study.toml"), store) == 0


def test_two_studies_share_their_base_and_their_adapters(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    spec = adapter_spec_without_model
    go(load_study(spec), store)
    spec.write_text(
        spec.read_text().replace('sources = ["intent/en"]', 'sources = ["intent/*"]').replace('"tiny"', '"two"', 1)
    )

    assert left(load_study(spec), store) == 2 * len(LANGUAGES)
    assert store.studies() == ("tiny",)


def test_an_overridden_study_is_another_study(adapter_spec_without_model: Path) -> None:
    assert title(load_study(adapter_spec_without_model, ["limit=3"])) == "tiny+limit=3"


def test_an_unforeseen_error_is_tried_again_and_logged(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")

    class Worker:
        def run(self, job: object) -> object:
            raise RuntimeError("out of memory")

    job = Campaign(study, store, CPU).plan().jobs[0]
    (event,) = attempt(Worker(), job)  # type: ignore[arg-type]
    assert isinstance(event, Failed)
    store.failures.add(event)

    assert not event.error.deterministic
    assert "out of memory" in store.failures.log_file(job).read_text("utf-8")
    assert left(study, store) == 2 * len(LANGUAGES)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("I/O error: No space left on device (os error 28)"),  # as safetensors says it
        StoreError("cannot write into the store"),
    ],
)
def test_a_full_disk_ends_the_run_and_not_one_job_after_the_other(
    study: Study, tmp_path: Path, error: Exception
) -> None:
    class Worker:
        def run(self, job: object) -> object:
            raise error

    job = Campaign(study, Store(tmp_path / "out"), CPU).plan().jobs[0]

    with pytest.raises(StoreError, match="No space left on device.*; make room|cannot write"):
        list(attempt(Worker(), job))  # type: ignore[arg-type]


class Doubted:
    """An executor whose jobs record everything, and then find that their base was not what it should have been."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake

    def run(self, study: Study, jobs: Iterable[Job], workplace: Workplace) -> Iterator[Event]:
        for event in self.fake.run(study, jobs, workplace):
            if isinstance(event, Finished) and not event.job.treatment.is_control:
                yield Failed(event.job, JobFailed("the base changed", doubtful=True))
            else:
                yield event


def test_what_a_doubtful_job_recorded_is_set_aside_named_and_made_anew(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    for _ in Campaign(study, store, CPU, Doubted(fake(study, store))):
        pass

    assert {record.treatment.kind for record in store.read()[0]} == {"control"}
    assert left(study, store) == len(LANGUAGES)
    assert sum("set aside" in damage.reason for damage in verify(store)) == len(LANGUAGES)
    assert go(study, store).summary.recorded == len(LANGUAGES)
    assert not store.failures.read()[0]
