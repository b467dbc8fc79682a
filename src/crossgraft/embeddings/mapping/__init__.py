"""Mapping methods, one a file: a frozen value of its parameters that is fitted to two spaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.space import Space, Vectors
from crossgraft.registry import Registry


@dataclass(frozen=True)
class Mapping:
    """A pair of linear maps into the shared space; ``None`` leaves a side as it is."""

    source: npt.NDArray[np.floating[Any]] | None = None  # (d, k)
    target: npt.NDArray[np.floating[Any]] | None = None  # (d, k)

    def map_source(self, vectors: Vectors) -> Vectors:
        return vectors if self.source is None else np.asarray(vectors @ self.source, dtype=np.float32)

    def map_target(self, vectors: Vectors) -> Vectors:
        return vectors if self.target is None else np.asarray(vectors @ self.target, dtype=np.float32)


class Mapper(Protocol):
    """A method: fitting it to two spaces and dictionary rows gives a mapping."""

    def fit(self, source: Space, target: Space, pairs: Pairs) -> Mapping: ...


MAPPERS: Registry[type[Mapper]] = Registry("mapping method", "crossgraft.mappings", "crossgraft.embeddings.mapping")
