"""A look ahead: every input read before the work, what looks odd, the first items, the room adapters will take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crossgraft.adapters.forecast.architectures import KNOWN
from crossgraft.adapters.ids import leaks, unequal_ids
from crossgraft.adapters.items.encoding import glimpse
from crossgraft.adapters.items.shown import items_to_test
from crossgraft.adapters.models import adapter_bytes, check_given_folder, check_model_folder
from crossgraft.adapters.tasks import Fetched, Noted, Split, choose
from crossgraft.adapters.training.callbacks import require
from crossgraft.core import Job, Point
from crossgraft.metrics import METRICS
from crossgraft.study import Glimpse

if TYPE_CHECKING:
    from crossgraft.adapters.spec import AdapterSpec


def check(study: AdapterSpec) -> Sequence[str]:
    """Read every input and raise on the first mistake; return notes on what looks odd."""
    require(study.callbacks)
    for name, model in study.models.items():
        if model.path:
            check_model_folder(Path(model.input(name, study.origin).path), f"models.{name}")
    for name, given in study.adapters.items():
        check_given_folder(Path(given.input(name, study.origin).path), f"adapters.{name}")
    for task in study.tasks.values():
        if task.metric:
            METRICS.get(task.metric).require()
    train = {
        point: choose(study.tasks[point.task].items(point.lang, "train", study.origin), study.grid.train_items)
        for point in study.trained_on()
        if is_here(study, point, "train")
    }
    test = {target: items_to_test(study, target) for target in study.targets if is_here(study, target, "test")}
    told = [note for task in study.tasks.values() if isinstance(task, Noted) for note in task.notes()]
    if away := len(study.trained_on()) + len(study.targets) - len(train) - len(test):
        told.append(f"{away} splits of the hub are not on this machine yet: a run downloads and checks them first")
    return [*told, *leaks(train, test), *unequal_ids(test)]


def is_here(study: AdapterSpec, point: Point, split: Split) -> bool:
    """Whether a split can be read without a download."""
    task = study.tasks[point.task]
    splits: tuple[Split, ...] = (split, "train") if study.most_shots else (split,)
    return not isinstance(task, Fetched) or all(task.is_here(point.lang, one, study.origin) for one in splits)


def fetch(study: AdapterSpec) -> None:
    """Download what tasks lack, as far as the study reads it."""
    used = {point.task for point in (*study.trained_on(), *study.targets)}
    for name, task in study.tasks.items():
        if name in used and isinstance(task, Fetched):
            task.fetch(study.origin)


def preview(study: AdapterSpec, count: int) -> Iterator[Glimpse]:
    """The first items of every target, as tokens of the first model."""
    from crossgraft.adapters.loading import load_tokenizer

    name, model = next(iter(study.models.items()))
    tokenizer = load_tokenizer(name, model, study.origin)
    for target in study.targets:
        for item in items_to_test(study, target)[:count]:
            yield Glimpse(target, item.id, tuple(glimpse(tokenizer, item, study.reading(name))))


def bytes_of_adapters(study: AdapterSpec, jobs: Sequence[Job]) -> int | None:
    """What the adapters of these jobs will take on disk; None when the shapes of a model are not known."""
    recipes = dict(study.recipe.variants())
    weights: dict[tuple[str, int, tuple[str, ...]], int | None] = {}
    total = 0
    for job in jobs:
        recipe = recipes[job.treatment.recipe]
        key = (job.treatment.model, recipe.rank, recipe.targets)
        if key not in weights:
            weights[key] = _bytes_of_adapter(study, *key)
        if (size := weights[key]) is None:
            return None
        total += size
    return total


def _bytes_of_adapter(study: AdapterSpec, name: str, rank: int, targets: tuple[str, ...]) -> int | None:
    """From the shapes in a local folder, or of a hub model that is in our table."""
    model = study.models[name]
    if model.path:
        return adapter_bytes(Path(model.input(name, study.origin).path), rank, targets)
    shape = KNOWN.get(model.hub)
    return None if shape is None else 4 * shape.lora(rank, targets)
