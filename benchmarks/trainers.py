"""Who trains: crossgraft's engine, its parts one at a time, Transformers' Trainer, TRL's SFTTrainer.

All begin with the same adapter, take the same batches in the same order, and give the losses of their steps and what all
steps but the first cost: the first also pays for setting up, on every side.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from measuring import Cost
from torch.nn.functional import cross_entropy

from crossgraft.adapters.engine.body import Body
from crossgraft.adapters.engine.rows import CONTEXT, Row, Windows, assemble
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.training.attention import attending_apart, lengths_mask
from crossgraft.adapters.training.loop import Seeds, Task, Trained, train
from crossgraft.adapters.training.loss import Example
from crossgraft.adapters.training.steps import plan_steps, rate, rows_of
from crossgraft.adapters.weights.lora import fresh_adapter, trainable

Layout = Literal["padded", "packed", "apart"]

HAS_TRL = importlib.util.find_spec("trl") is not None
SEEDS = Seeds(1, 1, 1)


@dataclass(frozen=True)
class Ran:
    """The loss of every step, and what the steps after the first cost."""

    losses: tuple[float, ...]
    cost: Cost


@dataclass
class Marks:
    """When each step ended: CPU time of this process, clock; on a GPU, when its kernels had run."""

    ends: list[tuple[float, float]] = field(default_factory=list)

    def step(self) -> None:
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
        self.ends.append((time.process_time(), time.perf_counter()))

    def ran(self, losses: Sequence[float]) -> Ran:
        (cpu, wall), (last_cpu, last_wall) = self.ends[0], self.ends[-1]
        return Ran(tuple(losses), Cost(last_cpu - cpu, last_wall - wall))


@dataclass(frozen=True)
class Run:
    """What is to be trained: the examples, in an order that recipe and seed decide."""

    data: Sequence[Example]
    recipe: Recipe

    def batches(self) -> list[list[Example]]:
        steps = plan_steps([len(one.ids) for one in self.data], self.recipe, SEEDS.order).steps
        return [[self.data[n] for n in step] for step in steps]


def by_engine(model: Any, run: Run) -> Ran:
    """The engine as it is."""
    marks = Marks()
    with fresh_adapter(model, run.recipe, SEEDS.init) as wrapped:
        trained = finished(train(wrapped, trainable(wrapped), Task(run.data), run.recipe, SEEDS), marks)
    if not trained.packed:
        raise SystemExit(f"the engine does not pack rows of this model: {trained.why_not}")
    return marks.ran(trained.curve.losses)


def finished(going: Generator[Any, None, Trained], marks: Marks) -> Trained:
    """Go to the end of a run, marking its steps."""
    while True:
        try:
            next(going)
        except StopIteration as end:
            trained: Trained = end.value
            return trained
        marks.step()


def by_parts(model: Any, run: Run, body: Callable[[Any], Body], layout: Layout) -> Ran:
    """The same steps from the engine's parts: any layout of rows, and any body."""
    marks, losses = Marks(), []
    batches = run.batches()
    with fresh_adapter(model, run.recipe, SEEDS.init) as wrapped:
        wrapped.train()
        weights = list(trainable(wrapped).values())
        optimizer = torch.optim.AdamW(weights, lr=run.recipe.learning_rate, weight_decay=run.recipe.weight_decay)
        for done, batch in enumerate(batches):
            optimizer.param_groups[0]["lr"] = run.recipe.learning_rate * rate(run.recipe, done, len(batches))
            loss = entropy(model, body(model), batch, layout)
            loss.backward()
            losses.append(loss.item())
            torch.nn.utils.clip_grad_norm_(weights, run.recipe.clip)
            optimizer.step()
            optimizer.zero_grad()
            marks.step()
    return marks.ran(losses)


