"""Scales and merges in a spec: what they add to a study, and what they are refused for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossgraft.core import Job
from crossgraft.errors import SpecError
from crossgraft.runs.campaign import Settings, describe_study, run
from crossgraft.runs.plan import ordered
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Progress

MERGE = '\n[merges]\nboth = { sources = ["intent/en", "intent/sw"], weights = [0.5, 0.5] }\n'
TWO = 'grid.sources=["intent/en", "intent/sw"]'


def jobs(spec: Path, tmp_path: Path, *overrides: str, extra: str = "") -> tuple[Job, ...]:
    if extra:
        spec.write_text(spec.read_text() + extra)
    return describe_study(load_study(spec, overrides), Store(tmp_path / "runs"), check=False).jobs


def derived(found: tuple[Job, ...]) -> list[Job]:
    return [job for job in found if job.treatment.kind == "derived"]


def test_scales_add_treatments_and_change_no_other_id(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    plain = jobs(adapter_spec_without_model, tmp_path)
    scaled = jobs(adapter_spec_without_model, tmp_path, "grid.scales=[0.25, 0.5]")

    ids = [job.treatment_id for job in plain]
    assert [job.treatment_id for job in scaled if job.treatment.kind != "derived"] == ids
    trained = [job for job in plain if job.treatment.kind == "trained"]
    assert len(derived(scaled)) == 2 * len(trained)
    assert len({job.treatment_id for job in scaled}) == len(scaled)


def test_a_scaled_adapter_names_the_run_that_it_shares(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    found = jobs(adapter_spec_without_model, tmp_path, "grid.scales=[0.5]")

    runs = {job.run_id for job in found if job.treatment.kind == "trained"}
    assert {job.run_id for job in derived(found)} == runs
    assert {job.treatment.label for job in derived(found)} == {"intent/en (scale 0.5)"}


def test_a_merge_is_made_of_the_adapters_of_its_seed(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    found = derived(jobs(adapter_spec_without_model, tmp_path, TWO, "seeds=[1, 2]", extra=MERGE))

    assert [job.treatment.seed for job in found] == [1, 2]
    for job in found:
        assert [member.job.treatment.seed for member in job.members] == [job.treatment.seed] * 2
        assert [member.weight for member in job.members] == [0.5, 0.5]


def test_either_order_of_a_merge_is_the_same_treatment(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    turned = 'turned = { sources = ["intent/sw", "intent/en"] }\n'

    first, second = derived(jobs(adapter_spec_without_model, tmp_path, TWO, extra=MERGE + turned))

    assert first.treatment_id == second.treatment_id


def test_merges_come_after_their_members(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    found = jobs(adapter_spec_without_model, tmp_path, TWO, extra=MERGE)

    names = [job.treatment.name for job in ordered(found)]

    assert names == ["base", "intent/en", "intent/sw", "both"]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("grid.scales=[1.0]", "other than 1"),
        ("grid.scales=[-0.5]", "scales above 0"),
        ("grid.scales=[0.5, 0.5]", "different scales"),
        (
            'merges.both={sources=["intent/en", "intent/no"]}',
            "'intent/no' is neither a source that this grid trains on",
        ),
        ('merges.both={sources=["intent/en"], weights=[1.0, 2.0]}', "one weight for each of the 1 sources; got 2"),
        ('merges.both={sources=["intent/en"], weights=[0.0]}', "weights other than 0"),
        ('merges.both={sources=["intent/en", "intent/en"]}', "different sources"),
        ('merges."intent/en"={sources=["intent/en"]}', "give the merge another"),
    ],
)
def test_what_cannot_be_is_refused(adapter_spec_without_model: Path, override: str, sentence: str) -> None:
    key, _, value = override.partition("=")
    spec = adapter_spec_without_model
    if key.startswith("merges"):
        spec.write_text(f"{spec.read_text()}\n[merges]\n{key.partition('.')[2]} = {value}\n")
    with pytest.raises(SpecError, match=sentence.replace("[", r"\[")):
        load_study(spec, [] if key.startswith("merges") else [override])


@pytest.mark.parametrize("override", ['grid.keep_adapters="never"', 'recipe.method="full"', "recipe.dora=true"])
def test_scales_need_plain_adapters_that_are_kept(adapter_spec_without_model: Path, override: str) -> None:
    with pytest.raises(SpecError, match="scaled"):
        load_study(adapter_spec_without_model, ["grid.scales=[0.5]", override])


def logliks(store: Store) -> dict[str, Any]:
    return {f"{record.treatment.label} {record.target}": record.answers.columns["loglik"] for record in store.read()[0]}


def done(spec: Path, tmp_path: Path, *overrides: str, only: tuple[str, ...] = ()) -> Store:
    store = Store(tmp_path / "out")
    settings = Settings(device="cpu", threads=1, only=only)
    summary = run(
        load_study(spec, ["grid.targets=['intent/en']", "recipe.learning_rate=0.01", *overrides]),
        store,
        settings=settings,
    )
    assert summary.failed == []
    return store


def test_scaled_adapters_lie_between_base_and_adapter(adapter_spec: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")

    found = logliks(done(adapter_spec, tmp_path, "grid.scales=[0.001, 0.999]"))

    base, whole = found["base intent/en"], found["intent/en intent/en"]
    low, high = found["intent/en (scale 0.001) intent/en"], found["intent/en (scale 0.999) intent/en"]
    assert np.nanmax(np.abs(low - base)) < np.nanmax(np.abs(low - whole)) / 100
    assert np.nanmax(np.abs(high - whole)) < np.nanmax(np.abs(high - base)) / 100


def test_a_merge_trains_the_members_that_it_lacks(adapter_spec: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    adapter_spec.write_text(adapter_spec.read_text() + MERGE)

    store = done(adapter_spec, tmp_path, TWO, only=("both",))

    assert {record.treatment.name for record in store.read()[0]} == {"base", "both"}
    assert len([folder for folder in store.artefacts.iterdir() if not folder.name.startswith(".")]) == 2


def test_a_merge_of_one_is_its_member_in_a_study(adapter_spec: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    adapter_spec.write_text(adapter_spec.read_text() + '\n[merges]\nsame = { sources = ["intent/en"] }\n')

    found = logliks(done(adapter_spec, tmp_path))

    assert np.array_equal(found["same intent/en"], found["intent/en intent/en"], equal_nan=True)


def test_a_smoke_run_takes_scales_along(adapter_spec: Path) -> None:
    study = load_study(adapter_spec, [TWO, "grid.scales=[0.5]", 'grid.scaled=["intent/sw"]'])

    assert study.smoke().grid.scales == (0.5,)  # type: ignore[attr-defined]


def test_a_run_that_failed_is_not_tried_again_for_what_is_made_of_it(adapter_spec: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    store = Store(tmp_path / "out")
    study = load_study(adapter_spec, ["recipe.learning_rate=1e30", "recipe.clip=0", "grid.scales=[0.25, 0.5]"])
    events: list[object] = []

    run(study, store, settings=Settings(device="cpu", threads=1), watch=events.append)

    trained = [event for event in events if isinstance(event, Progress) and event.doing.startswith("training")]
    assert {event.job.treatment.kind for event in trained} <= {"trained"}
    assert len(store.failures.read()[0]) == 3


def _failures(store: Store) -> Iterator[str]:
    return (str(failure["message"]) for failure in store.failures.read()[0].values())


def test_a_merge_whose_member_fails_says_so_in_a_sentence(adapter_spec: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    adapter_spec.write_text(adapter_spec.read_text() + MERGE)
    store = Store(tmp_path / "out")

    run(
        load_study(adapter_spec, ["recipe.learning_rate=1e30", TWO, "recipe.clip=0"]),
        store,
        settings=Settings(device="cpu", threads=1),
    )

    assert any("which it is made of, cannot be trained" in message for message in _failures(store))
