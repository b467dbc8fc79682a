"""Whatever an adapter changes of its base, the next job of the worker gets the base as it was loaded."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parts import make_choice_files, make_tiny_model, write_spec

torch = pytest.importorskip("torch")

from peft import IA3Config, LoraConfig, PeftConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from crossgraft.adapters.engine.local import LocalEngine, finished
from crossgraft.adapters.engine.selftest import probe_requests
from crossgraft.adapters.weights.lora import merged, saved_adapter
from crossgraft.adapters.weights.peft_folder import is_plain
from crossgraft.adapters.weights.snapshot import changed, checksums, restored, sampled_checksums
from crossgraft.adapters.worker import AdapterWorker
from crossgraft.cli.verify import verify
from crossgraft.core import Record
from crossgraft.errors import DataError
from crossgraft.runs.campaign import run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Failed, Recorded, Remark, Workplace

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*tie_word_embeddings.*:UserWarning")

LORA: dict[str, Any] = {"task_type": "CAUSAL_LM", "r": 2, "target_modules": ["q_proj", "down_proj"]}
KINDS: dict[str, PeftConfig] = {
    "plain": LoraConfig(**LORA),
    "dora": LoraConfig(**LORA, use_dora=True),
    "bias-all": LoraConfig(**LORA, bias="all"),
    "bias-lora": LoraConfig(**LORA, bias="lora_only"),
    "head": LoraConfig(**LORA, modules_to_save=["lm_head", "embed_tokens"]),
    "norm": LoraConfig(**LORA, modules_to_save=["norm"]),
    "replicated": LoraConfig(**LORA, layer_replication=[(0, 2), (0, 2)]),
    "tokens": LoraConfig(**LORA, trainable_token_indices=[5, 6, 7]),
    "ia3": IA3Config(task_type="CAUSAL_LM", target_modules=["q_proj", "down_proj"], feedforward_modules=["down_proj"]),
}
WRITE_INTO_BASE = ("bias-all", "bias-lora", "head", "norm")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("biased") / "model", biases=True)


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folders of adapters by kind, made by PEFT alone; their trained weights are far from the base's."""
    root = tmp_path_factory.mktemp("adapters")

    def made(kind: str, scale: float = 0.5) -> Path:
        folder = root / f"{kind}-{scale}"
        if not folder.exists():
            wrapped = get_peft_model(AutoModelForCausalLM.from_pretrained(base), KINDS[kind])
            rng = torch.Generator().manual_seed(0)
            for weight in (weight for weight in wrapped.parameters() if weight.requires_grad):
                weight.data.add_(scale * torch.randn(weight.shape, generator=rng))
            wrapped.save_pretrained(folder)
        return folder

    return made


@pytest.fixture
def zero(base: Path, tmp_path: Path) -> Path:
    """An adapter that changes nothing: its second matrices are zero."""
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), KINDS["plain"]).save_pretrained(tmp_path / "zero")
    return tmp_path / "zero"


@contextmanager
def applied(model: Any, folder: Path, merge: bool) -> Iterator[None]:
    with saved_adapter(model, folder) as wrapped:
        if not merge:
            yield
            return
        with merged(wrapped):
            yield


