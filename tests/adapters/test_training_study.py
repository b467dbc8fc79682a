"""What a spec can say of training, through whole studies on a tiny real model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from crossgraft.analysis.results import load_findings, load_matrix
from crossgraft.errors import SpecError
from crossgraft.runs.campaign import Settings, describe_study, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study

ONE = Settings(device="cpu", threads=1)


def done(spec: Path, tmp_path: Path, *overrides: str, extra: str = "") -> Store:
    """The study run to its end."""
    if extra:
        spec.write_text(spec.read_text() + extra)
    store = Store(tmp_path / "out")
    summary = run(load_study(spec, ["grid.targets=['intent/en']", *overrides]), store, settings=ONE)
    assert (summary.failed, summary.left) == ([], 0)
    return store


def records(store: Store) -> list[Any]:
    return [record for record in store.read()[0] if not record.treatment.is_control]


def test_a_sham_is_a_treatment_that_belongs_to_no_point(adapter_spec: Path, tmp_path: Path) -> None:
    store = done(adapter_spec, tmp_path, "grid.sham=true", "grid.format_only=true")

    named = {record.treatment.name: record.treatment for record in records(store)}
    assert {name: one.source_variant for name, one in named.items()} == {
        "intent/en": "",
        "intent/en (sham)": "sham",
        "intent/en (format-only)": "format-only",
    }
    assert [name for name, one in named.items() if one.source] == ["intent/en"]


def test_epochs_of_one_run_are_treatments_and_trained_once(adapter_spec: Path, tmp_path: Path) -> None:
    extra = "\n[recipe.axes]\nafter = [1, 2, 0]\n"

    store = done(adapter_spec, tmp_path, "recipe.epochs=3", extra=extra)

    found = records(store)
    assert {dict(record.treatment.recipe)["after"] for record in found} == {0.0, 1.0, 2.0}
    assert (
        len(
            {
                record.provenance["seconds"] if "seconds" in record.provenance else record.timings["train"]
                for record in found
            }
        )
        == 1
    )
    logliks = [record.answers.columns["loglik"].tolist() for record in found]
    assert logliks[0] != logliks[1] != logliks[2]


def test_a_format_trains_on_another_view_of_the_task(adapter_spec: Path, tmp_path: Path) -> None:
    view = """
    [tasks."intent@short"]
    files = "data/{language}.{split}.jsonl"
    languages = ["en", "sw", "no"]
    prompt = "{text}"
    options = "choices"
    answer = "label"
    id = "uid"
    [recipe.axes]
    format = ["as-evaluated", "short"]
    """

    store = done(adapter_spec, tmp_path, extra="\n".join(line.strip() for line in view.splitlines()))

    tokens = {dict(r.treatment.recipe)["format"]: r.provenance["train_tokens"] for r in records(store)}
    assert tokens["short"] < tokens["as-evaluated"]
    assert all(record.treatment.source for record in records(store))


def test_a_format_without_a_view_is_refused(adapter_spec: Path) -> None:
    with pytest.raises(SpecError, match="trains on the view 'intent@letter', which is no task of this study"):
        load_study(adapter_spec, ["recipe.format='letter'"])


def test_a_mixture_and_going_on_from_an_adapter(adapter_spec: Path, tmp_path: Path) -> None:
    store = done(adapter_spec, tmp_path)
    (adapter,) = (path for path in store.artefacts.iterdir() if path.is_dir() and not path.name.startswith("."))
    extra = f"""
