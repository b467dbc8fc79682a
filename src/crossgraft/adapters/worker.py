"""Carries out the jobs of an adapter study: loads a base model once, trains, evaluates, records."""

from __future__ import annotations

import copy
import json
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

import torch

from crossgraft.adapters import quantisation
from crossgraft.adapters.card import card
from crossgraft.adapters.engine import Engine
from crossgraft.adapters.engine.local import LocalEngine, finished, window_of
from crossgraft.adapters.evaluation import Outcome, Prepared, prepare
from crossgraft.adapters.loading import device_of, load_model, load_tokenizer, quiet
from crossgraft.adapters.lora import FACTS, fresh_adapter, merged, put, save, saved_adapter, trainable
from crossgraft.adapters.models import Model, check_given_folder, is_peft_folder
from crossgraft.adapters.recipe import Recipe
from crossgraft.adapters.sources import Source
from crossgraft.adapters.study import AdapterStudy, View, artefact
from crossgraft.adapters.tasks import choose
from crossgraft.adapters.training.callbacks import Followers, Run, followed
from crossgraft.adapters.training.examples import examples, hold_out
from crossgraft.adapters.training.loop import Seeds, Task, train
from crossgraft.core import Cell, Job, Point, Record, Texts
from crossgraft.errors import DataError, JobFailed
from crossgraft.metrics import METRICS, scored_record
from crossgraft.study import Bench, Progress, Recorded

T = TypeVar("T")

_PROTECT_ITEMS = 100  # of the train split of a protected point


