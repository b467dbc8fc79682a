"""The training of a job: from its source to saved weights with their facts, followed by whoever the study names."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import torch

from crossgraft.adapters.bases.base import Base
from crossgraft.adapters.bases.models import check_given_folder
from crossgraft.adapters.engine.evaluation import prepare
from crossgraft.adapters.engine.local import finished
from crossgraft.adapters.items.selection import items_to_train
from crossgraft.adapters.items.sources import Source
from crossgraft.adapters.jobs import artefact
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.adapters.tasks import choose
from crossgraft.adapters.training.callbacks import Followers, Run, followed
from crossgraft.adapters.training.examples import Examples, examples, hold_out
from crossgraft.adapters.training.loop import Seeds, Task, Trained, train
from crossgraft.adapters.weights.card import TRAIN_IDS, card, train_ids
from crossgraft.adapters.weights.lora import fresh_adapter, put, save, saved_adapter, trainable
from crossgraft.core import Job
from crossgraft.errors import JobFailed
from crossgraft.metrics import METRICS
from crossgraft.study import Progress, Remark, Workplace

T = TypeVar("T")

_PROTECT_ITEMS = 100  # of the train split of a protected point


def train_job(study: AdapterSpec, base: Base, job: Job, workplace: Workplace) -> Iterator[Progress | Remark]:
    """Train and save; the weights are then read back, so a resumed job evaluates the same ones."""
    treatment = job.treatment
    if treatment.seed is None:
        raise JobFailed(f"{treatment} names no seed to train with", deterministic=True)
    recipe, source = study.recipe_of(treatment).training(), study.source_of(treatment)
    items = items_to_train(study, source, recipe)
    data = examples(base.tokenizer, items, study.reading(treatment.model), recipe, base.window)
    kept, held_out = hold_out(data.texts, recipe.validation)
    seeds = Seeds.of(recipe, treatment.seed)
    state = workplace.artefacts / f".{job.run_id}.state"
    started = time.perf_counter()
    followers, about = Followers.of(study.callbacks), _about(study, job, recipe, workplace)
    with _trainable(study, base, source, recipe, seeds.init) as model, followed(followers, about):
        weights = trainable(model)
        task = Task(
            kept,
            held_out,
            snapshots=study.snapshots(),
            protected=_protected(study, base, recipe) if recipe.protect else None,
            state=state,
            watch=followers.measured,
        )
        result = yield from _with_progress(job, train(model, weights, task, recipe, seeds), followers)
        facts = {"train_items": len(items), **_facts(result, data), "seconds": time.perf_counter() - started}
        followers.ended(_final_figures(facts))
        yield from (Remark(job, failure) for failure in followers.failures())
        for epochs, values in result.states.items():
            put(weights, values)
            readme = card(study, job, {**facts, "after": epochs})
            save(
                _writer(model, base.tokenizer, train_ids(study, source, items)),
                workplace.artefacts / artefact(job, epochs),
                facts,
                readme,
            )
    state.unlink(missing_ok=True)


def _facts(result: Trained, data: Examples) -> dict[str, Any]:
    """What is told of the run in every record of the adapter; losses are nats, a step or an epoch each."""
    return {
        "train_steps": result.steps,
        "train_tokens": result.tokens,
        "train_tokens_of": result.tokens_of,
        "counted_tokens": result.counted,
        "train_threads": torch.get_num_threads(),
        "losses": result.curve.losses,
        "held_out_losses": result.curve.held_out,
        "protected_falls": result.curve.protected,
        "kept_epoch": result.kept_epoch,
        "first_loss": result.curve.losses[0],
        "last_loss": result.curve.losses[-1],
        "packed": result.packed,
        "prompts_cut": data.prompts_cut,
        "answers_cut": data.answers_cut,
    }


@contextmanager
def _trainable(study: AdapterSpec, base: Base, source: Source, recipe: Recipe, seed: int) -> Iterator[Any]:
    """A model with weights to train: a fresh adapter, one to go on from, or a copy of the whole model."""
    with ExitStack() as stack:
        if recipe.gradient_checkpointing:
            stack.enter_context(_checkpointed(base.model))
        if recipe.method == "full":
            yield copy.deepcopy(base.model).requires_grad_(True)
        elif source.adapter:
            folder = Path(study.adapters[source.adapter].input(source.adapter, study.origin).path)
            check_given_folder(folder, f"adapters.{source.adapter}")
            yield stack.enter_context(saved_adapter(base.model, folder, trainable=True))
        else:
            yield stack.enter_context(fresh_adapter(base.model, recipe, seed))


@contextmanager
def _checkpointed(model: Any) -> Iterator[None]:
    """Activations are computed twice instead of kept. Transformers calls it otherwise from version 6 on."""
    kind = "activation" if hasattr(model, "activation_checkpointing_enable") else "gradient"
    getattr(model, f"{kind}_checkpointing_enable")()
    model.enable_input_require_grads()
    try:
        yield
    finally:
        getattr(model, f"{kind}_checkpointing_disable")()
        model.disable_input_require_grads()


def _writer(model: Any, tokenizer: Any, ids: str) -> Callable[[str], None]:
    """A PEFT folder, or a model folder with its tokenizer, where the whole model was trained; with the ids it was trained on."""

    def write(folder: str) -> None:
        model.save_pretrained(folder)
        if not hasattr(model, "peft_config"):
            tokenizer.save_pretrained(folder)
        (Path(folder) / TRAIN_IDS).write_text(ids, "utf-8")

    return write


def _protected(study: AdapterSpec, base: Base, recipe: Recipe) -> Callable[[], float]:
    """The largest fall, in percentage points, of a protected point: on items of its train split, never of its test."""
    ready = []
    for point in study.protected(recipe):
        items = choose(study.tasks[point.task].items(point.lang, "train", study.origin), _PROTECT_ITEMS)
        prepared = prepare(base.tokenizer, items, study.reading(base.name), base.window, point.lang)
        metric = METRICS.get(study.tasks[point.task].metric)
        ready.append((prepared, metric, metric.score(finished(prepared.answer(base.engine)).answers).value))

    def fall() -> float:
        now = [metric.score(finished(prepared.answer(base.engine)).answers).value for prepared, metric, _ in ready]
        return 100 * max(before - value for (_, _, before), value in zip(ready, now, strict=True))

    return fall


def _about(study: AdapterSpec, job: Job, recipe: Recipe, workplace: Workplace) -> Run:
    """The run as its followers are told of it."""
    treatment, folder = job.treatment, workplace.artefacts.parent / "followed"
    return Run(study.name, treatment.model, treatment.label, treatment.seed or 0, dict(recipe.identity()), folder)


def _final_figures(facts: dict[str, Any]) -> dict[str, Any]:
    """The single numbers; curves have been followed."""
    return {name: value for name, value in facts.items() if isinstance(value, int | float | str)}


def _with_progress(
    job: Job, steps: Generator[tuple[int, int], None, T], followers: Followers
) -> Generator[Progress | Remark, None, T]:
    """The steps as events of the job, with what its followers fail at, and what the steps return."""
    while True:
        try:
            done, total = next(steps)
        except StopIteration as stop:
            return cast(T, stop.value)
        yield from (Remark(job, failure) for failure in followers.failures())
        yield Progress(job, f"training on {job.treatment.name}", done, total)
