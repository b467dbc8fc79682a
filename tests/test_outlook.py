"""What a plan says of the time: from work of the same kind, and what nothing is known of."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from crossgraft.campaign import Campaign, Settings
from crossgraft.core import Record
from crossgraft.outlook import outlook
from crossgraft.spec import load_study
from crossgraft.store import Store

SETTINGS = Settings(threads=1)
ONE_PAIR = ["pairs.all=false", 'pairs.use=["de:en"]']


def test_before_anything_was_timed_the_time_is_unknown(embedding_spec: Path, tmp_path: Path) -> None:
    told = outlook(load_study(embedding_spec), Store(tmp_path / "runs"), SETTINGS)

    assert told.seconds is None
    assert "  time: unknown until a first job has been timed" in told.lines()


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
