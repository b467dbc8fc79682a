"""What a study consists of: its treatments, and the ids of everything they would make. Pure: no file is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from crossgraft.adapters.items.selection import view_of, with_shots
from crossgraft.adapters.items.sources import Source
from crossgraft.adapters.remedies.merges import SCALE, derived_id
from crossgraft.adapters.spec.grid import View
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.core import Cell, Job, Member, Point, Treatment
from crossgraft.identity import content_id
from crossgraft.study import Fingerprints

if TYPE_CHECKING:
    from crossgraft.adapters.spec.study_spec import AdapterSpec

SCORING = 2  # raise it when the same inputs would give other answers
TRAINING = 3  # raise it when the same inputs would give another adapter


def jobs(study: AdapterSpec, fingerprints: Fingerprints) -> tuple[Job, ...]:
    """Every treatment of every model, each on every target."""
    found: list[Job] = []
    tests = _tests(study, fingerprints)
    for name, model in study.models.items():
        base = {"weights": fingerprints[model.input(name, study.origin)], **model.identity()}
        if other := model.tokenizer_input(name, study.origin):
            base["tokenizer"] = fingerprints[other]
        merged = {"merged": True} if study.merge else {}
        for treatment, extra in _controls(study, name):
            view = view_of(study, treatment)
            texts = tests if view == study.view else _tests(study, fingerprints, view)
            found.append(_job(study, treatment, content_id(base=base, **extra), texts))
        made: list[Job] = []  # adapters, of which others may be made
        for treatment, weights in _given(study, name, fingerprints):
            made.append(_job(study, treatment, content_id(base=base, given=weights), tests, merged))
        for treatment, source, recipe in _trained(study, name):
            training = _training_id(study, source, recipe, treatment.seed or 0, fingerprints)
            job = _job(study, treatment, content_id(base=base, **training), tests, merged)
            run = {**training, "recipe": dict(recipe.training().identity())}
            made.append(replace(job, run_id=content_id(base=base, **run)))
        found += made
        for treatment, members in (*_scaled(study, made), *_merged(study, made)):
            job = _job(study, treatment, derived_id(members), tests, merged)
            found.append(replace(job, run_id=members[0].job.run_id if len(members) == 1 else "", members=members))
    return tuple(found)


def _controls(study: AdapterSpec, model: str) -> Iterator[tuple[Treatment, dict[str, Any]]]:
    """The base, its repeats, and its variants, each with what sets its id apart."""
    yield Treatment(model, "base", "control"), {}
    for number in range(2, study.grid.base_repeats + 1):
        yield Treatment(model, "base", "control", variant=f"repeat {number}"), {"repeat": number}
    for template in study.grid.base_variants:
        yield Treatment(model, "base", "control", variant=f"prompt {template!r}"), {}
    for shots in study.grid.base_shots:
        yield Treatment(model, "base", "control", variant=with_shots(shots)), {}


def _given(study: AdapterSpec, model: str, fingerprints: Fingerprints) -> Iterator[tuple[Treatment, str]]:
    for name, given in study.adapters.items():
        if given.model == model:
            yield Treatment(model, name, "given", given.trained_on), fingerprints[given.input(name, study.origin)]


def _trained(study: AdapterSpec, model: str) -> Iterator[tuple[Treatment, Source, Recipe]]:
    for seed in study.seeds:
        for axes, recipe in study.recipe.variants():
            for source in study.training_sources:
                if not source.adapter or study.adapters[source.adapter].model == model:
                    variant = study.source_variant(source)
                    treatment = Treatment(
                        model, source.label, "trained", source.point, axes, seed, source_variant=variant
                    )
                    yield treatment, source, recipe


def _scaled(study: AdapterSpec, made: Sequence[Job]) -> Iterator[tuple[Treatment, tuple[Member, ...]]]:
    """Every trained adapter that ``scaled`` names, at every scale of the grid."""
    for scale in study.grid.scales:
        for job in made:
            name = job.treatment.name
            if job.treatment.kind == "trained" and any(fnmatchcase(name, pattern) for pattern in study.grid.scaled):
                recipe = (*job.treatment.recipe, (SCALE, scale))
                yield replace(job.treatment, kind="derived", recipe=recipe), (_member(job, scale),)


def _merged(study: AdapterSpec, made: Sequence[Job]) -> Iterator[tuple[Treatment, tuple[Member, ...]]]:
    """Every merge for each recipe and seed; a merge of given adapters has neither. A model needs all of its sources."""
    runs: dict[tuple[object, ...], dict[str, Job]] = {}
    for job in made:
        if job.treatment.kind == "trained":
            runs.setdefault((job.treatment.recipe, job.treatment.seed), {})[job.treatment.name] = job
    given = {job.treatment.name: job for job in made if job.treatment.kind == "given"}
    for name, merge in study.merges.items():
        for jobs in [given] if set(merge.sources) <= set(given) else runs.values():
            every = {**given, **jobs}
            if set(merge.sources) <= set(every):
                first = next((every[s].treatment for s in merge.sources if s in jobs), made[0].treatment)
                treatment = Treatment(first.model, name, "derived", None, first.recipe, first.seed)
                yield treatment, tuple(_member(every[source], weight) for source, weight in merge.parts)


def _member(job: Job, weight: float) -> Member:
    return Member(replace(job, cells=()), weight)


def _training_id(
    study: AdapterSpec, source: Source, recipe: Recipe, seed: int, fingerprints: Fingerprints
) -> dict[str, Any]:
    """Everything that makes another adapter."""
    parts = [(study.trained_point(point, recipe), weight) for point, weight in source.parts]
    parts_of_id: dict[str, Any] = {
        "data": [fingerprints[study.data(point, "train")] for point, _ in parts],
        "reading": [dict(study.tasks[point.task].identity(point.lang)) for point, _ in parts],
        "items": study.grid.train_items,
        "recipe": dict(recipe.identity()),
        "seed": seed,
        "training": TRAINING,
    }
    if len(parts) > 1:
        parts_of_id["shares"] = [weight for _, weight in parts]
    if source.variant:
        parts_of_id["variant"] = source.variant
    if source.adapter:
        parts_of_id["from"] = fingerprints[study.adapters[source.adapter].input(source.adapter, study.origin)]
    if recipe.protect:
        parts_of_id["protect"] = [fingerprints[study.data(point, "train")] for point in study.protected(recipe)]
    return parts_of_id


def _tests(study: AdapterSpec, fingerprints: Fingerprints, view: View | None = None) -> list[tuple[Point, str]]:
    """Every target with the id of its item set, as it is read and rendered."""
    shown = view or study.view
    found = []
    for target in study.targets:
        parts_of_id = {
            "data": fingerprints[study.data(target, "test")],
            "reading": dict(study.tasks[target.task].identity(target.lang)),
            "items": study.test_items,
            "template": shown.template,
        }
        if study.most_shots:
            parts_of_id |= {
                "shots": [shown.shots, study.most_shots, study.grid.shots_seed, study.grid.shots_between],
                "shot data": fingerprints[study.data(target, "train")],
            }
        if study.boundary != "shared":
            parts_of_id["boundary"] = study.boundary
        found.append((target, content_id(**parts_of_id)))
    return found


def _job(
    study: AdapterSpec,
    treatment: Treatment,
    treatment_id: str,
    tests: Sequence[tuple[Point, str]],
    how: Mapping[str, Any] = MappingProxyType({}),
) -> Job:
    item_set = f"{study.test_items} items" if study.test_items else "all"
    cells = (
        Cell(
            target,
            content_id(treatment=treatment_id, texts=texts_id, scoring=SCORING, **how),
            texts_id,
            item_set,
            study.tasks[target.task].metric,
        )
        for target, texts_id in tests
    )
    return Job(treatment, treatment_id, tuple(cells))


def artefact(job: Job, after: float) -> str:
    """The name of the folder that holds what a job's training run left, at its end or after so many epochs."""
    return f"{job.run_id}.after-{after:g}" if after else job.run_id
