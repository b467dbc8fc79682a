"""A study of adapters: each trained on one source, each evaluated on all targets, against the base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from crossgraft.adapters.encoding import Boundary, Reading, glimpse
from crossgraft.adapters.ids import leaks, unequal_ids
from crossgraft.adapters.models import Given, Model, adapter_bytes, check_given_folder, check_model_folder
from crossgraft.adapters.recipe import Recipe
from crossgraft.adapters.sources import Drawn, Mixture, Source, Variant, sources
from crossgraft.adapters.tasks import TASKS, AnyItem, Noted, Split, Task, TextItem, choose
from crossgraft.adapters.training.callbacks import CALLBACKS, require
from crossgraft.core import Cell, Job, Labels, Pairing, Point, Treatment
from crossgraft.errors import DataError, SpecError, did_you_mean
from crossgraft.identity import content_id, item_hash
from crossgraft.metrics import METRICS
from crossgraft.spec import Chosen
from crossgraft.study import Bench, Fingerprints, Glimpse, Input, Origin, Worker

SCORING = 2  # raise it when the same inputs would give other answers
TRAINING = 3  # raise it when the same inputs would give another adapter
PROMPT = "{prompt}"  # the prompt as it is


@dataclass(frozen=True)
class View:
    """How test items are shown: the prompt put into a template, after so many solved examples."""

    template: str = PROMPT
    shots: int = 0


@dataclass(frozen=True)
class Grid:
    """``[grid]``: which points are trained on and evaluated on, and how many items of them.

    Patterns are task/language with ``*``. ``base_repeats`` measures the base again (its own noise);
    ``base_variants`` are harmless changes of the prompt, such as ``"{prompt} "``. ``shots`` solved examples of
    the train split stand before every test item, the same for all of them in all languages; ``base_shots``
    measure the base with so many beside it, to see what an adapter does that examples would do too. ``sham``
    and ``format_only`` train every source in these versions too.
    """

    sources: tuple[str, ...] = ()
    targets: tuple[str, ...] = ("*",)
    train_items: int = 0  # 0: all
    test_items: int = 0  # 0: all
    base_repeats: int = 1
    base_variants: tuple[str, ...] = ()
    shots: int = 0
    shots_seed: int = 0
    shots_between: str = "\n\n"
    base_shots: tuple[int, ...] = ()
    sham: bool = False
    format_only: bool = False
    keep_adapters: Literal["always", "never"] = "always"

    def __post_init__(self) -> None:
        for name in ("train_items", "test_items", "shots"):
            if getattr(self, name) < 0:
                raise SpecError(f"expected a number of items, 0 for all; got {getattr(self, name)}", (name,))
        if any(shots < 1 for shots in self.base_shots) or self.shots in self.base_shots:
            raise SpecError(
                f"expected numbers of examples from 1 on, other than shots; got {list(self.base_shots)}",
                ("base_shots",),
            )
        if self.base_repeats < 1:
            raise SpecError(f"expected at least 1; got {self.base_repeats}", ("base_repeats",))
        for variant in self.base_variants:
            if "{prompt}" not in variant:
                raise SpecError(f"expected a template with {{prompt}}; got {variant!r}", ("base_variants",))


@dataclass(frozen=True)
class AdapterStudy:
    """Every model × source × recipe × seed, and every given adapter, on every target."""

    name: str
    models: dict[str, Model]
    tasks: dict[str, Annotated[Task, Chosen("kind", TASKS, default="choice")]]
    grid: Grid
    adapters: dict[str, Given] = field(default_factory=dict)
    sources: dict[str, Mixture] = field(default_factory=dict)
    recipe: Recipe = Recipe()
    seeds: tuple[int, ...] = (1,)
    attention: Literal["sdpa", "eager"] = "sdpa"
    scoring: Literal["auto", "packed", "kept", "plain"] = "auto"
    boundary: Boundary = "shared"
    merge: bool = False  # adapters into the weights before evaluation; float32 only
    callbacks: tuple[str, ...] = ()  # where training runs are followed
    limit: int = 0  # test items a target, 0 for all
    origin: Origin = field(default=Origin(), metadata={"toml": False})

    def __post_init__(self) -> None:
        if not self.models:
            raise SpecError("expected at least one model", ("models",))
        if self.limit < 0:
            raise SpecError(f"expected a number of items, 0 for all; got {self.limit}", ("limit",))
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise SpecError(f"expected different seeds; got {list(self.seeds)}", ("seeds",))
        for name in self.callbacks:
            if name not in CALLBACKS.names():
                raise SpecError(
                    f"no callback is called {name!r}{did_you_mean(name, CALLBACKS.names())}", ("callbacks",)
                )
        if not self.targets:
            raise SpecError("no target is left: tasks that are only trained on are none", ("grid", "targets"))
        self._check_sources()
        full = any(recipe.method == "full" for _, recipe in self.recipe.variants()) and bool(self.grid.sources)
        for name, model in self.models.items():
            if model.quantised and (self.merge or full):
                key = ("merge",) if self.merge else ("recipe", "method")
                raise SpecError(
                    f"models.{name} has quantised weights: they cannot be trained whole, and adapters cannot be merged "
                    "into them without rounding; leave out quantised, or this",
                    key,
                )
            if self.merge and model.dtype != "float32":
                raise SpecError(
                    f"merge = true needs float32 weights, or rounding would be part of what is measured; models.{name} is "
                    f"{model.dtype}",
                    ("merge",),
                )
        for name, given in self.adapters.items():
            if given.model not in self.models:
                raise SpecError(
                    f"no model is called {given.model!r}{did_you_mean(given.model, self.models)}",
                    ("adapters", name, "model"),
                )

    def _check_sources(self) -> None:
        for pattern in self.grid.sources:
            if not any(fnmatchcase(name, pattern) for name in [*map(str, self._every_point), *self.sources]):
                raise SpecError(self._no_point(pattern), ("grid", "sources"))
        for source in self.training_sources:
            if source.adapter and source.adapter not in self.adapters:
                near = did_you_mean(source.adapter, self.adapters)
                raise SpecError(f"no adapter is called {source.adapter!r}{near}", ("sources", source.name, "adapter"))
            for _, recipe in self.recipe.variants():
                for point, _ in source.parts:
                    self.trained_point(point, recipe)
        for pattern in self.recipe.protect:
            self._matching(pattern, ("recipe", "protect"))

    @cached_property
    def _every_point(self) -> tuple[Point, ...]:
        return tuple(Point(task, language) for task, kind in self.tasks.items() for language in kind.languages)

    @cached_property
    def targets(self) -> tuple[Point, ...]:
        """The points that are evaluated, in the order of the tasks; tasks that are only trained on are none."""
        chosen: dict[Point, None] = {}
        for pattern in self.grid.targets:
            chosen.update(dict.fromkeys(self._matching(pattern, ("grid", "targets"))))
        return tuple(point for point in self._every_point if point in chosen and self.tasks[point.task].metric)

    def _matching(self, pattern: str, at: tuple[str, ...]) -> list[Point]:
        found = [point for point in self._every_point if fnmatchcase(str(point), pattern)]
        if not found:
            raise SpecError(self._no_point(pattern), at)
        return found

    def _no_point(self, pattern: str) -> str:
        task, _, language = pattern.rpartition("/")
        if task in self.tasks:
            return f"the task {task!r} has no language {language!r}; it has {', '.join(self.tasks[task].languages)}"
        known = [*map(str, self._every_point), *self.sources]
        return f"{pattern!r} is no task/language of this study{did_you_mean(pattern, known)}"

    @cached_property
    def training_sources(self) -> tuple[Source, ...]:
        variants: list[Variant] = [""]
        if self.grid.sham:
            variants.append("sham")
        if self.grid.format_only:
            variants.append("format-only")
        return sources(self.grid.sources, self._every_point, self.sources, variants)

    def trained_point(self, point: Point, recipe: Recipe) -> Point:
        """The view of a point that a recipe trains on: with format "letter", TASK@letter."""
        if recipe.format == "as-evaluated":
            return point
        view = f"{point.skill}@{recipe.format}"
        if view not in self.tasks:
            raise SpecError(
                f"format {recipe.format!r} trains on the view {view!r}, which is no task of this study{did_you_mean(view, self.tasks)}",
                ("recipe", "format"),
            )
        return Point(view, point.lang)

    @property
    def test_items(self) -> int:
        """How many test items a target, 0 for all: the smaller of grid.test_items and limit."""
        counts = [count for count in (self.grid.test_items, self.limit) if count]
        return min(counts, default=0)

    def labels(self) -> Labels:
        """What the spec says of models and tasks beside their names."""
        translated = {name: getattr(task, "translated", "unknown") for name, task in self.tasks.items()}
        return Labels(
            {name: model.family for name, model in self.models.items() if model.family},
            {name: model.billions for name, model in self.models.items() if model.billions is not None},
            {name: how for name, how in translated.items() if how != "unknown"},
        )

    # what it depends on, and what it consists of

    def inputs(self) -> Sequence[Input]:
        found = [model.input(name, self.origin) for name, model in self.models.items()]
        found += [given.input(name, self.origin) for name, given in self.adapters.items()]
        found += [self._data(point, "train") for point in self._trained_on()]
        found += [self._data(point, "test") for point in self.targets]
        if self.grid.shots or self.grid.base_shots:
            found += [self._data(point, "train") for point in self.targets]
        return found

    def _trained_on(self) -> list[Point]:
        """Every point whose train split is read: by a source in any recipe, or to protect it."""
        recipes = [recipe for _, recipe in self.recipe.variants()]
        parts = [point for source in self.training_sources for point, _ in source.parts]
        found = [self.trained_point(point, recipe) for point in parts for recipe in recipes]
        return list(dict.fromkeys([*found, *(point for recipe in recipes for point in self.protected(recipe))]))

    def protected(self, recipe: Recipe) -> tuple[Point, ...]:
        """The points on which training must do no harm."""
        return tuple(point for pattern in recipe.protect for point in self._matching(pattern, ("recipe", "protect")))

    def _data(self, point: Point, split: Split) -> Input:
        one = self.tasks[point.task].input(point.lang, split, self.origin)
        return replace(one, role=f"tasks.{point.task}, {one.role}")

    def jobs(self, fingerprints: Fingerprints) -> tuple[Job, ...]:
        found: list[Job] = []
        tests = self._tests(fingerprints)
        for name, model in self.models.items():
            base = {"weights": fingerprints[model.input(name, self.origin)], **model.identity()}
            merged = {"merged": True} if self.merge else {}
            for treatment, extra in self._controls(name):
                view = self.view_of(treatment)
                texts = tests if view == self._view else self._tests(fingerprints, view)
                found.append(self._job(treatment, content_id(base=base, **extra), texts))
            for treatment, weights in self._given(name, fingerprints):
                found.append(self._job(treatment, content_id(base=base, given=weights), tests, merged))
            for treatment, source, recipe in self._trained(name):
                training = self._training_id(source, recipe, treatment.seed or 0, fingerprints)
                job = self._job(treatment, content_id(base=base, **training), tests, merged)
                run = {**training, "recipe": dict(recipe.training().identity())}
                found.append(replace(job, run_id=content_id(base=base, **run)))
        return tuple(found)

    @property
    def _view(self) -> View:
        return View(shots=self.grid.shots)

    def _controls(self, model: str) -> Iterator[tuple[Treatment, dict[str, Any]]]:
        """The base, its repeats, and its variants, each with what sets its id apart."""
        yield Treatment(model, "base", "control"), {}
        for number in range(2, self.grid.base_repeats + 1):
            yield Treatment(model, "base", "control", variant=f"repeat {number}"), {"repeat": number}
        for template in self.grid.base_variants:
            yield Treatment(model, "base", "control", variant=f"prompt {template!r}"), {}
        for shots in self.grid.base_shots:
            yield Treatment(model, "base", "control", variant=_with_shots(shots)), {}

    def _given(self, model: str, fingerprints: Fingerprints) -> Iterator[tuple[Treatment, str]]:
        for name, given in self.adapters.items():
            if given.model == model:
                yield Treatment(model, name, "given", given.trained_on), fingerprints[given.input(name, self.origin)]

    def _trained(self, model: str) -> Iterator[tuple[Treatment, Source, Recipe]]:
        for seed in self.seeds:
            for axes, recipe in self.recipe.variants():
                for source in self.training_sources:
                    if not source.adapter or self.adapters[source.adapter].model == model:
                        yield Treatment(model, source.label, "trained", source.point, axes, seed), source, recipe

    def _training_id(self, source: Source, recipe: Recipe, seed: int, fingerprints: Fingerprints) -> dict[str, Any]:
        """Everything that makes another adapter."""
        parts = [(self.trained_point(point, recipe), weight) for point, weight in source.parts]
        told: dict[str, Any] = {
            "data": [fingerprints[self._data(point, "train")] for point, _ in parts],
            "reading": [dict(self.tasks[point.task].identity(point.lang)) for point, _ in parts],
            "items": self.grid.train_items,
            "recipe": dict(recipe.identity()),
            "seed": seed,
            "training": TRAINING,
        }
        if len(parts) > 1:
            told["shares"] = [weight for _, weight in parts]
        if source.variant:
            told["variant"] = source.variant
        if source.adapter:
            told["from"] = fingerprints[self.adapters[source.adapter].input(source.adapter, self.origin)]
        if recipe.protect:
            told["protect"] = [fingerprints[self._data(point, "train")] for point in self.protected(recipe)]
        return told

    def source_of(self, treatment: Treatment) -> Source:
        return next(source for source in self.training_sources if source.label == treatment.name)

    def _tests(self, fingerprints: Fingerprints, view: View | None = None) -> list[tuple[Point, str]]:
        """Every target with the id of its item set, as it is read and rendered."""
        shown = view or self._view
        found = []
        for target in self.targets:
            told = {
                "data": fingerprints[self._data(target, "test")],
                "reading": dict(self.tasks[target.task].identity(target.lang)),
                "items": self.test_items,
                "template": shown.template,
            }
            if self._most_shots:
                told |= {
                    "shots": [shown.shots, self._most_shots, self.grid.shots_seed, self.grid.shots_between],
                    "shot data": fingerprints[self._data(target, "train")],
                }
            if self.boundary != "shared":
                told["boundary"] = self.boundary
            found.append((target, content_id(**told)))
        return found

    def _job(
        self,
        treatment: Treatment,
        treatment_id: str,
        tests: Sequence[tuple[Point, str]],
        how: Mapping[str, Any] = MappingProxyType({}),
    ) -> Job:
        item_set = f"{self.test_items} items" if self.test_items else "all"
        cells = (
            Cell(
                target,
                content_id(treatment=treatment_id, texts=texts_id, scoring=SCORING, **how),
                texts_id,
                item_set,
                self.tasks[target.task].metric,
            )
            for target, texts_id in tests
        )
        return Job(treatment, treatment_id, tuple(cells))

    def recipe_of(self, treatment: Treatment) -> Recipe:
        return dict(self.recipe.variants())[treatment.recipe]

    def snapshots(self) -> tuple[float, ...]:
        """After how many epochs an adapter is looked at, beside its end."""
        return tuple(sorted({recipe.after for _, recipe in self.recipe.variants() if recipe.after}))

    def view_of(self, treatment: Treatment) -> View:
        """How the test items are shown to a treatment: only controls vary it."""
        for template in self.grid.base_variants:
            if treatment.variant == f"prompt {template!r}":
                return View(template, self.grid.shots)
        for shots in self.grid.base_shots:
            if treatment.variant == _with_shots(shots):
                return View(shots=shots)
        return self._view

    def reading(self, model: str) -> Reading:
        """How texts become tokens of a model, in training and in evaluation."""
        told = self.models[model]
        return Reading(self.boundary, told.chat, told.system, self.grid.shots_between)

    # data

    def training_items(self, source: Source, recipe: Recipe) -> tuple[Drawn, ...]:
        def of(point: Point) -> Sequence[AnyItem]:
            view = self.trained_point(point, recipe)
            return self.tasks[view.task].items(view.lang, "train", self.origin)

        return source.items(of, self.grid.train_items)

    def test_items_of(self, target: Point, view: View | None = None) -> tuple[AnyItem, ...]:
        """The test items as they are shown, without those that stand as examples before others."""
        shown = view or self._view
        every = self.tasks[target.task].items(target.lang, "test", self.origin)
        examples = self._examples(target)
        taken = {example.id for example in examples}
        items = choose([item for item in every if item.id not in taken], self.test_items)
        shots = tuple((one.prompt, one.answer) for one in examples[: shown.shots] if not isinstance(one, TextItem))
        return tuple(_shown(item, shown.template, shots) for item in items)

    @property
    def _most_shots(self) -> int:
        return max((self.grid.shots, *self.grid.base_shots))

    def _examples(self, target: Point) -> Sequence[AnyItem]:
        """The train items whose ids come first in a shuffle of their own: the same in all languages."""
        if not self._most_shots:
            return ()
        every = self.tasks[target.task].items(target.lang, "train", self.origin)
        if len(every) < self._most_shots:
            raise DataError(f"{target}: {self._most_shots} shots, but only {len(every)} items in the train split")
        return sorted(every, key=lambda item: item_hash(f"shot {item.id}", self.grid.shots_seed))[: self._most_shots]

    # work

    def pairing(self, bench: Bench) -> Pairing:
        from crossgraft.adapters.loading import device_kind

        way = "" if self.scoring == "auto" else f" {self.scoring}"
        return Pairing(device_kind(bench.device), self.attention + way, bench.threads)

    @contextmanager
    def open(self, bench: Bench) -> Iterator[Worker]:
        from crossgraft.adapters.worker import AdapterWorker

        worker = AdapterWorker(self, bench)
        try:
            yield worker
        finally:
            worker.close()

    # a look ahead

    def check(self) -> Sequence[str]:
        require(self.callbacks)
        for name, model in self.models.items():
            if model.path:
                check_model_folder(Path(model.input(name, self.origin).path), f"models.{name}")
        for name, given in self.adapters.items():
            check_given_folder(Path(given.input(name, self.origin).path), f"adapters.{name}")
        for task in self.tasks.values():
            if task.metric:
                METRICS.get(task.metric).require()
        train = {
            point: choose(self.tasks[point.task].items(point.lang, "train", self.origin), self.grid.train_items)
            for point in self._trained_on()
        }
        test = {target: self.test_items_of(target) for target in self.targets}
        told = [note for task in self.tasks.values() if isinstance(task, Noted) for note in task.notes()]
        return [*told, *leaks(train, test), *unequal_ids(test)]

    def preview(self, count: int) -> Iterator[Glimpse]:
        from crossgraft.adapters.loading import load_tokenizer

        name, model = next(iter(self.models.items()))
        tokenizer = load_tokenizer(name, model, self.origin)
        for target in self.targets:
            for item in self.test_items_of(target)[:count]:
                yield Glimpse(target, item.id, tuple(glimpse(tokenizer, item, self.reading(name))))

    def smoke(self) -> AdapterStudy:
        """One source a model and recipe, one step, one item a target."""
        first = tuple(source.name for source in self.training_sources[:1])
        grid = replace(self.grid, sources=first, train_items=self.recipe.batch)
        recipe = replace(self.recipe, steps=1, axes={k: v for k, v in self.recipe.axes.items() if k != "steps"})
        return replace(self, grid=grid, recipe=recipe, seeds=self.seeds[:1], limit=1)

    def adapter_bytes(self, jobs: Sequence[Job]) -> int | None:
        """What the adapters of these jobs will take on disk; None when a model is not here to be measured."""
        recipes = dict(self.recipe.variants())
        weights: dict[tuple[str, int], int] = {}
        total = 0
        for job in jobs:
            model, recipe = self.models[job.treatment.model], recipes[job.treatment.recipe]
            if model.hub:
                return None
            key = (job.treatment.model, recipe.rank)
            if key not in weights:
                folder = Path(model.input(job.treatment.model, self.origin).path)
                weights[key] = adapter_bytes(folder, recipe.rank, recipe.targets)
            total += weights[key]
        return total


def artefact(job: Job, after: float) -> str:
    """The name of the folder that holds what a job's training run left, at its end or after so many epochs."""
    return f"{job.run_id}.after-{after:g}" if after else job.run_id


def _with_shots(count: int) -> str:
    return f"{count} shot{'s' if count > 1 else ''}"


def _shown(item: AnyItem, template: str, shots: tuple[tuple[str, str], ...]) -> AnyItem:
    """The item with its prompt put into a template, after its examples; a running text has neither."""
    if isinstance(item, TextItem):
        return item
    return replace(item, prompt=template.replace("{prompt}", item.prompt), shots=shots)
