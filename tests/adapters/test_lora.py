from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parts import result

torch = pytest.importorskip("torch")

from crossgraft.adapters.bases.loading import load_model
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.training.loop import Seeds, Task, Trained
from crossgraft.adapters.training.loop import train as training
from crossgraft.adapters.training.loss import Example
from crossgraft.adapters.weights.lora import fresh_adapter, save, saved_adapter, trainable
from crossgraft.errors import DataError, JobFailed
from crossgraft.study import Origin

RECIPE = Recipe(rank=2, alpha=4, learning_rate=1e-2, epochs=2, batch=4, dropout=0.1)
DATA = [Example(tuple(range(5 + n, 12 + n)), 4) for n in range(10)]


def train(wrapped: Any, data: list[Example], recipe: Recipe, seed: int) -> Generator[object, None, Trained]:
    return training(wrapped, trainable(wrapped), Task(data), recipe, Seeds.of(recipe, seed))


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Any:
    return load_model("tiny", Model(path=str(tiny_model)), Origin(), "sdpa", torch.device("cpu"))


def weights(model: Any, recipe: Recipe = RECIPE, seed: int = 1) -> dict[str, Any]:
    with fresh_adapter(model, recipe, seed) as wrapped:
        result(train(wrapped, DATA, recipe, seed))
        return {name: value.detach().clone() for name, value in wrapped.named_parameters() if "lora" in name}


def test_the_same_seed_gives_the_same_adapter_to_the_last_bit(model: Any) -> None:
    first, again = weights(model), weights(model)

    assert all(torch.equal(first[name], again[name]) for name in first)


def test_another_seed_gives_another_adapter(model: Any) -> None:
    first, other = weights(model, seed=1), weights(model, seed=2)

    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_training_leaves_the_base_and_the_global_generator_alone(model: Any) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()

    weights(model)

    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(state, torch.get_rng_state())


def test_the_loss_falls(model: Any) -> None:
    recipe = replace(RECIPE, epochs=20)

    with fresh_adapter(model, recipe, 1) as wrapped:
        told = result(train(wrapped, DATA, recipe, 1))

    assert told.curve.losses[-1] < told.curve.losses[0] / 2
    assert told.steps == 20 * 3


def test_steps_of_training_agree_with_plain_adamw(model: Any) -> None:
    """One full batch, no warm-up: the first step is AdamW's, on the mean loss of the answer's tokens."""
    recipe = replace(RECIPE, dropout=0.0, batch=len(DATA), steps=2, warmup=0.0, clip=0.0)
    with fresh_adapter(model, recipe, 3) as wrapped:
        told = result(train(wrapped, DATA, recipe, 3))

    with fresh_adapter(model, recipe, 3) as wrapped:
        chosen = [value for value in wrapped.parameters() if value.requires_grad]
        optimizer = torch.optim.AdamW(chosen, lr=recipe.learning_rate, weight_decay=0.0)
        ids = torch.tensor([example.ids for example in DATA])
        labels = ids.clone()
        labels[:, :4] = -100
        losses = []
        for _ in range(2):
            loss = wrapped(input_ids=ids, labels=labels).loss
            losses.append(float(loss.detach()))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    assert told.curve.losses == pytest.approx(losses, abs=1e-5)


def test_a_saved_adapter_computes_what_the_trained_one_did(model: Any, tmp_path: Path) -> None:
    ids = torch.tensor([DATA[0].ids])
    with fresh_adapter(model, RECIPE, 1) as wrapped:
        result(train(wrapped, DATA, RECIPE, 1))
        save(wrapped.save_pretrained, tmp_path / "adapter", {"steps": 1})
        trained = wrapped(input_ids=ids).logits.detach()

    with saved_adapter(model, tmp_path / "adapter") as wrapped, torch.no_grad():
        read = wrapped(input_ids=ids).logits

    assert torch.equal(trained, read)
    assert sorted(file.name for file in (tmp_path / "adapter").iterdir()) == [
        ".checksums.json",
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "training.json",
    ]


