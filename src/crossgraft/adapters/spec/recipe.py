"""``[recipe]``: how one adapter is trained. A list under ``[recipe.axes]`` is an axis of the grid."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import product
from typing import Any, Literal

from crossgraft.core import Scalar
from crossgraft.errors import SpecError, did_you_mean
from crossgraft.spec import convert

Axes = tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True)
class OfTask:
    """``[recipe.by_task.NAME]``: what differs for the items of one task, whatever its view."""

    loss_on: Literal["", "answer", "all"] = ""
    max_tokens: int = 0
    special_tokens: Literal["", "as-evaluated", "none"] = ""

    def __post_init__(self) -> None:
        if self.max_tokens < 0:
            raise SpecError(f"expected 0 or more; got {self.max_tokens}", ("max_tokens",))


@dataclass(frozen=True)
class Recipe:
    """The defaults are those of the paper's release where it states them (rank, alpha, targets, epochs,
    learning rate, warm-up).

    How long: ``epochs``, or else ``steps``, ``examples`` or ``tokens``, whichever is given; the learning rate
    falls to the end of that. Seeds of -1 follow the seed of the study.
    """

    method: Literal["lora", "full"] = "lora"
    rank: int = 32
    alpha: float = 64.0  # PEFT scales by alpha / rank, or by alpha / √rank with rslora
    dropout: float = 0.0
    targets: tuple[str, ...] = ("all-linear",)
    layers: tuple[int, ...] = ()  # none: all
    rslora: bool = False
    dora: bool = False
    init: Literal["default", "gaussian", "orthogonal"] = "default"
    learning_rate: float = 5e-5
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup: float = 0.1  # share of the steps
    epochs: int = 3
    steps: int = 0
    examples: int = 0
    tokens: int = 0
    batch: int = 8  # examples a step
    batch_tokens: int = 0  # tokens a step, instead of examples
    weight_decay: float = 0.0
    clip: float = 1.0  # largest norm of the gradient; 0: never clipped
    autocast: bool = False  # compute in bfloat16 on float32 weights
    gradient_checkpointing: bool = False
    loss_on: Literal["answer", "all"] = "answer"
    format: str = "as-evaluated"  # or the view of the task that is trained on: "letter" is TASK@letter
    chat: Literal["as-evaluated", "none"] = "as-evaluated"  # "none" trains without the chat template
    special_tokens: Literal["as-evaluated", "none"] = "as-evaluated"  # "none" puts no beginning of sequence in front
    by_task: dict[str, OfTask] = field(default_factory=dict)
    max_tokens: int = 0  # an example's; the prompt is cut on the left; 0: the model's window
    validation: float = 0.0  # share of the items held out; the epoch with the lowest loss on them is kept
    protect: tuple[str, ...] = ()  # points on which training stops once they fall by more than ``tolerance``
    tolerance: float = 1.0  # percentage points
    after: float = 0.0  # evaluate the adapter as it was after this many epochs; 0: at the end
    init_seed: int = -1
    order_seed: int = -1
    dropout_seed: int = -1
    axes: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("rank", "epochs", "batch"):
            if getattr(self, name) < 1:
                raise SpecError(f"expected at least 1; got {getattr(self, name)}", (name,))
        for name in ("alpha", "learning_rate"):
            if not getattr(self, name) > 0:
                raise SpecError(f"expected more than 0; got {getattr(self, name)}", (name,))
        for name in ("steps", "examples", "tokens", "batch_tokens", "max_tokens", "tolerance", "after"):
            if getattr(self, name) < 0:
                raise SpecError(f"expected 0 or more; got {getattr(self, name)}", (name,))
        for name in ("dropout", "warmup", "validation"):
            if not 0 <= getattr(self, name) < 1:
                raise SpecError(f"expected a share from 0 to below 1; got {getattr(self, name)}", (name,))
        if any(layer < 0 for layer in self.layers):
            raise SpecError(f"expected numbers of layers from 0 on; got {list(self.layers)}", ("layers",))
        if len([name for name in ("steps", "examples", "tokens") if getattr(self, name)]) > 1:
            raise SpecError("expected one of steps, examples and tokens; got more", ("steps",))
        if self.protect and self.validation:
            raise SpecError("expected protect or validation: each chooses the epoch that is kept", ("protect",))
        self._check_axes()

    def _check_axes(self) -> None:
        if not self.axes:
            return  # a recipe is made anew for every job, and type hints take time
        hints = typing.get_type_hints(Recipe, include_extras=True)
        known = [one.name for one in fields(self) if one.name not in ("axes", "by_task")]
        for name, values in self.axes.items():
            if name not in known:
                raise SpecError(f"unknown key {name!r}{did_you_mean(name, known)}", ("axes", name))
            lists = typing.get_origin(hints[name]) is tuple
            if not values or any(isinstance(value, list) != lists for value in values):
                what = "a list of lists" if lists else "a list of plain values"
                raise SpecError(f"expected {what}; got {list(values)}", ("axes", name))
            for index, value in enumerate(values):
                convert(value, hints[name], ("axes", name, str(index)))

    def variants(self) -> tuple[tuple[Axes, Recipe], ...]:
        """Every combination of the axes with the recipe it stands for."""
        names = tuple(self.axes)
        hints = typing.get_type_hints(Recipe, include_extras=True)
        found = []
        for values in product(*self.axes.values()):
            chosen = {
                name: convert(value, hints[name], ("axes", name)) for name, value in zip(names, values, strict=True)
            }
            shown = tuple((name, _scalar(value)) for name, value in chosen.items())
            found.append((shown, replace(self, axes={}, **chosen)))
        return tuple(found)

    def identity(self) -> Mapping[str, Any]:
        """What makes another adapter: all that differs from the defaults, so that a new key changes no old id."""
        plain = asdict(Recipe())
        given = asdict(self)
        always = ("rank", "alpha", "learning_rate", "epochs", "batch")
        return {
            name: value for name, value in given.items() if name != "axes" and (name in always or value != plain[name])
        }

    def of_task(self, task: str) -> Recipe:
        """The recipe for the items of a task: what ``by_task`` says of it, and else what holds for all."""
        own = self.by_task.get(task, OfTask())
        chosen = {one.name: value for one in fields(own) if (value := getattr(own, one.name))}
        return replace(self, axes={}, **chosen)

    def training(self) -> Recipe:
        """The training run this belongs to: adapters after other numbers of epochs come from the same one."""
        return replace(self, after=0.0)


def _scalar(value: Any) -> Scalar:
    """A value of an axis as it stands in labels."""
    return "+".join(map(str, value)) if isinstance(value, tuple) else value
