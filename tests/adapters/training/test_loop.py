"""Training against the plain way, killed and gone on with, packed and not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parts import result

torch = pytest.importorskip("torch")

import transformers

from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.training import loop
from crossgraft.adapters.training.loop import Seeds, Task, train
from crossgraft.adapters.training.loss import Example, StepLoss
from crossgraft.adapters.weights.lora import fresh_adapter, trainable
from crossgraft.errors import JobFailed

SHAPE: dict[str, Any] = {
    "vocab_size": 200,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "initializer_range": 0.2,
}
FAMILIES = {
    "Llama": ("LlamaConfig", SHAPE),
    "Gemma3": ("Gemma3TextConfig", {**SHAPE, "num_hidden_layers": 6, "head_dim": 8, "sliding_window": 16}),
    "GPTNeoX": ("GPTNeoXConfig", SHAPE),
}
RECIPE = Recipe(rank=4, alpha=8, learning_rate=5e-3, epochs=3, batch=4)


def make(family: str = "Llama", attention: str = "sdpa") -> Any:
    name, shape = FAMILIES[family]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = getattr(transformers, name)(**shape)
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention)
    return model.eval().requires_grad_(False)


def texts(count: int = 18) -> list[Example]:
    rng = np.random.default_rng(0)
    lengths = rng.integers(12, 60, size=count)
    return [Example(tuple(int(t) for t in rng.integers(3, 200, size=n)), int(n - rng.integers(1, 8))) for n in lengths]


def trained(model: Any, recipe: Recipe = RECIPE, seed: int = 1, **more: Any) -> tuple[Any, dict[str, Any]]:
    seeds = Seeds.of(recipe, seed)
    with fresh_adapter(model, recipe, seeds.init) as wrapped:
        weights = trainable(wrapped)
        told = result(train(wrapped, weights, Task(texts(), **more), recipe, seeds))
        return told, {name: weight.detach().clone() for name, weight in weights.items()}


@pytest.mark.parametrize("attention", ["sdpa", "eager"])  # by eager attention, rows are packed with a mask
@pytest.mark.parametrize("family", FAMILIES)
def test_a_step_has_the_models_own_loss(family: str, attention: str) -> None:
    model, data = make(family, attention), texts(7)
    width = max(len(text.ids) for text in data)
    ids, labels = (torch.full((7, width), fill) for fill in (0, -100))
    mask = torch.zeros((7, width), dtype=torch.long)
    for row, text in enumerate(data):
        ids[row, : len(text.ids)] = torch.tensor(text.ids)
        labels[row, text.start : len(text.ids)] = ids[row, text.start : len(text.ids)]
        mask[row, : len(text.ids)] = 1

    loss_of = StepLoss(model, data)

    assert loss_of.packed
    assert loss_of.apart == (attention == "sdpa" and family != "Gemma3")  # which has layers with a window
    expected = float(model(input_ids=ids, attention_mask=mask, labels=labels).loss)
    counted = sum(text.counted for text in data)
    assert float(loss_of(data)) / counted == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_no_logits_of_prompts_are_ever_computed(attention: str) -> None:
    model, data = make(attention=attention), texts(7)
    asked: list[int] = []
    model.get_output_embeddings().register_forward_hook(lambda _, __, logits: asked.append(logits[..., 0].numel()))

    StepLoss(model, data)(data)

    assert max(asked) == sum(text.counted for text in data)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_rows_train_what_padded_ones_train(attention: str, monkeypatch: pytest.MonkeyPatch) -> None:
    packed, weights = trained(make(attention=attention))
    monkeypatch.setattr(StepLoss, "__call__", lambda self, examples: self._padded(examples, self._body))

    padded, other = trained(make(attention=attention))

    assert packed.packed
    np.testing.assert_allclose(packed.curve.losses, padded.curve.losses, atol=2e-5)
    moved = sum(float((weights[name] - other[name]).norm() ** 2) for name in weights) ** 0.5
    assert moved < 1e-3 * sum(float(weight.norm() ** 2) for weight in weights.values()) ** 0.5


def test_a_step_in_pieces_is_the_same_step(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = trained(make())
    plain = StepLoss.__init__

    def small(self: StepLoss, *told: Any) -> None:
        plain(self, *told)
        self.most_tokens = 60

    monkeypatch.setattr(StepLoss, "__init__", small)
    pieces, _ = trained(make())

    np.testing.assert_allclose(whole.curve.losses, pieces.curve.losses, atol=2e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_killed_run_goes_on_to_the_last_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropout: float) -> None:
    recipe = replace(RECIPE, dropout=dropout)
    _, expected = trained(make(), recipe)
    monkeypatch.setattr(loop, "_SAVE_EVERY", 0.0)
    model, task = make(), Task(texts(), state=tmp_path / "run.state")
    with fresh_adapter(model, recipe, 1) as wrapped:
        steps = train(wrapped, trainable(wrapped), task, recipe, Seeds.of(recipe, 1))
        for _ in range(6):
            next(steps)
        steps.close()

    told, weights = trained(make(), recipe, state=tmp_path / "run.state")

    assert told.steps == 15
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "another file"])
def test_a_damaged_state_goes_and_costs_only_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    _, expected = trained(make())
    monkeypatch.setattr(loop, "_SAVE_EVERY", 0.0)
    state = tmp_path / "run.state"
    trained(make(), state=state)
    content = bytearray(state.read_bytes())
    content[len(content) // 2] ^= 1
    broken = {"flipped": content, "cut": content[:-100], "empty": b"", "another file": b"PK\3\4 and no more"}[damage]
    state.write_bytes(broken)
    monkeypatch.setattr(loop, "_SAVE_EVERY", 1e9)

    told, weights = trained(make(), state=state)

    assert (told.steps, state.exists()) == (15, False)
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_a_disk_without_room_costs_the_state_and_not_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_SAVE_EVERY", 0.0)
    (tmp_path / "file").write_text("")

    told, _ = trained(make(), state=tmp_path / "file" / "run.state")

    assert told.steps == 15


def test_seeds_of_init_order_and_dropout_are_their_own() -> None:
    base = replace(RECIPE, dropout=0.2, epochs=1)
    _, first = trained(make(), base)

    for name in ("init_seed", "order_seed", "dropout_seed"):
        _, other = trained(make(), replace(base, **{name: 9}))
        assert any(not torch.equal(first[key], other[key]) for key in first), name
    _, same = trained(make(), replace(base, init_seed=1, order_seed=1, dropout_seed=1))
    assert all(torch.equal(first[key], same[key]) for key in first)


def test_snapshots_are_the_weights_of_a_shorter_run_with_the_same_schedule() -> None:
    constant = replace(RECIPE, schedule="constant", warmup=0.0)
    _, short = trained(make(), replace(constant, epochs=1))

    told, _ = trained(make(), constant, snapshots=(1.0, 2.0))

    assert sorted(told.states) == [0.0, 1.0, 2.0]
    assert all(torch.equal(told.states[1.0][name], short[name]) for name in short)


def test_the_epoch_with_the_lowest_held_out_loss_is_kept() -> None:
    held_out = [Example(tuple(reversed(text.ids)), text.start) for text in texts(4)]

    told, _ = trained(make(), replace(RECIPE, epochs=5, learning_rate=2e-2), held_out=held_out)

    assert told.kept_epoch == int(np.argmin(told.curve.held_out)) + 1
    assert len(told.curve.held_out) == 5


def test_training_stops_when_a_protected_point_falls() -> None:
    falls = iter([0.5, 0.9, 3.0, 0.0])

    told, _ = trained(make(), replace(RECIPE, epochs=4), protected=lambda: next(falls))

    assert (told.kept_epoch, told.steps, told.curve.protected) == (2, 15, [0.5, 0.9, 3.0])


def test_tokens_are_told_by_part_and_by_whether_the_loss_counts_them() -> None:
    data = [replace(text, part="en" if n % 3 else "sw") for n, text in enumerate(texts())]
    model = make()
    with fresh_adapter(model, RECIPE, 1) as wrapped:
        told = result(train(wrapped, trainable(wrapped), Task(data), RECIPE, Seeds.of(RECIPE, 1)))

    sw, en = (3 * sum(len(text.ids) for text in data if text.part == part) for part in ("sw", "en"))
    assert told.tokens_of == {"en": en, "sw": sw}
    assert told.tokens == en + sw
    assert told.counted == 3 * sum(text.counted for text in data)


def test_tokens_are_those_of_the_steps_that_were_done() -> None:
    told, _ = trained(make(), replace(RECIPE, epochs=4), protected=lambda: 9.0)

    assert (told.steps, sum(told.tokens_of.values())) == (5, sum(len(text.ids) for text in texts()))


def test_a_loss_that_explodes_ends_the_run() -> None:
    wild = replace(RECIPE, learning_rate=5.0, clip=0.0, warmup=0.0, epochs=20)

    with pytest.raises(JobFailed, match=r"training diverged: .* lower recipe.learning_rate \(5\)"):
        trained(make(), wild)