[adapters]
first = {{ path = "{adapter}", model = "tiny", trained_on = "intent/en" }}
[sources.on]
points = {{ "intent/sw" = 1 }}
adapter = "first"
[sources.mix]
points = {{ "intent/en" = 2, "intent/sw" = 1 }}
"""

    store = done(adapter_spec, tmp_path, "grid.sources=['on', 'mix']", extra=extra)

    facts = {record.treatment.name: record.provenance for record in records(store)}
    assert facts["mix"]["train_items"] == 18
    assert facts["on"]["losses"][0] != facts["mix"]["losses"][0]
    tokens_of = facts["mix"]["train_tokens_of"]
    assert list(tokens_of) == ["intent/en", "intent/sw"]
    assert sum(tokens_of.values()) == facts["mix"]["train_tokens"]
    assert tokens_of["intent/en"] > tokens_of["intent/sw"]
    cards = [file.read_text("utf-8") for file in store.artefacts.glob("*/README.md")]
    assert any(f"| tokens of intent/sw | {tokens_of['intent/sw']} |" in card for card in cards)


def test_a_whole_model_is_trained_stored_and_evaluated(adapter_spec: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    store = done(adapter_spec, tmp_path, "recipe.method='full'", "grid.base_repeats=2")

    (record,) = records(store)
    assert record.provenance["effect"] > 0
    (folder,) = (path for path in store.artefacts.iterdir() if (path / "config.json").is_file())
    assert AutoModelForCausalLM.from_pretrained(folder).config.vocab_size > 0
    assert "Trained whole" in (folder / "README.md").read_text()


@pytest.mark.parametrize(
    "told",
    [
        ["recipe.gradient_checkpointing=true"],
        ["recipe.validation=0.25", "recipe.epochs=3"],
        ["recipe.protect=['intent/sw']", "recipe.tolerance=100.0"],
        ["recipe.rslora=true", "recipe.init='gaussian'", "recipe.layers=[0]"],
        ["recipe.dora=true"],
        ["recipe.loss_on='all'", "recipe.tokens=500"],
        ["recipe.autocast=true"],
    ],
)
def test_every_way_to_train_leaves_an_adapter_that_moves_the_model(
    adapter_spec: Path, tmp_path: Path, told: list[str]
) -> None:
    (record,) = records(done(adapter_spec, tmp_path, *told))

    assert record.provenance["effect"] > 0
    assert record.provenance["train_threads"] == 1
    assert len(record.provenance["losses"]) == record.provenance["train_steps"]


def test_checkpointing_trains_the_same(adapter_spec: Path, tmp_path: Path) -> None:
    (plain,) = records(done(adapter_spec, tmp_path))

    both = records(done(adapter_spec, tmp_path, "recipe.gradient_checkpointing=true"))

    (other,) = (record for record in both if record.id != plain.id)
    assert other.provenance["losses"] == pytest.approx(plain.provenance["losses"], abs=1e-5)


def test_a_new_key_of_the_recipe_changes_no_old_id(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    plain = describe_study(load_study(adapter_spec), store).jobs
    said = describe_study(load_study(adapter_spec, ["recipe.schedule='linear'", "recipe.dora=false"]), store).jobs
    other = describe_study(load_study(adapter_spec, ["recipe.schedule='cosine'"]), store).jobs

    assert [job.treatment_id for job in plain] == [job.treatment_id for job in said]
    assert plain[-1].treatment_id != other[-1].treatment_id


def test_the_findings_have_the_training_of_every_seed(adapter_spec: Path, tmp_path: Path) -> None:
    store = done(adapter_spec, tmp_path, "seeds=[2, 1]")

    (training,) = load_findings(store).evidence.training
    assert [run.treatment.seed for run in training.runs] == [1, 2]
    assert all(run.steps == len(run.losses) == 3 and run.tokens > (run.counted or 0) > 0 for run in training.runs)


def test_the_card_says_what_an_adapter_is(adapter_spec: Path, tmp_path: Path) -> None:
    store = done(adapter_spec, tmp_path)

    (record,) = records(store)
    card = next(store.artefacts.glob("*/README.md")).read_text("utf-8")
    assert "library_name: peft" in card
    assert f"| seed | {record.treatment.seed} |" in card
    assert '"learning_rate": 0.01' in card
    assert load_matrix(store).cells
