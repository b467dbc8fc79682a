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
class Recipe:
    """LoRA by PEFT, AdamW, linear decay after a warm-up; the defaults are those of the paper's release
    where it states them (rank, alpha, targets, epochs, learning rate, warm-up).
    """

    rank: int = 32
    alpha: float = 64.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ("all-linear",)
    learning_rate: float = 5e-5
    epochs: int = 3
    steps: int = 0  # optimiser steps; 0: as many as the epochs take
    batch: int = 8  # examples a step
    warmup: float = 0.1  # share of the steps
    weight_decay: float = 0.0
    clip: float = 1.0  # largest norm of the gradient; 0: never clipped
    loss_on: Literal["answer", "all"] = "answer"
    axes: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("rank", "epochs", "batch"):
            if getattr(self, name) < 1:
                raise SpecError(f"expected at least 1; got {getattr(self, name)}", (name,))
        for name in ("alpha", "learning_rate"):
            if not getattr(self, name) > 0:
                raise SpecError(f"expected more than 0; got {getattr(self, name)}", (name,))
        for name in ("dropout", "warmup"):
            if not 0 <= getattr(self, name) < 1:
                raise SpecError(f"expected a share from 0 to below 1; got {getattr(self, name)}", (name,))
        hints = typing.get_type_hints(Recipe, include_extras=True)
        known = [one.name for one in fields(self) if one.name != "axes"]
        for name, values in self.axes.items():
            if name not in known:
                raise SpecError(f"unknown key {name!r}{did_you_mean(name, known)}", ("axes", name))
            if not values or any(isinstance(value, list) for value in values):
                raise SpecError(f"expected a list of plain values; got {list(values)}", ("axes", name))
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
            found.append((tuple(chosen.items()), replace(self, axes={}, **chosen)))
        return tuple(found)

    def identity(self) -> Mapping[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "axes"}
