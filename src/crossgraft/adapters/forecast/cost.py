"""Tokens, FLOPs, memory and hours of jobs, from shapes and lengths.

FLOPs: two per weight and token forward; backward through frozen weights two more, where the weights are trained too four more. The
head only where a token counts. Attention between tokens is left out: under a tenth for texts of some hundred tokens. Nothing is padded, and
the context of an item is read once for all options, as the engine does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from crossgraft.adapters.forecast.architectures import Architecture, architecture
from crossgraft.adapters.forecast.lengths import TEMPLATE, Length, length_tested, length_trained
from crossgraft.adapters.forecast.power import detectable
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.core import Job, Point
from crossgraft.study import Cost

if TYPE_CHECKING:
    from crossgraft.adapters.spec.study_spec import AdapterSpec

PEAK: Mapping[
    str, tuple[float, float]
] = {  # FLOP/s by the data sheets: bfloat16 and float16 on tensor cores, dense; float32
    "H200": (989e12, 67e12),
    "A100": (312e12, 19.5e12),
}
SHARES = (0.5, 0.2)  # of the peak that a run may reach; not measured
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_ACTIVATIONS = (
    34  # bytes per token, layer and hidden unit in 16 bits (Korthikanti et al., 2022), without attention's matrices
)
_Training = tuple[int, float, float, float]  # examples and tokens of all epochs, tokens held out, tokens that count
_OPTIMISER = 16  # bytes per trained weight: itself, its gradient and two moments in float32


@dataclass(frozen=True)
class _Work:
    """Of one job."""

    examples: int  # training examples read, all epochs
    trained: float  # tokens of them
    held_out: float  # tokens read to choose the epoch
    counted: float  # tokens with a loss
    items: int
    scored: float  # tokens read in evaluation
    options: float  # of them, those that are scored


def cost(study: AdapterSpec, jobs: Sequence[Job]) -> Cost | None:
    """None where the shapes of a model are not known."""
    shapes = {name: architecture(name, study.models[name], study.origin) for name in {j.treatment.model for j in jobs}}
    known = {name: shape for name, shape in shapes.items() if shape}
    if len(known) < len(shapes) or not jobs:
        return None
    works = list(_works(study, jobs))
    flops = [_flops(known[job.treatment.model], study, job, work) for job, work in zip(jobs, works, strict=True)]
    seconds = {
        name: sum(_least_seconds(study, job, one, name) for job, one in zip(jobs, flops, strict=True)) for name in PEAK
    }
    return Cost(
        examples=sum(work.examples for work in works),
        items=sum(work.items for work in works),
        trained_tokens=sum(work.trained for work in works),
        scored_tokens=sum(work.scored for work in works),
        flops=sum(flops),
        memory=max(
            _memory(known[job.treatment.model], study, job, work) for job, work in zip(jobs, works, strict=True)
        ),
        hours={name: (least / SHARES[0] / 3600, least / SHARES[1] / 3600) for name, least in seconds.items()},
        detectable=detectable(study, jobs),
        about=(
            f"a token for four bytes of text; {SHARES[1]:.0%} to {SHARES[0]:.0%} of the device's peak, which nothing here has measured; "
            "without loading and downloads"
        ),
    )


def _works(study: AdapterSpec, jobs: Iterable[Job]) -> Iterable[_Work]:

    @cache
    def of_target(target: Point) -> Length:
        return length_tested(study, target)

    @cache
    def of_point(point: Point) -> Length:
        return length_trained(study, point)

    known: dict[tuple[object, ...], _Training] = {}
    for job in jobs:
        treatment = job.treatment
        chat = TEMPLATE if study.models[treatment.model].chat else 0
        tests = [of_target(cell.target) for cell in job.cells]
        key = (treatment.kind, treatment.name, treatment.recipe, chat)
        if key not in known:
            known[key] = _training(study, job, of_point, chat) if treatment.kind == "trained" else (0, 0.0, 0.0, 0.0)
        yield _Work(
            *known[key],
            sum(test.items for test in tests),
            sum(test.items * (chat + test.prompt + test.options) for test in tests),
            sum(test.items * test.options for test in tests),
        )


def _training(study: AdapterSpec, job: Job, of_point: Callable[[Point], Length], chat: int) -> _Training:
    recipe, source = study.recipe_of(job.treatment), study.source_of(job.treatment)
    parts: list[tuple[Point, Length]] = [(p, of_point(study.trained_point(p, recipe))) for p, _ in source.parts]
    total = sum(length.items for _, length in parts)
    if len(parts) > 1 and study.grid.train_items:
        total = min(total, study.grid.train_items)
    held = max(1, round(total * recipe.validation)) if recipe.validation else 0
    mean = sum(_example(length, recipe.of_task(point.skill), chat) for point, length in parts) / len(parts)
    counted = sum(_counted(length, recipe.of_task(point.skill), chat) for point, length in parts) / len(parts)
    read = _examples_read(recipe, total - held, mean)
    return read, read * mean, held * mean * recipe.epochs, read * counted


def _example(length: Length, recipe: Recipe, chat: int) -> float:
    whole = length.prompt + length.answer + (chat if recipe.chat == "as-evaluated" else 0)
    return min(whole, recipe.max_tokens or whole)


def _counted(length: Length, recipe: Recipe, chat: int) -> float:
    return _example(length, recipe, chat) if recipe.loss_on == "all" else length.answer


def _examples_read(recipe: Recipe, kept: int, mean: float) -> int:
    if recipe.tokens:
        return round(recipe.tokens / mean)
    if recipe.steps and recipe.batch_tokens:
        return round(recipe.steps * recipe.batch_tokens / mean)
    return recipe.examples or recipe.steps * recipe.batch or recipe.epochs * kept


def _flops(shape: Architecture, study: AdapterSpec, job: Job, work: _Work) -> float:
    full = job.treatment.kind == "trained" and study.recipe_of(job.treatment).method == "full"
    body, head = shape.body, shape.head
    training = (6 if full else 4) * (body * work.trained + head * work.counted) + 2 * body * work.held_out
    return training + 2 * (body * work.scored + head * work.options)


def _least_seconds(study: AdapterSpec, job: Job, flops: float, device: str) -> float:
    """At the peak of the device in the precision of the job."""
    autocast = job.treatment.kind == "trained" and study.recipe_of(job.treatment).autocast
    half = study.models[job.treatment.model].dtype != "float32" or autocast
    return flops / PEAK[device][0 if half else 1]


def _memory(shape: Architecture, study: AdapterSpec, job: Job, work: _Work) -> float:
    """Weights, what is trained with its optimiser, and the activations of a step."""
    size = _BYTES[study.models[job.treatment.model].dtype]
    weights = size * shape.parameters
    if job.treatment.kind != "trained" or not work.examples:
        return float(weights)
    recipe = study.recipe_of(job.treatment)
    count = shape.parameters if recipe.method == "full" else shape.lora(recipe.rank, recipe.targets)
    tokens = recipe.batch_tokens or recipe.batch * work.trained / work.examples
    kept = 1 if recipe.gradient_checkpointing else shape.layers
    return weights + _OPTIMISER * count + _ACTIVATIONS / 2 * size * tokens * shape.hidden * kept
