"""The items of a study as a model sees them: to train on, to be tested on, and solved before others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from crossgraft.adapters.items.sources import Drawn, Source
from crossgraft.adapters.spec.grid import View
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.tasks import AnyItem, TextItem, choose
from crossgraft.core import Point, Treatment
from crossgraft.errors import DataError
from crossgraft.identity import item_hash

if TYPE_CHECKING:
    from crossgraft.adapters.spec.study_spec import AdapterSpec


def items_to_train(study: AdapterSpec, source: Source, recipe: Recipe) -> tuple[Drawn, ...]:
    """What a source gives, in the view of its points that the recipe trains on."""

    def of(point: Point) -> Sequence[AnyItem]:
        view = study.trained_point(point, recipe)
        return study.tasks[view.task].items(view.lang, "train", study.origin)

    return source.items(of, study.grid.train_items)


def items_to_test(study: AdapterSpec, target: Point, view: View | None = None) -> tuple[AnyItem, ...]:
    """The test items as they are shown, without those that stand as examples before others."""
    shown = view or study.view
    every = study.tasks[target.task].items(target.lang, "test", study.origin)
    examples = _examples(study, target)
    taken = {example.id for example in examples}
    items = choose([item for item in every if item.id not in taken], study.test_items)
    shots = tuple((one.prompt, one.answer) for one in examples[: shown.shots] if not isinstance(one, TextItem))
    return tuple(_shown(item, shown.template, shots) for item in items)


def _examples(study: AdapterSpec, target: Point) -> Sequence[AnyItem]:
    """The train items whose ids come first in a shuffle of their own: the same in all languages."""
    if not study.most_shots:
        return ()
    every = study.tasks[target.task].items(target.lang, "train", study.origin)
    if len(every) < study.most_shots:
        raise DataError(f"{target}: {study.most_shots} shots, but only {len(every)} items in the train split")
    return sorted(every, key=lambda item: item_hash(f"shot {item.id}", study.grid.shots_seed))[: study.most_shots]


def view_of(study: AdapterSpec, treatment: Treatment) -> View:
    """How the test items are shown to a treatment: only controls vary it."""
    for template in study.grid.base_variants:
        if treatment.variant == f"prompt {template!r}":
            return View(template, study.grid.shots)
    for shots in study.grid.base_shots:
        if treatment.variant == with_shots(shots):
            return View(shots=shots)
    return study.view


def with_shots(count: int) -> str:
    """The variant of a base that is measured with so many examples."""
    return f"{count} shot{'s' if count > 1 else ''}"


def _shown(item: AnyItem, template: str, shots: tuple[tuple[str, str], ...]) -> AnyItem:
    """The item with its prompt put into a template, after its examples; a running text has neither."""
    if isinstance(item, TextItem):
        return item
    return replace(item, prompt=template.replace("{prompt}", item.prompt), shots=shots)