def test_saving_over_an_adapter_that_is_there_keeps_it(model: Any, tmp_path: Path) -> None:
    for _ in range(2):
        with fresh_adapter(model, RECIPE, 1) as wrapped:
            save(wrapped.save_pretrained, tmp_path / "adapter", {"steps": 1})

    assert [file.name for file in tmp_path.iterdir()] == ["adapter"]


def test_a_learning_rate_that_diverges_ends_the_job(model: Any) -> None:
    recipe = replace(RECIPE, learning_rate=1e30, warmup=0.0, clip=0.0)

    with fresh_adapter(model, recipe, 1) as wrapped, pytest.raises(JobFailed, match="diverged") as caught:
        result(train(wrapped, DATA, recipe, 1))

    assert caught.value.deterministic


def test_targets_that_match_nothing_name_the_candidates(model: Any) -> None:
    with (
        pytest.raises(DataError, match="no module of this LlamaForCausalLM is called 'query'; known: .*q_proj"),
        fresh_adapter(model, replace(RECIPE, targets=("query",)), 1),
    ):
        pass


def test_one_target_that_matches_does_not_excuse_another(model: Any) -> None:
    told = r"is called 'k_prj'; did you mean 'k_proj'\? \(linear modules: down_proj, .*v_proj"
    with pytest.raises(DataError, match=told), fresh_adapter(model, replace(RECIPE, targets=("q_proj", "k_prj")), 1):
        pass


def test_layers_beyond_the_last_are_refused(model: Any) -> None:
    told = r"recipe.layers \[0, 2\]: this LlamaForCausalLM has 2 layers, 0 to 1"
    with pytest.raises(DataError, match=told), fresh_adapter(model, replace(RECIPE, layers=(0, 2)), 1):
        pass


class Lookup(torch.nn.Module):
    """A language model of nothing but embeddings."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(4, 4)


def test_a_model_without_linear_modules_cannot_be_adapted() -> None:
    told = "PEFT cannot put an adapter into a Lookup: it has no linear modules"
    with pytest.raises(DataError, match=told), fresh_adapter(Lookup(), RECIPE, 1):
        pass


def test_modules_peft_cannot_adapt_are_refused_and_leave_the_base_as_it_was(tiny_model: Path) -> None:
    model = load_model("tiny", Model(path=str(tiny_model)), Origin(), "sdpa", torch.device("cpu"))
    before = list(model.state_dict())

    told = "PEFT cannot put this adapter into a LlamaForCausalLM: Target module LlamaRMSNorm"
    recipe = replace(RECIPE, targets=("q_proj", "post_attention_layernorm"))
    with pytest.raises(DataError, match=told), fresh_adapter(model, recipe, 1):
        pass

    assert list(model.state_dict()) == before
    assert not hasattr(model, "peft_config")


def test_gpt2_calls_its_linear_layers_otherwise() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    shape = GPT2Config(vocab_size=20, n_embd=8, n_layer=2, n_head=2, n_positions=16, bos_token_id=0, eos_token_id=0)
    with fresh_adapter(GPT2LMHeadModel(shape), replace(RECIPE, layers=(1,)), 1) as wrapped:
        adapted = {name.split(".lora_")[0] for name in trainable(wrapped)}

    assert {name.rpartition("h.1.")[2] for name in adapted} == {"attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"}


def test_an_adapter_of_another_shape_is_refused(model: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    with fresh_adapter(model, RECIPE, 1) as wrapped:
        save(wrapped.save_pretrained, tmp_path / "adapter", {"steps": 1})
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    save_file({name: value.repeat(2, 2) for name, value in load_file(file).items()}, file)

    with pytest.raises(DataError, match="does not fit the model"), saved_adapter(model, tmp_path / "adapter"):
        pass


def test_merging_puts_the_base_back_to_the_last_bit(tiny_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    from crossgraft.adapters.weights.lora import merged

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with fresh_adapter(model, Recipe(rank=2), seed=0) as wrapped:
        for name, weight in wrapped.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight)
        with merged(wrapped):
            layer = model.model.layers[0].self_attn.q_proj.base_layer.weight
            assert not torch.equal(layer, before["model.layers.0.self_attn.q_proj.weight"])

    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
