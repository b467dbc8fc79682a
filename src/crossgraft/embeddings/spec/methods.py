"""``[methods]``: the mapping methods with their parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

from crossgraft.embeddings.mapping import Mapper, mapper
from crossgraft.errors import SpecError, did_you_mean


@dataclass(frozen=True)
class Methods:
    """``[methods]``: the mapping methods, by name or name:mode, and parameters of theirs by the same name.

    ``choose`` has lists of values instead: on each pair of languages the best on the validation dictionary is taken.
    ``shuffled`` names those that are also fitted on a shuffled training dictionary, as a control.
    """

    use: tuple[str, ...]
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    choose: dict[str, dict[str, tuple[Any, ...]]] = field(default_factory=dict)
    shuffled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key, tables in (("settings", self.settings), ("choose", self.choose)):
            for name in tables:
                if name not in self.use:
                    raise SpecError(f"{name!r} is not among the methods in use{did_you_mean(name, self.use)}", (key,))
        for name in self.choose:
            self._require_choices(name)
        for name in self.use:
            try:
                self.get(name)
            except SpecError as error:
                raise SpecError(str(error), ("settings", name) if name in self.settings else ("use",)) from None
        for name in self.shuffled:
            self._require_shuffling(name)

    def _require_shuffling(self, name: str) -> None:
        if name not in self.use:
            raise SpecError(f"{name!r} is not among the methods in use{did_you_mean(name, self.use)}", ("shuffled",))
        if not self.get(name).uses_dictionary:
            raise SpecError(f"{name!r} learns from no dictionary that could be shuffled", ("shuffled",))

    def _require_choices(self, name: str) -> None:
        """Raise where values make no method, or methods that are not of one kind."""
        try:
            mappers = self.candidates(name)
        except SpecError as error:
            raise SpecError(str(error), ("choose", name)) from None
        if not mappers:
            raise SpecError("expected at least one value of each parameter", ("choose", name))
        if len({(one.uses_dictionary, one.stochastic, one.normalise) for one in mappers}) > 1:
            raise SpecError("expected values that agree in what the method learns from", ("choose", name))

    def candidates(self, name: str) -> tuple[Mapper, ...]:
        """The method with each choice of parameters, in the order of the spec; one where there is nothing to choose."""
        settings = self.settings.get(name, {})
        return tuple(mapper(name, {**settings, **choice}) for choice in self.choices(name))

    def choices(self, name: str) -> list[dict[str, Any]]:
        """Each choice of its parameters; of a method without any, one that sets nothing."""
        lists = self.choose.get(name, {})
        return [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]

    def get(self, name: str) -> Mapper:
        """The method, with the first of each choice."""
        return self.candidates(name)[0]
