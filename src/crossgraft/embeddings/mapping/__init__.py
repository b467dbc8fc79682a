"""Mapping methods, one a file: a frozen value of its parameters that is fitted to two spaces."""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.spaces.space import Space, Step, Vectors
from crossgraft.errors import SpecError
from crossgraft.registry import Registry
from crossgraft.spec import convert

LATER = {"later": True}  # metadata of a field, see ``identity``

Matrix = npt.NDArray[np.floating[Any]]  # (d, k)


@dataclass(frozen=True)
class Mapping:
    """A pair of linear maps into the shared space; ``None`` leaves a side as it is.

    ``facts`` is what the fit says of itself: iterations, objective, size of an induced dictionary, whether it converged.
    """

    source: Matrix | None = None
    target: Matrix | None = None
    facts: Table[str, Any] = field(default_factory=dict, compare=False)

    def map_source(self, vectors: Vectors) -> Vectors:
        return vectors if self.source is None else _product(vectors, self.source)

    def map_target(self, vectors: Vectors) -> Vectors:
        return vectors if self.target is None else _product(vectors, self.target)


def _product(vectors: Vectors, matrix: Matrix) -> Vectors:
    """In float32 throughout: the product with a vocabulary is never made in float64."""
    return np.asarray(vectors @ matrix.astype(np.float32))


class Mapper(Protocol):
    """A method: fitting it to two spaces and dictionary rows gives a mapping.

    ``normalise`` are the steps its authors put before it; None leaves that to the study. A method that uses no
    dictionary is given no pairs; one that is not stochastic does not touch ``rng``.
    """

    @property
    def uses_dictionary(self) -> bool: ...

    @property
    def stochastic(self) -> bool: ...

    @property
    def normalise(self) -> tuple[Step, ...] | None: ...

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping: ...


def reports_failure(method: Mapper, mapping: Mapping) -> bool:
    """Whether a method without a dictionary says of its own result that it is likely to be worthless."""
    return not method.uses_dictionary and mapping.facts.get("converged") is False


def is_unsettled(method: Mapper, mapping: Mapping) -> bool:
    """Whether a method with a dictionary was stopped by its number of rounds before its result stayed the same."""
    return method.uses_dictionary and hasattr(method, "rounds") and mapping.facts.get("converged") is False


def identity(name: str, method: Mapper) -> dict[str, Any]:
    """What a fit depends on beside its data: the method, its parameters, and its ``revision`` where the class has one.

    A method that no longer gives the maps that it gave raises its revision, so that records of both are not mixed. A
    parameter that came after records had been written is ``LATER``, and is left out at its default.
    """
    revision = getattr(method, "revision", 1)
    fields_given: dict[str, Any] = {"name": name.partition(":")[0], **asdict(method)}  # type: ignore[call-overload]  # a dataclass
    for one in fields(method):  # type: ignore[arg-type]
        if one.metadata == LATER and fields_given[one.name] == one.default:
            del fields_given[one.name]
    return fields_given if revision == 1 else {**fields_given, "revision": revision}


MAPPERS: Registry[type[Mapper]] = Registry("mapping method", "crossgraft.mappings", "crossgraft.embeddings.mapping")


def mapper(text: str, settings: Table[str, Any] | None = None, at: tuple[str, ...] = ()) -> Mapper:
    """A method by name, with the value of its field ``mode`` after a colon: "vecmap:unsupervised".

    >>> mapper("procrustes")
    Procrustes()
    """
    name, colon, mode = text.partition(":")
    kind = MAPPERS.get(name)
    given = dict(settings or {})
    if colon:
        if "mode" not in getattr(kind, "__dataclass_fields__", {}):
            raise SpecError(f"the mapping method {name!r} has no modes; got {text!r}", at)
        given["mode"] = mode
    made: Mapper = convert(given, kind, at)
    return made
