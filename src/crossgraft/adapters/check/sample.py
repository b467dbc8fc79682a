"""A small part of a study, to time it before the first job; and how much work jobs are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from crossgraft.adapters.items.selection import items_to_test, items_to_train
from crossgraft.core import Job, Point
from crossgraft.runs.fingerprints import in_hub_cache
from crossgraft.study import Amount

if TYPE_CHECKING:
    from crossgraft.adapters.bases.models import Model
    from crossgraft.adapters.spec.study_spec import AdapterSpec

S = TypeVar("S", bound="AdapterSpec")
_ITEMS = 16  # test items, of one language of each task
_STEPS = (1, 4)  # of training: their difference is free of what a run costs before its first step


def sample(study: S, models: Collection[str]) -> S | None:
    """The given models as far as they are on this machine, on one language a task, with two short training runs."""
    here = {name: model for name, model in study.models.items() if name in models and _is_here(model)}
    if not here:
        return None
    source = next(
        (
            training_source
            for training_source in study.training_sources
            if not training_source.adapter or _model_of(study, training_source.adapter) in here
        ),
        None,
    )
    recipe = study.recipe.variants()[0][1]
    short = replace(
        recipe, steps=0, examples=0, tokens=0, batch_tokens=0, validation=0.0, protect=(), after=0.0,
        axes={"steps": _STEPS},
    )  # fmt: skip
    first = {target.task: str(target) for target in reversed(study.targets)}
    grid = replace(
        study.grid,
        sources=(source.name,) if source else (),
        targets=tuple(first.values()),
        train_items=max(_STEPS) * recipe.batch,
        base_repeats=1,
        base_variants=(),
        base_shots=(),
        sham=False,
        format_only=False,
        scales=(),
    )
    adapters = {source.adapter: study.adapters[source.adapter]} if source and source.adapter else {}
    limit = min(_ITEMS, study.test_items or _ITEMS)
    return replace(
        study,
        models=here,
        grid=grid,
        recipe=short,
        adapters=adapters,
        merges={},
        seeds=study.seeds[:1],
        limit=limit,
        callbacks=(),
    )


def _model_of(study: AdapterSpec, adapter: str) -> str:
    return study.adapters[adapter].model


def _is_here(model: Model) -> bool:
    return bool(model.path) or in_hub_cache(model.hub, model.revision)


def amounts(study: AdapterSpec, jobs: Sequence[Job]) -> tuple[Amount, ...]:
    """The test items of the targets of each job, and the examples or tokens that its training run reads."""

    @cache
    def tested(target: Point) -> int:
        return len(items_to_test(study, target))

    @cache
    def drawn(source: str, format: str) -> int:
        named = next(training_source for training_source in study.training_sources if training_source.label == source)
        return len(items_to_train(study, named, replace(study.recipe, axes={}, format=format)))

    def amount(job: Job) -> Amount:
        items = {cell.target: tested(cell.target) for cell in job.cells}
        if job.treatment.kind != "trained":
            return Amount(items)
        recipe = study.recipe_of(job.treatment)
        if recipe.tokens or recipe.batch_tokens * recipe.steps:
            return Amount(items, tokens=recipe.tokens or recipe.batch_tokens * recipe.steps)
        if recipe.steps or recipe.examples:
            return Amount(items, examples=recipe.examples or recipe.steps * recipe.batch)
        kept = drawn(job.treatment.name, recipe.format) * (1 - recipe.validation)
        return Amount(items, examples=round(recipe.epochs * kept))

    return tuple(map(amount, jobs))