@pytest.mark.parametrize("merge", [False, True], ids=["beside", "merged"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_the_base_is_the_same_after_any_adapter(
    base: Path, adapter: Callable[[str], Path], kind: str, merge: bool
) -> None:
    if merge and kind == "replicated":
        pytest.skip("refused; tested below")
    model = AutoModelForCausalLM.from_pretrained(base).eval()
    engine = LocalEngine(model, None)
    weights, modules, probe = checksums(model), [type(module) for module in model.modules()], engine.probe()

    with applied(model, adapter(kind), merge):
        assert engine.probe_difference(probe) > 0.1

    assert not changed(weights, checksums(model))
    assert [type(module) for module in model.modules()] == modules
    assert engine.probe_difference(probe) == 0
    assert not any(weight.requires_grad for weight in model.parameters() if weight.grad is not None)


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_engine_gives_what_peft_gives(base: Path, adapter: Callable[[str], Path], kind: str) -> None:
    from peft import PeftModel

    model = AutoModelForCausalLM.from_pretrained(base).eval()
    with saved_adapter(model, adapter(kind)):
        found = finished(LocalEngine(model, None).score(probe_requests(model))).loglik

    by_peft = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter(kind)).eval()
    request = probe_requests(by_peft)[1]
    for place, option in enumerate(request.options):
        ids = torch.tensor([[*request.context, *option]])
        with torch.no_grad():
            logprobs = by_peft(input_ids=ids).logits[0, len(request.context) - 1 : -1].double().log_softmax(-1)
        expected = float(logprobs.gather(1, ids[0, len(request.context) :, None]).sum())
        assert found[1, place] == pytest.approx(expected, abs=2e-4)


def test_only_loras_own_matrices_count_as_plain(adapter: Callable[[str], Path]) -> None:
    assert is_plain(adapter("plain"))
    assert is_plain(adapter("dora"))
    assert not any(is_plain(adapter(kind)) for kind in WRITE_INTO_BASE)


def test_embeddings_in_the_file_of_an_adapter_do_not_stay(base: Path, adapter: Callable[[str], Path]) -> None:
    model = AutoModelForCausalLM.from_pretrained(base).eval()
    before, folder = checksums(model), adapter("plain", 0.25)  # type: ignore[call-arg]
    file = folder / "adapter_model.safetensors"
    own = {"base_model.model.model.embed_tokens.weight": model.model.embed_tokens.weight.detach() + 1}
    save_file({**load_file(file), **own}, file)

    with saved_adapter(model, folder):
        assert changed(before, checksums(model))

    assert not changed(before, checksums(model))


def test_an_adapter_that_fails_half_way_leaves_the_base_as_it_was(base: Path, adapter: Callable[[str], Path]) -> None:
    model = AutoModelForCausalLM.from_pretrained(base).eval()
    before = checksums(model)

    with pytest.raises(RuntimeError, match="in the middle"), saved_adapter(model, adapter("bias-all")):
        raise RuntimeError("in the middle")

    assert not changed(before, checksums(model))
    assert not hasattr(model, "peft_config")


def test_replicated_layers_cannot_be_merged(base: Path, adapter: Callable[[str], Path]) -> None:
    model = AutoModelForCausalLM.from_pretrained(base)

    with (
        pytest.raises(DataError, match="replicated layers share their weights"),
        applied(model, adapter("replicated"), merge=True),
    ):
        pass


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"layers_to_transform": [0, 99]}, r"layers_to_transform names \[99\]"),
        ({"layers_to_transform": [99]}, "does not fit the model: Target modules"),
        ({"trainable_token_indices": [10**6]}, "does not fit the model: .*out of bounds"),
    ],
)
def test_an_adapter_of_which_a_part_applies_to_nothing_is_refused(
    base: Path, adapter: Callable[[str], Path], tmp_path: Path, edit: dict[str, Any], told: str
) -> None:
    folder = tmp_path / "edited"
    wrapped = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(**LORA, layers_to_transform=[0]))
    wrapped.save_pretrained(folder)
    config = folder / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **edit}))

    with pytest.raises(DataError, match=told), saved_adapter(AutoModelForCausalLM.from_pretrained(base), folder):
        pass


def test_a_weight_for_no_module_is_refused(base: Path, adapter: Callable[[str], Path]) -> None:
    folder = adapter("plain", 0.125)  # type: ignore[call-arg]
    file = folder / "adapter_model.safetensors"
    save_file({**load_file(file), "base_model.model.model.nope.weight": torch.zeros(2)}, file)

    with (
        pytest.raises(DataError, match=r"1 of its weights \(such as base_model.model.model.nope.weight\)"),
        saved_adapter(AutoModelForCausalLM.from_pretrained(base), folder),
    ):
        pass


