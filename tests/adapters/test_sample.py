"""The part of a study that is timed before its first job, and how much work its jobs are."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossgraft.adapters.study import AdapterStudy
from crossgraft.errors import SpecError
from crossgraft.runs.campaign import describe_study
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study


def study(spec: Path, *overrides: str) -> AdapterStudy:
    found = load_study(spec, overrides)
    assert isinstance(found, AdapterStudy)
    return found


@pytest.mark.parametrize(
    ("recipe", "examples", "tokens"),
    [
        ("recipe.epochs = 3", 36, 0),
        ("recipe.steps = 5", 20, 0),
        ("recipe.examples = 7", 7, 0),
        ("recipe.tokens = 900", 0, 900),
        ("recipe.validation = 0.25", 9, 0),
    ],
)
def test_a_job_is_as_much_work_as_its_recipe_says(
    adapter_spec_without_model: Path, tmp_path: Path, recipe: str, examples: int, tokens: int
) -> None:
    one = study(adapter_spec_without_model, "limit = 5", recipe)
    jobs = describe_study(one, Store(tmp_path)).jobs

    base, trained = one.amounts(jobs)

    assert list(base.items.values()) == list(trained.items.values()) == [5, 5, 5]
    assert (base.examples, trained.examples, trained.tokens) == (0, examples, tokens)


def test_a_sample_is_one_language_of_each_task_and_two_short_runs(adapter_spec_without_model: Path) -> None:
    small = study(adapter_spec_without_model, "grid.base_repeats = 3", "grid.sham = true").sample(["tiny"])

    assert small is not None
    assert [str(target) for target in small.targets] == ["intent/en"]
    assert [axes for axes, _ in small.recipe.variants()] == [(("steps", 1),), (("steps", 4),)]
    assert (small.grid.base_repeats, len(small.training_sources)) == (1, 1)


def test_a_model_that_is_not_on_this_machine_is_not_timed(adapter_spec_without_model: Path) -> None:
    text = adapter_spec_without_model.read_text().replace(
        'path = "model"', f'hub = "owner/name", revision = "{"0" * 40}"'
    )
    adapter_spec_without_model.write_text(text)

    assert study(adapter_spec_without_model).sample(["tiny"]) is None


def test_shams_of_the_sources_that_are_named(adapter_spec_without_model: Path) -> None:
    spec = adapter_spec_without_model
    first = study(spec).training_sources[0].name

    some = study(spec, "grid.sham = true", f'grid.sham_of = ["{first}"]').training_sources

    assert [source.name for source in some if source.variant == "sham"] == [first]
    assert len(some) == len(study(spec).training_sources) + 1


def test_a_pattern_of_shams_that_matches_no_source(adapter_spec_without_model: Path) -> None:
    with pytest.raises(SpecError, match="'nothing/xx' matches no source"):
        _ = study(adapter_spec_without_model, "grid.sham = true", 'grid.sham_of = ["nothing/xx"]').training_sources
