"""What a plan says before anything is downloaded: shapes, lengths, FLOPs, memory, hours, the smallest change to be seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmark_rows import ROWS, write_data_set
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.forecast.architectures import KNOWN, architecture
from crossgraft.adapters.forecast.cost import PEAK, cost
from crossgraft.adapters.forecast.lengths import length_tested
from crossgraft.adapters.forecast.power import DISCORDANT, SHARED, smallest
from crossgraft.adapters.study import AdapterStudy
from crossgraft.cli.estimate import outlook
from crossgraft.core import Point
from crossgraft.runs.campaign import Settings, describe_study
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study, parse_study
from crossgraft.study import Origin

EXAMPLES = Path(__file__).parents[2] / "examples"
PUBLISHED = {  # billions of parameters, by the model cards; of gemma-3-4b the part that reads text
    "meta-llama/Llama-3.2-1B-Instruct": 1.24,
    "meta-llama/Llama-3.2-3B-Instruct": 3.21,
    "meta-llama/Llama-3.1-8B-Instruct": 8.03,
    "Qwen/Qwen2.5-0.5B-Instruct": 0.49,
    "Qwen/Qwen2.5-1.5B-Instruct": 1.54,
    "Qwen/Qwen2.5-3B-Instruct": 3.09,
    "Qwen/Qwen2.5-7B-Instruct": 7.61,
    "google/gemma-3-1b-it": 1.00,
    "google/gemma-3-4b-it": 3.88,
}
SPEC = """
study = "adapters"
name = "one"
seeds = [1, 2]
[models]
m = { hub = "Qwen/Qwen2.5-0.5B-Instruct", revision = "7ae557604adf67be50417f59c2c2f167def9a775", dtype = "bfloat16" }
[tasks]
hellaswag = { use = "benchmark:hellaswag", languages = ["de", "en"] }
[grid]
sources = ["hellaswag/*"]
"""


def study(text: str = SPEC, folder: Path = Path()) -> AdapterStudy:
    found = parse_study(text, folder=folder)
    assert isinstance(found, AdapterStudy)
    return found


@pytest.mark.parametrize("hub", PUBLISHED)
def test_shapes_add_up_to_the_published_number_of_parameters(hub: str) -> None:
    assert KNOWN[hub].parameters / 1e9 == pytest.approx(PUBLISHED[hub], rel=0.01)


def test_the_shape_of_a_local_model_is_that_of_its_weights(tiny_model: Path) -> None:
    from safetensors import safe_open

    shape = architecture("m", Model(path=str(tiny_model)), Origin())

    assert shape is not None
    with safe_open(tiny_model / "model.safetensors", "np") as weights:
        sizes = {name: np.prod(weights.get_slice(name).get_shape()) for name in sorted(weights.keys())}
    assert shape.body == sum(size for name, size in sizes.items() if "_proj" in name)
    assert shape.head == sizes["model.embed_tokens.weight"]


@pytest.mark.parametrize("name", ["donors-and-recipients", "donors-matched", "donors-v1", "donors-axes"])
def test_the_papers_specs_are_planned_without_data_or_models(name: str, tmp_path: Path) -> None:
    told = outlook(load_study(EXAMPLES / f"{name}.toml"), Store(tmp_path), Settings())

    models, adapters = {
        "donors-and-recipients": (9, 9 * 44 * 3),
        "donors-matched": (9, 9 * 44 * 3 * 2),
        "donors-v1": (7, 7 * 44 * 3),
        "donors-axes": (1, 32 * 8 * 2 * 3),
    }[name]
    assert len(told.plan.to_train) == adapters
    assert len({job.treatment.model for job in told.plan.jobs}) == models
    assert told.cost is not None
    assert told.adapter_bytes
    assert {len(job.cells) for job in told.plan.jobs} == {44}


def test_training_and_scoring_cost_what_weights_and_tokens_say() -> None:
    one = study()
    jobs = describe_study(one, Store("unused"), check=False).jobs

    found = cost(one, jobs)

    assert found is not None
    shape = KNOWN["Qwen/Qwen2.5-0.5B-Instruct"]
    assert found.examples == 4 * 3 * 300
    assert found.items == 5 * 2 * 400
    scored = 2 * shape.body * found.scored_tokens
    assert found.flops > 4 * shape.body * found.trained_tokens + scored
    assert found.flops < (4 * found.trained_tokens + 2 * found.scored_tokens) * (shape.body + shape.head)
    least, most = found.hours["H200"]
    assert least == pytest.approx(found.flops / PEAK["H200"][0] / 0.5 / 3600)
    assert most == pytest.approx(2.5 * least)


def test_float32_takes_longer_and_full_training_more_memory() -> None:
    base, wide = study(), study(SPEC.replace('dtype = "bfloat16"', 'dtype = "float32"'))
    full = replace(base, recipe=replace(base.recipe, method="full"))
    first, second, third = (
        cost(one, describe_study(one, Store("unused"), check=False).jobs) for one in (base, wide, full)
    )

    assert first
    assert second
    assert third
    assert second.hours["A100"][0] > 10 * first.hours["A100"][0]
    assert third.memory > 2 * first.memory


def test_lengths_are_counted_where_the_data_is_here(tmp_path: Path) -> None:
    write_data_set(tmp_path / "data", "hellaswag", ("de", "en"), {"train": 4, "test": 6})
    here = study(SPEC.replace('languages = ["de", "en"]', 'folder = "data", languages = ["de", "en"]'), tmp_path)

    found = length_tested(here, Point("hellaswag", "de"))

    row = ROWS["hellaswag"](1000)
    assert found.items == 6
    assert found.options == pytest.approx(
        sum(len(f" {one}") for one in ["goes out.", "sits down.", "sings.", "sleeps."]) / 4, abs=0.5
    )
    assert found.prompt == pytest.approx(len(f"Standing: {row['ctx_a']} He") / 4, rel=0.2)


def test_the_smallest_change_is_that_of_simulated_cells() -> None:
    """Items of a task move with a shared part in all cells; the mean of 5 cells on each of 2 tasks."""
    rng = np.random.default_rng(0)
    items, cells, tasks, draws = 400, 5, 2, 4000
    shared = rng.normal(0, np.sqrt(DISCORDANT * SHARED / items), (draws, tasks, 1))
    own = rng.normal(0, np.sqrt(DISCORDANT * (1 - SHARED) / items), (draws, tasks, cells))
    means = 100 * (shared + own).mean(axis=(1, 2))

    half = 1.96 * means.std()
    shown = np.mean(means + smallest([cells] * tasks, items) > half)

    assert shown == pytest.approx(0.8, abs=0.02)


def test_an_unknown_hub_model_has_no_estimate() -> None:
    one = study(SPEC.replace("Qwen/Qwen2.5-0.5B-Instruct", "someone/some-model"))

    assert cost(one, describe_study(one, Store("unused"), check=False).jobs) is None