def test_hooks_set_inside_go_and_those_set_before_can_still_be_removed(base: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(base)
    handle = model.lm_head.register_forward_hook(lambda *_: None)

    with restored(model):
        model.lm_head.register_forward_hook(lambda *_: None)

    assert len(model.lm_head._forward_hooks) == 1
    handle.remove()
    assert not model.lm_head._forward_hooks


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8])
def test_a_checksum_sees_every_single_element(dtype: torch.dtype) -> None:
    layer = torch.nn.Module()
    layer.register_buffer("table", torch.arange(101).to(dtype).reshape(1, 101))
    before = checksums(layer)

    for place in range(101):
        layer.table[0, place] += 1  # type: ignore[index, operator]
        assert changed(before, checksums(layer)) == ("table",)
        layer.table[0, place] -= 1  # type: ignore[index, operator]
    assert not changed(before, checksums(layer))


def test_the_sample_sees_a_tensor_that_is_rewritten() -> None:
    layer = torch.nn.Linear(300, 300)
    before = sampled_checksums(layer)

    torch.nn.init.normal_(layer.weight)

    assert changed(before, sampled_checksums(layer)) == ("weight",)


# the whole way: a study that evaluates them one after the other


def spec(folder: Path, base: Path, given: dict[str, Path], more: str = "") -> Path:
    make_choice_files(folder / "data", languages=("en", "sw"))
    tables = "\n".join(f'{name} = {{ path = "{path}", model = "tiny" }}' for name, path in given.items())
    text = f"""
study = "adapters"
name = "intact"
{more}

[models]
tiny = {{ path = "{base}" }}

[adapters]
{tables}

[tasks.intent]
files = "data/{{language}}.{{split}}.jsonl"
languages = ["en", "sw"]
prompt = "{{text}} Intent:"
options = "choices"
answer = "label"
id = "uid"

[grid]
sources = []
targets = ["intent/*"]
"""
    return write_spec(folder / "study.toml", text)


def outcomes(spec: Path, out: Path) -> dict[str, list[Record]]:
    summary = run(load_study(spec), out)
    assert all("after this job" not in str(failed.error) for failed in summary.failed)
    found: dict[str, list[Record]] = {}
    for record in sorted(Store(out).read()[0], key=lambda record: record.target):
        found.setdefault(record.treatment.name, []).append(record)
    return found


@pytest.mark.parametrize("before", ["bias-all", "bias-lora", "head", "norm", "replicated", "dora", "tokens"])
def test_a_zero_adapter_changes_nothing_whatever_came_before(
    base: Path, adapter: Callable[[str], Path], zero: Path, tmp_path: Path, before: str
) -> None:
    found = outcomes(spec(tmp_path, base, {"first": adapter(before), "zero": zero}), tmp_path / "out")

    for control, treated in zip(found["base"], found["zero"], strict=True):
        assert np.array_equal(control.answers.columns["loglik"], treated.answers.columns["loglik"])
        assert treated.provenance["base_drift"] == treated.provenance["effect"] == 0
    assert all(record.provenance["effect"] > 0.1 for record in found["first"])


def test_a_checkpoint_and_an_adapter_that_fails_leave_the_next_one_alone(
    base: Path, adapter: Callable[[str], Path], zero: Path, tmp_path: Path
) -> None:
    checkpoint, broken = tmp_path / "checkpoint", tmp_path / "broken"
    make_tiny_model(checkpoint, seed=3)
    KINDS["bias-all"].save_pretrained(broken)
    file = adapter("bias-all") / "adapter_model.safetensors"
    save_file(dict(list(load_file(file).items())[:3]), broken / "adapter_model.safetensors")

    given = {"checkpoint": checkpoint, "broken": broken, "zero": zero}
    found = outcomes(spec(tmp_path, base, given), tmp_path / "out")

    assert "broken" not in found
    assert all(record.provenance["effect"] == 0 for record in found["zero"])


