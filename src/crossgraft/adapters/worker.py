"""Carries out the jobs of an adapter study: loads a base model once, trains, evaluates, records."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

import torch

from crossgraft.adapters.engine import Engine
from crossgraft.adapters.engine.local import LocalEngine, window_of
from crossgraft.adapters.evaluation import Outcome, Prepared, prepare
from crossgraft.adapters.loading import device_of, load_model, load_tokenizer, quiet
from crossgraft.adapters.lora import FACTS, fresh_adapter, merged, put, save, saved_adapter, trainable
from crossgraft.adapters.models import Model, check_given_folder, is_peft_folder
from crossgraft.adapters.study import AdapterStudy, View
from crossgraft.adapters.training.examples import examples
from crossgraft.adapters.training.loop import Seeds, Task, train
from crossgraft.core import Cell, Job, Point, Record, Texts
from crossgraft.errors import DataError, JobFailed
from crossgraft.metrics import scored_record
from crossgraft.study import Bench, Progress, Recorded

T = TypeVar("T")


class AdapterWorker:
    """Keeps the base model of the last job, and what was tokenised for it."""

    def __init__(self, study: AdapterStudy, bench: Bench) -> None:
        self._study = study
        self._artefacts = bench.artefacts
        self._pairing = study.pairing(bench)
        self._device = device_of(bench.device)
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
            shutil.rmtree(self._adapter(job))

    def _adapter(self, job: Job) -> Path:
        return self._artefacts / job.treatment_id

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
        """Train and save; the adapter is then read back, so a resumed job evaluates the same weights."""
        treatment = job.treatment
        if treatment.source is None or treatment.seed is None:
            raise JobFailed(f"{treatment} names no source or no seed to train with", deterministic=True)
        recipe = self._study.recipe_of(treatment)
        items = self._study.training_items(treatment.source)
        reading = self._study.reading(treatment.model)
        data = examples(self._tokenizer, items, reading, recipe, window_of(self._model))
        seeds = Seeds.of(recipe, treatment.seed)
        state = self._artefacts / f".{job.treatment_id}.state"
        started = time.perf_counter()
        with fresh_adapter(self._model, recipe, seeds.init) as wrapped:
            weights = trainable(wrapped)
            task = Task(data.texts, state=state)
            doing = f"training on {treatment.source}"
            result = yield from _told(job, doing, train(wrapped, weights, task, recipe, seeds))
            put(weights, result.states[0.0])
            facts = {
                "train_items": len(items),
                "train_steps": result.steps,
                "train_tokens": result.tokens,
                "losses": result.curve.losses,
                "first_loss": result.curve.losses[0],
                "last_loss": result.curve.losses[-1],
                "packed": result.packed,
                "prompts_cut": data.prompts_cut,
                "answers_cut": data.answers_cut,
                "seconds": time.perf_counter() - started,
            }
            save(wrapped.save_pretrained, self._adapter(job), facts)
        state.unlink(missing_ok=True)

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
        told = Model(path=str(folder), dtype=base.dtype, trust_remote_code=base.trust_remote_code)
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