class AdapterWorker:
    """Keeps the base model of the last job, and what was tokenised for it."""

    def __init__(self, study: AdapterStudy, bench: Bench) -> None:
        self._study = study
        self._artefacts = bench.artefacts
        self._pairing = study.pairing(bench)
        self._device = device_of(bench.device)
        for name, model in study.models.items():
            quantisation.require(name, model, self._device)
        self._threads_before = torch.get_num_threads()
        torch.set_num_threads(bench.threads)
        self._name = ""
        self._model: Any = None
        self._tokenizer: Any = None
        self._engine: LocalEngine | None = None
        self._prepared: dict[tuple[Point, View], Prepared] = {}

    def close(self) -> None:
        torch.set_num_threads(self._threads_before)
        self._model = self._tokenizer = self._engine = None

    def run(self, job: Job) -> Iterator[Progress | Recorded]:
        self._use(job.treatment.model)
        facts: dict[str, Any] = {}
        if job.treatment.kind == "trained":
            if not self._adapter(job).is_dir():
                yield from self._train(job)
            facts = json.loads((self._adapter(job) / FACTS).read_text("utf-8"))
        timings = {"train": facts.pop("seconds")} if facts else {}
        with self._treated(job) as (engine, effect):
            facts |= effect
            for cell in job.cells:
                yield from self._evaluate(job, cell, engine, facts, timings)
        if job.treatment.kind == "trained" and self._study.grid.keep_adapters == "never":
            shutil.rmtree(self._adapter(job), ignore_errors=True)

    def _adapter(self, job: Job) -> Path:
        """Where the trained weights of a job lie; a run may leave them as they were after several epochs."""
        return self._artefacts / artefact(job, self._study.recipe_of(job.treatment).after)

    def _use(self, name: str) -> None:
        """Have this base model loaded; another one goes first."""
        if self._name == name:
            return
        self._name, self._model, self._tokenizer, self._engine = "", None, None, None
        self._prepared.clear()
        study, model = self._study, self._study.models[name]
        with quiet():
            self._tokenizer = load_tokenizer(name, model, study.origin)
            self._model = load_model(name, model, study.origin, study.attention, self._device)
        self._engine = self._new_engine(self._model)
        self._name = name

    def _new_engine(self, model: Any) -> LocalEngine:
        return LocalEngine(model, self._tokenizer, way=self._study.scoring)

    # training

    def _train(self, job: Job) -> Iterator[Progress]:
        """Train and save; the weights are then read back, so a resumed job evaluates the same ones."""
        study, treatment = self._study, job.treatment
        if treatment.seed is None:
            raise JobFailed(f"{treatment} names no seed to train with", deterministic=True)
        recipe, source = study.recipe_of(treatment).training(), study.source_of(treatment)
        reading = study.reading(treatment.model)
        items = study.training_items(source, recipe)
        data = examples(self._tokenizer, items, reading, recipe, window_of(self._model))
        kept, held_out = hold_out(data.texts, recipe.validation)
        seeds = Seeds.of(recipe, treatment.seed)
        state = self._artefacts / f".{job.run_id}.state"
        started = time.perf_counter()
        followers = Followers.of(study.callbacks)
        with self._trainable(source, recipe, seeds.init) as model, followed(followers, self._run_of(job, recipe)):
            weights = trainable(model)
            task = Task(
                kept,
                held_out,
                snapshots=study.snapshots(),
                protected=self._protected(recipe, treatment.model) if recipe.protect else None,
                state=state,
                watch=followers.measured,
            )
            result = yield from _told(job, f"training on {source.label}", train(model, weights, task, recipe, seeds))
            facts = {
                "train_items": len(items),
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
                "seconds": time.perf_counter() - started,
            }
            followers.ended(_told_at_the_end(facts))
            for failure in followers.failures:
                yield Progress(job, failure, result.steps, result.steps)
            for epochs, values in result.states.items():
                put(weights, values)
                about = card(study, job, {**facts, "after": epochs})
                save(self._write(model), self._artefacts / artefact(job, epochs), facts, about)
        state.unlink(missing_ok=True)

    def _run_of(self, job: Job, recipe: Recipe) -> Run:
        treatment = job.treatment
        folder = self._artefacts.parent / "followed"
        return Run(
            self._study.name, treatment.model, treatment.label, treatment.seed or 0, dict(recipe.identity()), folder
        )

    @contextmanager
    def _trainable(self, source: Source, recipe: Recipe, seed: int) -> Iterator[Any]:
        """A model with weights to train: a fresh adapter, one to go on from, or a copy of the whole model."""
        with ExitStack() as stack:
            if recipe.gradient_checkpointing:
                stack.enter_context(_checkpointed(self._model))
            if recipe.method == "full":
                yield copy.deepcopy(self._model).requires_grad_(True)
            elif source.adapter:
                folder = Path(self._study.adapters[source.adapter].input(source.adapter, self._study.origin).path)
                check_given_folder(folder, f"adapters.{source.adapter}")
                yield stack.enter_context(saved_adapter(self._model, folder, trainable=True))
            else:
                yield stack.enter_context(fresh_adapter(self._model, recipe, seed))

    def _write(self, model: Any) -> Callable[[str], None]:
        """A PEFT folder; or a model folder with its tokenizer, where the whole model was trained."""

        def write(folder: str) -> None:
            model.save_pretrained(folder)
            if not hasattr(model, "peft_config"):
                self._tokenizer.save_pretrained(folder)

        return write

    def _protected(self, recipe: Recipe, name: str) -> Callable[[], float]:
        """The largest fall, in percentage points, of a protected point: on items of its train split, never of its test."""
        study, engine = self._study, self._engine
        assert engine is not None
        ready = []
        for point in study.protected(recipe):
            items = choose(study.tasks[point.task].items(point.lang, "train", study.origin), _PROTECT_ITEMS)
            prepared = prepare(self._tokenizer, items, study.reading(name), window_of(self._model), point.lang)
            metric = METRICS.get(study.tasks[point.task].metric)
            ready.append((prepared, metric, metric.score(finished(prepared.answer(engine)).answers).value))

        def fall() -> float:
            now = [metric.score(finished(prepared.answer(engine)).answers).value for prepared, metric, _ in ready]
            return 100 * max(before - value for (_, _, before), value in zip(ready, now, strict=True))

        return fall

    # evaluation

    @contextmanager
    def _treated(self, job: Job) -> Iterator[tuple[Engine, dict[str, Any]]]:
        """An engine on the model as the treatment has it, and how much that differs from the base.

        The base is run inside the same wrapper as an adapter, with the adapter switched off, so
        that nothing but the adapter differs.
        """
        treatment, study = job.treatment, self._study
        assert self._engine is not None
        with ExitStack() as stack:
            if treatment.is_control:
                recipe = study.recipe.variants()[0][1]
                wrapped = stack.enter_context(fresh_adapter(self._model, recipe, seed=0)).eval()
                stack.enter_context(wrapped.disable_adapter())
                yield self._engine, {}
                return
            folder = self._adapter(job)
            if treatment.kind == "given":
                folder = Path(study.adapters[treatment.name].input(treatment.name, study.origin).path)
                check_given_folder(folder, f"adapters.{treatment.name}")
            if not is_peft_folder(folder):
                engine = self._new_engine(self._checkpoint(treatment.name, folder))
                yield engine, {"effect": engine.probe_difference(self._engine.probe())}
                return
            before = self._engine.probe()
            wrapped = stack.enter_context(saved_adapter(self._model, folder))
            if study.merge:
                stack.enter_context(merged(wrapped))
            yield self._engine, {"effect": self._engine.probe_difference(before), "merged": study.merge}

    def _checkpoint(self, name: str, folder: Path) -> Any:
        base = self._study.models[self._name]
        told = Model(
            path=str(folder), dtype=base.dtype, quantised=base.quantised, trust_remote_code=base.trust_remote_code
        )
        with quiet():
            model = load_model(name, told, self._study.origin, self._study.attention, self._device)
        if model.config.vocab_size != self._model.config.vocab_size:
            raise DataError(
                f"adapters.{name}: the checkpoint has a vocabulary of {model.config.vocab_size}, the model "
                f"{self._name!r} one of {self._model.config.vocab_size}: they do not read the same tokens"
            )
        return model

    def _evaluate(
        self, job: Job, cell: Cell, engine: Engine, facts: dict[str, Any], timings: dict[str, float]
    ) -> Iterator[Progress | Recorded]:
        prepared = self._ready(job.treatment.model, cell.target, self._study.view_of(job.treatment))
        started = time.perf_counter()
        outcome = yield from _told(job, f"evaluating {cell.target}", prepared.answer(engine))
        timings = {**timings, "evaluate": time.perf_counter() - started}
        facts = {**facts, **prepared.facts, **outcome.facts}
        texts = Texts(cell.texts_id, outcome.answers.items, prepared.texts)
        yield Recorded(job, self._record(job, cell, outcome, facts, timings), texts)

    def _ready(self, model: str, target: Point, view: View) -> Prepared:
        """The items of a target as tokens, made once for all adapters of a model."""
        if (target, view) not in self._prepared:
            items = self._study.test_items_of(target, view)
            reading = self._study.reading(model)
            self._prepared[target, view] = prepare(self._tokenizer, items, reading, window_of(self._model), target.lang)
        return self._prepared[target, view]

    def _record(
        self, job: Job, cell: Cell, outcome: Outcome, facts: dict[str, Any], timings: dict[str, float]
    ) -> Record:
        model = self._study.models[job.treatment.model]
        provenance = {
            **facts,
            "model": {**dict(model.identity()), "hub": model.hub, "path": model.path, "revision": model.revision},
            "versions": _versions(),
        }
        if job.treatment.kind == "trained":
            provenance["recipe"] = dict(self._study.recipe_of(job.treatment).identity())
        return scored_record(job, cell, outcome.answers, self._pairing, timings=timings, provenance=provenance)


def _told_at_the_end(facts: dict[str, Any]) -> dict[str, Any]:
    """The single numbers; curves have been followed."""
    return {name: value for name, value in facts.items() if isinstance(value, int | float | str)}


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


def _told(job: Job, doing: str, steps: Generator[tuple[int, int], None, T]) -> Generator[Progress, None, T]:
    """The steps as events of the job, and what they return."""
    while True:
        try:
            done, total = next(steps)
        except StopIteration as stop:
            return cast(T, stop.value)
        yield Progress(job, doing, done, total)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("crossgraft", "torch", "transformers", "peft")}