def entropy(model: Any, body: Body, batch: Sequence[Example], layout: Layout) -> torch.Tensor:
    """Mean over the tokens that count."""
    windows = Windows.of(model.config)
    assert windows is not None
    lengths = [len(example.ids) for example in batch]
    everyone = range(len(batch))
    members = {"padded": [[n] for n in everyone], "packed": rows_of(lengths), "apart": [[*everyone]]}[layout]
    rows = []
    for texts in members:
        row = Row()
        for segment, text in enumerate(texts, CONTEXT if layout == "padded" else CONTEXT + 1):
            example, begin = batch[text], len(row.ids)
            row.add(example.ids, 0, segment)
            for place in range(example.start, len(example.ids)):
                row.predict(begin + place - 1, example.ids[place], 0)
        rows.append(row)
    read, picks = assemble(rows, body.device)
    if layout == "apart":
        with attending_apart(model):
            states = body.states(read, lengths_mask(lengths, windows))
    elif layout == "packed":
        states = body.states(read, windows.mask(read, read, torch.float32))
    else:
        states = body.states(read, (read.segments == CONTEXT).long())
    return cross_entropy(body.logits(states.flatten(0, 1)[picks.places]), picks.tokens)


class InOrder:
    """For trainers: the examples as they come."""

    train_dataset: Any

    def _get_train_sampler(self, *_: Any) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)


class PlainTrainer(InOrder, transformers.Trainer):  # type: ignore[misc]
    """Transformers' Trainer."""


def by_trainer(model: Any, run: Run, folder: Path, width: int = 0) -> Ran:
    """Rows padded to a width, or to the longest of the batch."""
    with fresh_adapter(model, run.recipe, SEEDS.init) as wrapped:
        trainer = PlainTrainer(
            model=wrapped.train(),
            args=transformers.TrainingArguments(**arguments(run, folder, model)),
            train_dataset=labelled(run),
            data_collator=lambda batch: padded(batch, width),
        )
        return watched(trainer)


def by_trl(load: Callable[[], Any], tokenizer: Any, run: Run, folder: Path, **options: Any) -> Ran:
    """On a model of its own, which TRL changes in place: loss on answers only, nothing computed twice to save memory."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    class Trl(InOrder, SFTTrainer):  # type: ignore[misc]
        pass

    model = load()
    config = SFTConfig(
        **arguments(run, folder, model),
        gradient_checkpointing=False,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        **options,
    )
    with fresh_adapter(model, run.recipe, SEEDS.init) as wrapped:
        data = Dataset.from_list(labelled(run))
        trainer = Trl(model=wrapped.train(), args=config, train_dataset=data, processing_class=tokenizer)
        return watched(trainer)


def arguments(run: Run, folder: Path, model: Any) -> dict[str, Any]:
    """The recipe in Transformers' words; a model in half precision computes in it."""
    return {
        "output_dir": str(folder),
        "max_steps": run.recipe.steps,
        "per_device_train_batch_size": run.recipe.batch,
        "learning_rate": run.recipe.learning_rate,
        "warmup_steps": 0,
        "weight_decay": run.recipe.weight_decay,
        "max_grad_norm": run.recipe.clip,
        "lr_scheduler_type": run.recipe.schedule,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
        "use_cpu": model.device.type == "cpu",
        "bf16": model.dtype == torch.bfloat16,
        "disable_tqdm": True,
    }


def labelled(run: Run) -> list[dict[str, list[int]]]:
    """The examples of all steps in their order; what does not count is labelled -100."""
    return [
        {"input_ids": list(one.ids), "labels": [-100] * one.start + list(one.ids[one.start :])}
        for batch in run.batches()
        for one in batch
    ]


def padded(batch: Sequence[dict[str, list[int]]], width: int) -> dict[str, torch.Tensor]:
    width = width or max(len(row["input_ids"]) for row in batch)
    fills = {"input_ids": 0, "labels": -100}
    made = {
        name: torch.tensor([row[name] + [fill] * (width - len(row[name])) for row in batch])
        for name, fill in fills.items()
    }
    mask = [[1] * len(row["input_ids"]) + [0] * (width - len(row["input_ids"])) for row in batch]
    return {**made, "attention_mask": torch.tensor(mask)}


def watched(trainer: Any) -> Ran:
    """Train, and note when each step ended."""
    marks = Marks()

    class Watch(transformers.TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.step()

    trainer.remove_callback(transformers.PrinterCallback)
    trainer.add_callback(Watch())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.train()
    return marks.ran([entry["loss"] for entry in trainer.state.log_history if "loss" in entry])