def test_merged_adapters_leave_the_next_one_alone(
    base: Path, adapter: Callable[[str], Path], zero: Path, tmp_path: Path
) -> None:
    given = {"first": adapter("bias-all"), "zero": zero}
    found = outcomes(spec(tmp_path, base, given, more="merge = true"), tmp_path / "out")

    assert all(record.provenance["effect"] == 0 for record in found["zero"])


class Leaky(AdapterWorker):
    """A worker of which something escapes the restoring: a weight, or what no weight shows."""

    leak: Callable[[Any], None]

    def _treated(self, base: Any, job: Any) -> Any:
        @contextmanager
        def leaking() -> Iterator[Any]:
            with AdapterWorker._treated(self, base, job) as treated:
                yield treated
            if job.treatment.name == "first":
                type(self).leak(base.model)

        return leaking()


def leaky_run(spec: Path, out: Path, leak: Callable[[Any], None]) -> list[Any]:
    study = load_study(spec)
    worker = type("Leak", (Leaky,), {"leak": staticmethod(leak)})(study, Workplace(out, "cpu", 1))
    (base_job, *jobs) = study.jobs(_fingerprints(study))
    events: list[Any] = list(worker.run(base_job))
    from crossgraft.runs.executors.inline import attempt

    for job in jobs:
        events += attempt(worker, job)
    return events


def effects(events: list[Any], name: str) -> list[float]:
    records = [event.record for event in events if isinstance(event, Recorded)]
    return [record.provenance["effect"] for record in records if record.treatment.name == name]


def _fingerprints(study: Any) -> Any:
    from crossgraft.runs.fingerprints import fingerprint

    return fingerprint(study.inputs())


def test_a_base_that_could_not_be_put_back_is_loaded_anew_and_said(
    base: Path, adapter: Callable[[str], Path], zero: Path, tmp_path: Path
) -> None:
    def shift(model: Any) -> None:
        model.lm_head.weight.data += 1

    events = leaky_run(spec(tmp_path, base, {"first": adapter("plain"), "zero": zero}), tmp_path, shift)

    (remark,) = [event.text for event in events if isinstance(event, Remark) and not event.job.treatment.is_control]
    assert "changed 1 tensors of tiny (such as lm_head.weight); the base is loaded anew" in remark
    assert effects(events, "zero") == [0, 0]


def test_a_base_that_scores_otherwise_though_its_weights_are_the_same_puts_the_job_in_doubt(
    base: Path, adapter: Callable[[str], Path], zero: Path, tmp_path: Path
) -> None:
    def scale(model: Any) -> None:
        model.lm_head.register_forward_hook(lambda _module, _inputs, output: output * 0.5)

    events = leaky_run(spec(tmp_path, base, {"first": adapter("plain"), "zero": zero}), tmp_path, scale)

    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.error.doubtful
    assert failed.job.treatment.name == "first"
    assert effects(events, "zero") == [0, 0]


def test_records_that_an_earlier_version_made_after_a_changing_adapter_are_named(
    base: Path, adapter: Callable[[str], Path], zero: Path, tmp_path: Path
) -> None:
    given = {"before": zero, "biased": adapter("bias-all"), "after": adapter("plain")}
    found = outcomes(spec(tmp_path, base, given), tmp_path / "out")
    store = Store(tmp_path / "out")
    for time, name in enumerate(("base", "before", "biased", "after")):
        for record in found[name]:
            store.take(replace(record, provenance={k: v for k, v in record.provenance.items() if k != "base_drift"}))
            os.utime(store.record_file(record), (time, time))

    (first, second) = [damage for damage in verify(store) if "measured by an earlier version" in damage.reason]

    assert {first.file, second.file} == {store.record_file(record) for record in found["after"]}
    assert "after the adapter 'biased', which changes the base" in first.reason
