"""What the spec of an adapter study says: models, tasks, grid, recipe; and what follows from it without any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Literal

from crossgraft.adapters.bases.models import Given, Model
from crossgraft.adapters.items.encoding import Boundary, Reading
from crossgraft.adapters.items.sources import Mixture, Source, sources
from crossgraft.adapters.remedies.merges import SCALE, Merge, check_merge
from crossgraft.adapters.spec.grid import Grid, View
from crossgraft.adapters.spec.recipe import Axes, Recipe
from crossgraft.adapters.tasks import TASKS, MaybeSham, Split, Task
from crossgraft.adapters.training.callbacks import CALLBACKS
from crossgraft.core import Labels, Pairing, Point, SourceVariant, Treatment
from crossgraft.errors import SpecError, did_you_mean
from crossgraft.recommendation.question import Question
from crossgraft.spec import Chosen
from crossgraft.study import Input, Origin, Workplace


@dataclass(frozen=True)
class AdapterSpec:
    """Every model × source × recipe × seed, and every given adapter, on every target."""

    name: str
    models: dict[str, Model]
    tasks: dict[str, Annotated[Task, Chosen("kind", TASKS, default="choice")]]
    grid: Grid
    adapters: dict[str, Given] = field(default_factory=dict)
    sources: dict[str, Mixture] = field(default_factory=dict)
    merges: dict[str, Merge] = field(default_factory=dict)
    recipe: Recipe = Recipe()
    seeds: tuple[int, ...] = (1,)
    attention: Literal["sdpa", "eager"] = "sdpa"
    scoring: Literal["auto", "packed", "kept", "plain"] = "auto"
    boundary: Boundary = "shared"
    merge: bool = False  # adapters into the weights before evaluation; float32 only
    callbacks: tuple[str, ...] = ()  # where training runs are followed
    limit: int = 0  # test items a target, 0 for all
    question: Question | None = None  # what `recommend` answers; in no id
    origin: Origin = field(default=Origin(), metadata={"toml": False})

    def __post_init__(self) -> None:
        if not self.models:
            raise SpecError("expected at least one model", ("models",))
        if self.limit < 0:
            raise SpecError(f"expected a number of items, 0 for all; got {self.limit}", ("limit",))
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise SpecError(f"expected different seeds; got {list(self.seeds)}", ("seeds",))
        if len(set(self.callbacks)) < len(self.callbacks):
            raise SpecError(f"expected different callbacks; got {list(self.callbacks)}", ("callbacks",))
        for name in self.callbacks:
            if name not in CALLBACKS.names():
                raise SpecError(
                    f"no callback is called {name!r}{did_you_mean(name, CALLBACKS.names())}", ("callbacks",)
                )
        if not self.targets:
            raise SpecError("no target is left: tasks that are only trained on are not evaluated", ("grid", "targets"))
        self._check_sources()
        self._check_derived()
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
        skills = list(dict.fromkeys(point.skill for point in self._every_point))
        for task in self.recipe.by_task:
            if task not in skills:
                raise SpecError(f"no task is called {task!r}{did_you_mean(task, skills)}", ("recipe", "by_task", task))

    def _check_derived(self) -> None:
        """Only LoRA's plain matrices can be scaled and added, and only adapters that are still there."""
        if not self.grid.scales and not self.merges:
            return
        key = ("grid", "scales") if self.grid.scales else ("merges",)
        if self.grid.keep_adapters == "never":
            raise SpecError(
                'scaled and merged adapters need keep_adapters = "always": they read trained ones again', key
            )
        if self.training_sources and any(r.method == "full" or r.dora for _, r in self.recipe.variants()):
            raise SpecError("only LoRA adapters can be scaled or merged, without DoRA; leave out this or that", key)
        labels = [source.label for source in self.training_sources]
        for pattern in self.grid.scaled:
            if self.grid.scales and not any(fnmatchcase(label, pattern) for label in labels):
                raise SpecError(
                    f"{pattern!r} matches no trained source{did_you_mean(pattern, labels)}", ("grid", "scaled")
                )
        for name, merge in self.merges.items():
            check_merge(name, merge, labels, self.adapters)

    @cached_property
    def _every_point(self) -> tuple[Point, ...]:
        return tuple(Point(task, language) for task, kind in self.tasks.items() for language in kind.languages)

    @cached_property
    def targets(self) -> tuple[Point, ...]:
        """The points that are evaluated, in the order of the tasks; tasks that are only trained on are left out."""
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
        variants: list[SourceVariant] = [""]
        if self.grid.sham:
            variants.append("sham")
        if self.grid.format_only:
            variants.append("format-only")
        every = sources(self.grid.sources, self._every_point, self.sources, variants)
        for pattern in self.grid.sham_of if len(variants) > 1 else ():
            if not any(fnmatchcase(source.name, pattern) for source in every):
                near = did_you_mean(pattern, [source.name for source in every])
                raise SpecError(f"{pattern!r} matches no source{near}", ("grid", "sham_of"))
        return tuple(
            source
            for source in every
            if not source.variant or any(fnmatchcase(source.name, pattern) for pattern in self.grid.sham_of)
        )

    def source_variant(self, source: Source) -> SourceVariant:
        """That of the source; a source of nothing but sham tasks is a sham as well."""
        parts = [self.tasks[point.task] for point, _ in source.parts]
        shams = [isinstance(task, MaybeSham) and task.is_sham for task in parts]
        return source.variant or ("sham" if all(shams) else "")

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

    def inputs(self) -> Sequence[Input]:
        found = [model.input(name, self.origin) for name, model in self.models.items()]
        found += [other for name, model in self.models.items() if (other := model.tokenizer_input(name, self.origin))]
        found += [given.input(name, self.origin) for name, given in self.adapters.items()]
        found += [self.data(point, "train") for point in self.trained_on()]
        found += [self.data(point, "test") for point in self.targets]
        if self.grid.shots or self.grid.base_shots:
            found += [self.data(point, "train") for point in self.targets]
        return found

    def trained_on(self) -> list[Point]:
        """Every point whose train split is read: by a source in any recipe, or to protect it."""
        recipes = [recipe for _, recipe in self.recipe.variants()]
        parts = [point for source in self.training_sources for point, _ in source.parts]
        found = [self.trained_point(point, recipe) for point in parts for recipe in recipes]
        return list(dict.fromkeys([*found, *(point for recipe in recipes for point in self.protected(recipe))]))

    def protected(self, recipe: Recipe) -> tuple[Point, ...]:
        """The points on which training must do no harm."""
        return tuple(point for pattern in recipe.protect for point in self._matching(pattern, ("recipe", "protect")))

    def data(self, point: Point, split: Split) -> Input:
        """The file, or whatever else, that a split of a point is read from."""
        one = self.tasks[point.task].input(point.lang, split, self.origin)
        return replace(one, role=f"tasks.{point.task}, {one.role}")

    @property
    def view(self) -> View:
        """How test items are shown, unless a control is to vary it."""
        return View(shots=self.grid.shots)

    def source_of(self, treatment: Treatment) -> Source:
        return next(source for source in self.training_sources if source.label == treatment.name)

    @cached_property
    def _recipes(self) -> dict[Axes, Recipe]:
        return dict(self.recipe.variants())

    def recipe_of(self, treatment: Treatment) -> Recipe:
        return self._recipes[tuple(axis for axis in treatment.recipe if axis[0] != SCALE)]

    def snapshots(self) -> tuple[float, ...]:
        """After how many epochs an adapter is looked at, beside its end."""
        return tuple(sorted({recipe.after for _, recipe in self.recipe.variants() if recipe.after}))

    def reading(self, model: str) -> Reading:
        """How texts become tokens of a model, in training and in evaluation."""
        told = self.models[model]
        return Reading(self.boundary, told.chat, told.system, self.grid.shots_between)

    @property
    def most_shots(self) -> int:
        """The most examples that stand before an item in any view."""
        return max((self.grid.shots, *self.grid.base_shots))

    def pairing(self, workplace: Workplace) -> Pairing:
        """How numbers are computed here."""
        from crossgraft.adapters.bases.loading import device_kind

        way = "" if self.scoring == "auto" else f" {self.scoring}"
        return Pairing(device_kind(workplace.device), self.attention + way, workplace.threads)
