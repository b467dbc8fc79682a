"""What a plan says of the time: from work of the same kind, and what nothing is known of."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from crossgraft.cli.estimate import Rates, outlook
from crossgraft.core import Cell, Job, Point, Record, Treatment
from crossgraft.runs.campaign import Campaign, Settings
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Amount

SETTINGS = Settings(threads=1)
ONE_PAIR = ["pairs.all=false", 'pairs.use=["de:en"]']


def test_before_anything_was_timed_the_time_is_unknown(embedding_spec: Path, tmp_path: Path) -> None:
    told = outlook(load_study(embedding_spec), Store(tmp_path / "runs"), SETTINGS)

    assert told.seconds is None
    assert "  time: unknown until a first job has been timed" in told.lines()


def test_a_part_of_a_study_of_adapters_is_timed_when_asked_and_not_kept(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    study = load_study(adapter_spec)

    (asked,) = [line for line in outlook(study, store, SETTINGS).lines() if "time:" in line]
    told = outlook(study, store, Settings(threads=1, device="cpu"), measure=True)

    assert asked.endswith(
        "unknown until a first job has been timed; --measure times a few items and training steps of it now"
    )
    assert told.seconds is not None
    assert told.seconds > 0
    assert told.untimed == ()
    assert "measured just now on cpu, sdpa attention, 1 thread" in told.measured
    assert "a training example" in told.measured
    assert store.done() == {}


def test_what_has_been_timed_is_not_measured_again(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    list(Campaign(load_study(adapter_spec, ["limit=3"]), store, Settings(threads=1, device="cpu")))

    told = outlook(load_study(adapter_spec, ["limit=3", "grid.base_repeats=2"]), store, SETTINGS, measure=True)

    assert told.seconds is not None
    assert told.measured == ""


def test_the_time_of_a_job_grows_with_its_items_and_examples() -> None:
    rates = Rates({("m", "a"): 0.5}, {"m": 2.0}, {"m": 0.01}, {"m": 20.0}, "")
    job = Job(Treatment("m", "a/en", "trained"), "t", (Cell(Point("a", "de"), "r", "x", "all", "accuracy"),))

    assert rates.seconds(job, Amount({Point("a", "de"): 10}, examples=30)) == 10 * 0.5 + 2 + 30 * 20 * 0.01
    assert rates.seconds(job, Amount({Point("a", "de"): 10}, tokens=100)) == 10 * 0.5 + 2 + 100 * 0.01


def test_the_time_is_that_of_the_same_method_and_none_is_made_up(embedding_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    list(Campaign(load_study(embedding_spec, ONE_PAIR), store, SETTINGS))

    told = outlook(load_study(embedding_spec, ['methods.use=["procrustes", "cca"]']), store, SETTINGS)

    def typical(name: str, *steps: str) -> float:
        found: list[Record] = [one for one in store.read()[0] if one.treatment.name == name]
        return sum(median(one.timings[step] for one in found) for step in steps)

    two_pairs_two_sizes = 2 * (typical("unmapped", "evaluate") + 2 * typical("procrustes", "fit", "evaluate"))
    assert told.seconds is not None
    assert abs(told.seconds - two_pairs_two_sizes) < 1e-9
    assert told.untimed == ("vectors: cca",)
    assert any(line.endswith("without vectors: cca, of which nothing has been timed") for line in told.lines())
