"""Step by step the losses of Transformers' own Trainer, at the paper's learning rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parts import result

torch = pytest.importorskip("torch")

import transformers

from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.training.loop import Seeds, Task, train
from crossgraft.adapters.training.loss import Example
from crossgraft.adapters.training.steps import plan_steps
from crossgraft.adapters.weights.lora import fresh_adapter, trainable

pytestmark = pytest.mark.slow

RECIPE = Recipe(rank=8, alpha=16, learning_rate=5e-5, steps=100, batch=8, warmup=0.1)


def make() -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.LlamaConfig(
            vocab_size=400, hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4
        )
        return transformers.LlamaForCausalLM(config).eval().requires_grad_(False)


def texts() -> list[Example]:
    rng = np.random.default_rng(0)
    lengths = rng.integers(20, 60, size=120)
    return [Example(tuple(int(t) for t in rng.integers(3, 400, size=n)), int(n - rng.integers(1, 8))) for n in lengths]


def by_trainer(wrapped: Any, data: list[Example], folder: Path, divided: int) -> list[float]:
    """The losses the Trainer logs: batches in our order, padded on the right, ``divided`` parts a step."""
    order = [n for step in plan_steps([len(one.ids) for one in data], RECIPE, 1).steps for n in step]
    rows = [
        {"input_ids": list(data[n].ids), "labels": [-100] * data[n].start + list(data[n].ids[data[n].start :])}
        for n in order
    ]

    def collate(batch: list[dict[str, list[int]]]) -> dict[str, Any]:
        width = max(len(row["input_ids"]) for row in batch)
        fills = {"input_ids": 0, "labels": -100}
        made = {
            name: torch.tensor([row[name] + [fill] * (width - len(row[name])) for row in batch])
            for name, fill in fills.items()
        }
        mask = [[1] * len(row["input_ids"]) + [0] * (width - len(row["input_ids"])) for row in batch]
        return {**made, "attention_mask": torch.tensor(mask)}

    class InOrder(transformers.Trainer):  # type: ignore[misc]
        def _get_train_sampler(self, *_: Any) -> Any:
            return torch.utils.data.SequentialSampler(rows)  # type: ignore[arg-type]

    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        max_steps=RECIPE.steps,
        per_device_train_batch_size=RECIPE.batch // divided,
        gradient_accumulation_steps=divided,
        learning_rate=RECIPE.learning_rate,
        warmup_steps=10,
        weight_decay=0.0,
        max_grad_norm=1.0,
        lr_scheduler_type="linear",
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = InOrder(model=wrapped, args=arguments, train_dataset=rows, data_collator=collate)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("divided", [1, 4])
def test_a_hundred_steps_have_the_trainers_losses(tmp_path: Path, divided: int) -> None:
    data = texts()
    with fresh_adapter(make(), RECIPE, 1) as wrapped:
        told = result(train(wrapped, trainable(wrapped), Task(data), RECIPE, Seeds(1, 1, 1)))
    assert told.packed

    with fresh_adapter(make(), RECIPE, 1) as wrapped:
        theirs = by_trainer(wrapped.train(), data, tmp_path, divided)

    assert len(theirs) == 100
    np.testing.assert_allclose(told.curve.losses, theirs, atol=2e-5)
