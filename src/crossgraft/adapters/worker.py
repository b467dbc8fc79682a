"""Carries out the jobs of an adapter study: keeps a base model loaded, has adapters trained, evaluates, records."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch

from crossgraft.adapters.bases.base import Base, load_base, load_checkpoint
from crossgraft.adapters.bases.gguf.cached import announcement
from crossgraft.adapters.bases.guessing import guessing
from crossgraft.adapters.bases.loading import device_of
from crossgraft.adapters.bases.models import check_given_folder
from crossgraft.adapters.engine import Engine
from crossgraft.adapters.engine.evaluation import Outcome, Prepared, prepare
from crossgraft.adapters.engine.selftest import DOUBTFUL
from crossgraft.adapters.items.selection import items_to_test, view_of
from crossgraft.adapters.jobs import artefact
from crossgraft.adapters.spec.grid import View
from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.adapters.training.run import train_job
from crossgraft.adapters.weights import placement, quantisation
from crossgraft.adapters.weights.combination import combined_adapter
from crossgraft.adapters.weights.lora import fresh_adapter, merged, saved_adapter
from crossgraft.adapters.weights.peft_folder import is_peft_folder, is_plain
from crossgraft.adapters.weights.stored import FACTS, adapter_damage, set_aside
from crossgraft.core import Cell, Job, Point, Record, Texts
from crossgraft.errors import CrossgraftError, JobFailed
from crossgraft.metrics import scored_record
from crossgraft.study import Progress, Recorded, Remark, Workplace

T = TypeVar("T")


class AdapterWorker:
    """Keeps the base model of the last job, and what was tokenised for it."""

    def __init__(self, study: AdapterSpec, workplace: Workplace) -> None:
        self._study = study
        self._bench = workplace
        self._pairing = study.pairing(workplace)
        self._device = device_of(workplace.device)
        for name, model in study.models.items():
            quantisation.require(name, model, self._device)
            placement.require(name, model, self._device)
        self._threads_before = torch.get_num_threads()
        torch.set_num_threads(workplace.threads)
        self._base: Base | None = None
        self._changes: list[str] = []  # of the base, by the job that is running
        self._wavering: set[str] = set()  # bases that do not repeat their numbers on this device
        self._prepared: dict[tuple[Point, View], Prepared] = {}
        self._warned = False
        self._hopeless: dict[str, str] = {}  # training runs that failed for good, and why

    def close(self) -> None:
        torch.set_num_threads(self._threads_before)
        self._base = None

    def run(self, job: Job) -> Iterator[Progress | Remark | Recorded]:
        yield from self._doubted(job)
        yield from self._dequantised(job.treatment.model, job)
        yield from self._trained(job)
        base = self._loaded(job.treatment.model)
        facts: dict[str, Any] = {}
        if job.members:
            facts = {"members": [{"treatment": str(one.job), "weight": one.weight} for one in job.members]}
        if job.treatment.kind == "trained":
            facts = json.loads((self._adapter(job) / FACTS).read_text("utf-8"))
        timings = {"train": facts.pop("seconds")} if "seconds" in facts else {}
        with self._unchanged(base, self._writes_into_base(job)), self._treated(base, job) as (engine, effect):
            facts |= effect
            records = []
            for cell in job.cells:
                for event in self._evaluate(base, job, cell, engine, facts, timings):
                    yield event
                    records += [event.record] if isinstance(event, Recorded) else []
        if job.treatment.is_control:
            yield from self._guessed(job, records)
        yield from self._remarks_on_changes(job)
        yield from self._scored_again(base, job)
        if job.treatment.kind == "trained" and self._study.grid.keep_adapters == "never":
            shutil.rmtree(self._adapter(job), ignore_errors=True)

    def _doubted(self, job: Job) -> Iterator[Remark]:
        """Said once a run: what was never tested is not passed over in silence."""
        if self._device.type in DOUBTFUL and not self._warned:
            self._warned = True
            yield Remark(
                job,
                f"EXPERIMENTAL DEVICE {self._device.type}: others measured wrong scores on it, and training on it was never tested "
                "here. Each base is compared with the CPU before it is scored; its adapters are not. Repeat with "
                "--device cpu what you want to publish",
            )

    def _dequantised(self, name: str, job: Job) -> Iterator[Remark]:
        """Said before a base that takes a while to make, the first time."""
        if self._base is not None and self._base.name == name:
            return
        model = self._study.models[name]
        file = model.gguf_file(self._study.origin)
        if file and (text := announcement(file, model.dtype)):
            yield Remark(job, text)

    def _guessed(self, job: Job, records: Sequence[Record]) -> Iterator[Remark]:
        metrics = {name: task.metric for name, task in self._study.tasks.items()}
        if text := guessing(records, metrics, chat=self._study.models[job.treatment.model].chat):
            yield Remark(job, text)

    def _checked(self, job: Job) -> Iterator[Remark]:
        """A kept adapter whose files are no longer those that were written makes way for a new one."""
        folder = self._adapter(job)
        reason = adapter_damage(folder) if folder.exists() else ""
        if reason:
            place = set_aside(folder)
            yield Remark(job, f"its adapter is damaged ({reason}): it was moved to {place}, and is trained anew")

    def _trained(self, job: Job) -> Iterator[Progress | Remark | Recorded]:
        for member in job.members:
            yield from self._trained_member(job, member.job)
        if job.treatment.kind != "trained":
            return
        yield from self._checked(job)
        if self._adapter(job).is_dir():
            return
        base = self._loaded(job.treatment.model)
        try:
            with self._unchanged(base, whole=True):
                yield from train_job(self._study, base, job, self._bench)
        except CrossgraftError as error:
            if not isinstance(error, JobFailed) or error.deterministic:
                self._hopeless[job.run_id] = str(error)
            raise
        yield from self._remarks_on_changes(job)

    def _trained_member(self, job: Job, member: Job) -> Iterator[Progress | Remark | Recorded]:
        """What a derived adapter is made of is trained first, where it is not there."""
        if why := self._hopeless.get(member.run_id):
            raise JobFailed(f"{member}, which it is made of, cannot be trained: {why}", deterministic=True)
        try:
            for event in self._trained(member):
                yield event if isinstance(event, Recorded) else replace(event, job=job)
        except CrossgraftError as error:
            foreseen = not isinstance(error, JobFailed) or error.deterministic
            raise JobFailed(
                f"{member}, which it is made of, cannot be trained: {error}", deterministic=foreseen
            ) from error

    @contextmanager
    def _unchanged(self, base: Base, whole: bool) -> Iterator[None]:
        """Whatever happens inside, the next job gets the base as it was loaded: from memory, or else from disk."""
        try:
            yield
        except BaseException:
            whole = True
            raise
        finally:
            if names := base.changed(whole=whole):
                self._changes.append(f"{len(names)} tensors of {base.name} (such as {names[0]})")
                self._base = None

    def _writes_into_base(self, job: Job) -> bool:
        """Whether an adapter brings more than LoRA's own matrices: then every bit of the base is compared."""
        if job.treatment.is_control or job.members:
            return False  # of members, nothing but LoRA's own matrices is taken
        folder = self._folder(job)
        return is_peft_folder(folder) and not is_plain(folder)

    def _remarks_on_changes(self, job: Job) -> Iterator[Remark]:
        for change in self._changes:
            yield Remark(job, f"{job} changed {change}; the base is loaded anew, so later results are not affected")
        self._changes.clear()

    def _scored_again(self, base: Base, job: Job) -> Iterator[Remark]:
        """The base must give the same log-likelihoods after a job as when it was loaded, to the last bit."""
        name = base.name
        if self._base is None or name in self._wavering:
            return
        if not (drift := base.drift()):
            return
        expected = base.loaded.probe
        self._base = None
        again = self._loaded(name)
        if np.array_equal(again.loaded.probe, expected, equal_nan=True):
            raise JobFailed(
                f"after this job the log-likelihoods of {name} differed by up to {drift:.2g} nats from those before it, "
                "though every weight is the same; its results are discarded, and the base was loaded again",
                doubtful=True,
            )
        self._wavering.add(name)
        yield Remark(
            job,
            f"{name} does not give the same log-likelihoods twice on this device (difference up to {drift:.2g} nats): "
            "changes smaller than this are noise",
        )

    def _adapter(self, job: Job) -> Path:
        """Where the trained weights of a job lie; a run may leave them as they were after several epochs."""
        return self._bench.artefacts / artefact(job, self._study.recipe_of(job.treatment).after)

    def _folder(self, job: Job) -> Path:
        """Where the weights of a treatment lie, whoever trained them."""
        if job.treatment.kind != "given":
            return self._adapter(job)
        name = job.treatment.name
        return Path(self._study.adapters[name].input(name, self._study.origin).path)

    def _loaded(self, name: str) -> Base:
        """This base model; another one goes first."""
        if self._base is None or self._base.name != name:
            self._base = None
            self._prepared.clear()
            self._base = load_base(self._study, name, self._device)
        return self._base

    @contextmanager
    def _treated(self, base: Base, job: Job) -> Iterator[tuple[Engine, dict[str, Any]]]:
        """An engine on the model as the treatment has it, and how much that differs from the base.

        The base is run inside the same wrapper as an adapter, with the adapter switched off, so
        that nothing but the adapter differs.
        """
        treatment, study = job.treatment, self._study
        before = base.engine.probe()
        facts: dict[str, Any] = {"base_drift": float(np.nanmax(np.abs(before - base.loaded.probe)))}
        with ExitStack() as stack:
            if treatment.is_control:
                recipe = study.recipe.variants()[0][1]
                wrapped = stack.enter_context(fresh_adapter(base.model, recipe, seed=0)).eval()
                stack.enter_context(wrapped.disable_adapter())
                yield base.engine, facts
                return
            if job.members:
                weighted = [(self._folder(one.job), one.weight) for one in job.members]
                wrapped = stack.enter_context(combined_adapter(base.model, weighted))
                if study.merge:
                    stack.enter_context(merged(wrapped))
                yield base.engine, {**facts, "effect": base.engine.probe_difference(before), "merged": study.merge}
                return
            folder = self._folder(job)
            if treatment.kind == "given":
                check_given_folder(folder, f"adapters.{treatment.name}")
            if not is_peft_folder(folder):
                engine = load_checkpoint(study, base, treatment.name, str(folder), self._device)
                yield engine, {**facts, "effect": engine.probe_difference(before)}
                return
            wrapped = stack.enter_context(saved_adapter(base.model, folder))
            if study.merge:
                stack.enter_context(merged(wrapped))
            yield base.engine, {**facts, "effect": base.engine.probe_difference(before), "merged": study.merge}

    def _evaluate(
        self, base: Base, job: Job, cell: Cell, engine: Engine, facts: dict[str, Any], timings: dict[str, float]
    ) -> Iterator[Progress | Recorded]:
        prepared = self._ready(base, cell.target, view_of(self._study, job.treatment))
        started = time.perf_counter()
        outcome = yield from _with_progress(job, f"evaluating {cell.target}", prepared.answer(engine))
        timings = {**timings, "evaluate": time.perf_counter() - started}
        facts = {**base.facts, **facts, **prepared.facts, **outcome.facts}
        texts = Texts(cell.texts_id, outcome.answers.items, prepared.texts)
        yield Recorded(job, self._record(job, cell, outcome, facts, timings), texts)

    def _ready(self, base: Base, target: Point, view: View) -> Prepared:
        """The items of a target as tokens, made once for all adapters of a model."""
        if (target, view) not in self._prepared:
            items = items_to_test(self._study, target, view)
            reading = self._study.reading(base.name)
            self._prepared[target, view] = prepare(base.tokenizer, items, reading, base.window, target.lang)
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


def _with_progress(job: Job, doing: str, steps: Generator[tuple[int, int], None, T]) -> Generator[Progress, None, T]:
    """The steps as events of the job, and what they return."""
    while True:
        try:
            done, total = next(steps)
        except StopIteration as stop:
            return cast(T, stop.value)
        yield Progress(job, doing, done, total)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("crossgraft", "torch", "transformers", "peft")}
