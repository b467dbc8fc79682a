"""A look ahead: every input read before the work, what looks odd, the first items, the room adapters will take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crossgraft.adapters.bases.gguf.cached import notes
from crossgraft.adapters.bases.gguf.header import read_header
from crossgraft.adapters.bases.models import Model, adapter_bytes, check_given_folder, check_model, check_reachable
from crossgraft.adapters.forecast.architectures import KNOWN
from crossgraft.adapters.items.encoding import preview_lines
from crossgraft.adapters.items.ids import leaks, unequal_ids
from crossgraft.adapters.items.selection import items_to_test
from crossgraft.adapters.tasks import Fetched, Noted, Split, choose
from crossgraft.adapters.training.callbacks import require
from crossgraft.adapters.weights.peft_folder import check_plain_lora
from crossgraft.core import Job, Point
from crossgraft.metrics import METRICS
from crossgraft.study import Origin, PreviewItem

if TYPE_CHECKING:
    from crossgraft.adapters.spec.study_spec import AdapterSpec


def check(study: AdapterSpec) -> Sequence[str]:
    """Read every input and raise on the first mistake; return notes on what looks odd."""
    require(study.callbacks)
    for name, model in study.models.items():
        check_model(model, study.origin, f"models.{name}")
    for name, given in study.adapters.items():
        check_given_folder(Path(given.input(name, study.origin).path), f"adapters.{name}")
    for name in {source for merge in study.merges.values() for source in merge.sources if source in study.adapters}:
        check_plain_lora(Path(study.adapters[name].input(name, study.origin).path))
    for task in study.tasks.values():
        if task.metric:
            METRICS.get(task.metric).require()
    train = {
        point: choose(study.tasks[point.task].items(point.lang, "train", study.origin), study.grid.train_items)
        for point in study.trained_on()
        if is_here(study, point, "train")
    }
    test = {target: items_to_test(study, target) for target in study.targets if is_here(study, target, "test")}
    remarks = [note for task in study.tasks.values() if isinstance(task, Noted) for note in task.notes()]
    if away := len(study.trained_on()) + len(study.targets) - len(train) - len(test):
        remarks.append(f"{away} splits of the hub are not on this machine yet: a run downloads and checks them first")
    about = [note for name, model in study.models.items() for note in _about(name, model, study.origin)]
    return [*about, *remarks, *leaks(train, test), *unequal_ids(test)]


def _about(name: str, model: Model, origin: Origin) -> Sequence[str]:
    """What to know of a model whose weights are not the original ones."""
    file = model.gguf_file(origin)
    return notes(name, read_header(file), own_tokenizer=not model.tokenizer) if file else ()


def is_here(study: AdapterSpec, point: Point, split: Split) -> bool:
    """Whether a split can be read without a download."""
    task = study.tasks[point.task]
    splits: tuple[Split, ...] = (split, "train") if study.most_shots else (split,)
    return not isinstance(task, Fetched) or all(task.is_here(point.lang, one, study.origin) for one in splits)


def fetch(study: AdapterSpec) -> None:
    """Download what tasks lack, as far as the study reads it; refuse models that cannot be had before the first job."""
    for name, model in study.models.items():
        check_reachable(model, f"models.{name}")
    used = {point.task for point in (*study.trained_on(), *study.targets)}
    for name, task in study.tasks.items():
        if name in used and isinstance(task, Fetched):
            task.fetch(study.origin)


def preview(study: AdapterSpec, count: int) -> Iterator[PreviewItem]:
    """The first items of every target, as tokens of the first model."""
    from crossgraft.adapters.bases.loading import load_tokenizer

    name, model = next(iter(study.models.items()))
    tokenizer = load_tokenizer(name, model, study.origin)
    for target in study.targets:
        for item in items_to_test(study, target)[:count]:
            yield PreviewItem(target, item.id, tuple(preview_lines(tokenizer, item, study.reading(name))))


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
        return adapter_bytes(model.shapes(study.origin), rank, targets)
    shape = KNOWN.get(model.hub)
    return None if shape is None else 4 * shape.lora(rank, targets)
