"""Whole adapter studies on a tiny real model: trained, given, zero, resumed."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parts import make_tiny_model

torch = pytest.importorskip("torch")

from crossgraft.adapters.items.selection import items_to_test
from crossgraft.analysis.results import flips, load_findings, load_matrix
from crossgraft.errors import DataError, SpecError
from crossgraft.runs.campaign import Campaign, Settings, describe_study, plan_study, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Failed, Recorded

ONE = Settings(device="cpu", threads=1)


def outcomes(store: Store) -> dict[tuple[str, str], Any]:
    return {(record.id, record.pairing.id): record.answers for record in store.read()[0]}


def test_an_adapter_changes_answers_and_the_base_stays_itself(
    adapter_spec: Path, tiny_model: Path, tmp_path: Path
) -> None:
    adapter_spec.write_text(adapter_spec.read_text().replace("epochs = 1", "epochs = 8") + "\n")
    store = Store(tmp_path / "out")

    summary = run(load_study(adapter_spec, ["grid.base_repeats=2"]), store, settings=ONE)

    matrix = load_matrix(store)
    assert (summary.failed, summary.left) == ([], 0)
    assert {cell.change.n for cell in matrix.cells.values()} == {12}
    assert [check.change.mean for check in matrix.control_checks] == [0.0, 0.0, 0.0]
    record = next(record for record in store.read()[0] if record.treatment.kind == "trained")
    assert record.provenance["train_items"] == 12
    assert record.provenance["recipe"]["rank"] == 2
    assert set(record.timings) == {"train", "evaluate"}
    assert_loads_with_plain_peft(store.artefacts / record.treatment_id, tiny_model)


def assert_loads_with_plain_peft(folder: Path, model: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with pytest.warns(FutureWarning):
        wrapped = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model), str(folder))
    assert any(bool(value.abs().sum() > 0) for name, value in wrapped.named_parameters() if "lora_B" in name)


def test_a_zero_adapter_changes_exactly_nothing(adapter_spec: Path, tiny_model: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with pytest.warns(FutureWarning):  # noqa: PT031 - PEFT's own
        base = AutoModelForCausalLM.from_pretrained(tiny_model)
        config = LoraConfig(r=3, lora_alpha=9, target_modules="all-linear", task_type="CAUSAL_LM")
        get_peft_model(base, config).save_pretrained(tmp_path / "zero")  # PEFT starts with B = 0
    spec = (
        adapter_spec.read_text() + '\n[adapters]\nzero = { path = "zero", model = "tiny", trained_on = "intent/en" }\n'
    )
    adapter_spec.write_text(spec.replace('sources = ["intent/en"]', ""))
    store = Store(tmp_path / "out")

    run(load_study(adapter_spec), store, settings=ONE)

    controls = {r.target: r.answers for r in store.read()[0] if r.treatment.is_control}
    treated = {r.target: r.answers for r in store.read()[0] if not r.treatment.is_control}
    assert len(treated) == 3
    assert all(
        np.array_equal(controls[t].columns["loglik"], treated[t].columns["loglik"], equal_nan=True) for t in treated
    )
    assert set(load_matrix(store).change.flatten().tolist()) == {0.0}


def test_a_checkpoint_is_a_treatment_like_an_adapter(adapter_spec: Path, tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "checkpoint", seed=1)
    spec = adapter_spec.read_text() + '\n[adapters]\nmerged = { path = "checkpoint", model = "tiny" }\n'
    adapter_spec.write_text(spec.replace('sources = ["intent/en"]', ""))
    store = Store(tmp_path / "out")

    summary = run(load_study(adapter_spec), store, settings=ONE)

    assert summary.failed == []
    assert np.abs(load_matrix(store).change).sum() > 0
    record = next(record for record in store.read()[0] if record.treatment.kind == "given")
    assert list(flips(store, record))[0].lines[0][0] == "prompt"


def test_a_resumed_job_evaluates_the_adapter_it_trained(adapter_spec: Path, tmp_path: Path) -> None:
    study = load_study(adapter_spec)
    whole, parts = Store(tmp_path / "whole"), Store(tmp_path / "parts")
    run(study, whole, settings=ONE)

    for stop_after in (4, 1, 10):  # the base and the first target of the adapter, then one, then the rest
        events = iter(Campaign(study, parts, ONE))
        recorded = (event for event in events if isinstance(event, Recorded))
        list(itertools.islice(recorded, stop_after))
        events.close()  # type: ignore[attr-defined]

    assert outcomes(parts) == outcomes(whole)
    trained = [record for record in parts.read()[0] if record.treatment.kind == "trained"]
    assert {record.provenance["train_steps"] for record in trained} == {3}  # also of targets a later run evaluated


def test_adapters_that_are_not_kept_are_removed_when_all_targets_are_done(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")

    run(load_study(adapter_spec, ['grid.keep_adapters="never"']), store, settings=ONE)

    assert list(store.artefacts.iterdir()) == []
    assert plan_study(describe_study(load_study(adapter_spec), store), store, ONE).missing == 0


def test_a_harmless_prompt_variant_of_the_base_is_measured(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")

    run(load_study(adapter_spec, ['grid.base_variants=["Please: {prompt}"]']), store, settings=ONE)

    checks = load_matrix(store).control_checks
    assert {check.variant for check in checks} == {"prompt 'Please: {prompt}'"}
    assert (
        store.texts(next(r for r in store.read()[0] if r.treatment.variant).texts_id)
        .columns["prompt"][0]
        .startswith("Please: ")
    )  # type: ignore[union-attr]


def test_diverging_training_ends_its_job_and_not_the_study(adapter_spec: Path, tmp_path: Path) -> None:
    adapter_spec.write_text(adapter_spec.read_text() + "\n[recipe.axes]\nlearning_rate = [1e-3, 1e30]\n")
    store = Store(tmp_path / "out")
    study = load_study(adapter_spec, ["recipe.clip=0", "recipe.warmup=0"])

    events = list(Campaign(study, store, ONE))

    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert "diverged" in str(failed.error)
    assert failed.error.deterministic
    assert sum(isinstance(event, Recorded) for event in events) == 6


def test_shots_are_the_same_items_in_every_language_and_never_tested(adapter_spec: Path) -> None:
    study = load_study(adapter_spec, ["grid.shots=2", "grid.targets=['intent/*']"])

    shown = {target.lang: items_to_test(study, target) for target in study.targets}

    prompts = {lang: items[0].shots for lang, items in shown.items()}
    assert all(item.shots == prompts[lang] for lang, items in shown.items() for item in items)
    numbers = {lang: [prompt.split()[1] for prompt, _ in shots] for lang, shots in prompts.items()}
    assert len({tuple(chosen) for chosen in numbers.values()}) == 1
    assert len(prompts["en"]) == 2


def test_shots_change_what_is_measured_but_not_what_is_trained(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    plain = describe_study(load_study(adapter_spec), store).jobs
    with_shots = describe_study(load_study(adapter_spec, ["grid.shots=2"]), store).jobs
    other_seed = describe_study(load_study(adapter_spec, ["grid.shots=2", "grid.shots_seed=1"]), store).jobs

    def records(jobs: Any) -> set[str]:
        return {cell.record_id for job in jobs for cell in job.cells}

    assert [job.treatment_id for job in plain] == [job.treatment_id for job in with_shots]
    assert not records(plain) & records(with_shots)
    assert not records(with_shots) & records(other_seed)


def test_the_base_with_shots_is_a_second_control(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")

    run(load_study(adapter_spec, ["grid.base_shots=[1, 3]"]), store, settings=ONE)

    checks = load_matrix(store).control_checks
    assert {check.variant for check in checks} == {"1 shot", "3 shots"}
    assert len(checks) == 6


def test_more_shots_than_items_are_refused_before_anything_runs(adapter_spec: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="13 shots, but only 12 items in the train split"):
        describe_study(load_study(adapter_spec, ["grid.shots=13"]), Store(tmp_path / "out"))


def test_merging_gives_nearly_the_same_and_is_recorded(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    run(load_study(adapter_spec), store, settings=ONE)

    run(load_study(adapter_spec, ["merge=true"]), store, settings=ONE)

    apart, together = (
        {r.target: r.answers.columns["loglik"] for r in store.read()[0] if r.provenance.get("merged") is merged}
        for merged in (False, True)
    )
    assert apart.keys() == together.keys()
    assert all(np.allclose(apart[t], together[t], atol=1e-3) for t in apart)


def test_merging_into_half_precision_is_refused(adapter_spec: Path) -> None:
    with pytest.raises(SpecError, match="merge = true needs float32 weights"):
        load_study(adapter_spec, ["merge=true", "models.tiny.dtype='bfloat16'"])


def test_a_chat_model_is_another_base(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    plain = describe_study(load_study(adapter_spec), store).jobs
    chat = describe_study(load_study(adapter_spec, ["models.tiny.chat=true"]), store).jobs

    assert not {job.treatment_id for job in plain} & {job.treatment_id for job in chat}


def test_every_record_says_what_was_read_and_how_sure_it_is(adapter_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")

    run(load_study(adapter_spec), store, settings=ONE)

    findings = load_findings(store)
    checks = {check.name: check for check in findings.evidence.checks}
    assert checks["same tokens"].saw == "3 item sets, each read as the same tokens by all"
    assert checks["adapters applied"].fine
    assert "scored by packed" in checks["scoring"].saw
