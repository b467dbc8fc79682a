"""Torch for the methods that learn by gradients: loaded when they are fitted, where ``--device`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crossgraft.embeddings.spaces.devices import place
from crossgraft.embeddings.spaces.space import Vectors
from crossgraft.errors import MissingExtra

if TYPE_CHECKING:
    from torch import Tensor


def loaded(method: str) -> Any:
    """The package, or one sentence on how to get it."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtra(f"the mapping method {method}", "torch") from error
    return torch


def tensor(torch: Any, array: Vectors) -> Tensor:
    """A copy of a matrix where we compute."""
    made: Tensor = torch.from_numpy(np.array(array, dtype=np.float32)).to(place())
    return made
