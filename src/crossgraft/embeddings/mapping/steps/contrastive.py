"""The contrastive loss of C1 (Li et al., 2022): translations before the words that are most easily taken for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import Mapping, Matrix
from crossgraft.embeddings.mapping.steps.gradients import loaded, tensor
from crossgraft.embeddings.spaces.devices import place
from crossgraft.embeddings.spaces.space import Vectors
from crossgraft.errors import JobFailed

if TYPE_CHECKING:
    from torch import Tensor

_CHUNK = 256  # pairs at a time
_TINY = 1e-9


@dataclass(frozen=True)
class Descent:
    """Full steps of gradient descent; the rate falls by ``decay`` with each, and a gradient is cut to length ``clip``."""

    steps: int
    rate: float
    decay: float
    clip: float
    negatives: int  # of each language, for each pair


def descended(x: Vectors, y: Vectors, pairs: Pairs, start: Mapping, how: Descent) -> tuple[Mapping, list[float]]:
    """Both maps after the descent from ``start``, and the loss before each step, in nats.

    The loss of a pair is ``-log e^cos(x, y) / (e^cos(x, y) + Σ e^cos(x', y) + Σ e^cos(x, y'))``, over the x' nearest to y
    and the y' nearest to x, found anew before every step. As with the authors, lengths of mapped words are constants to
    the gradient. Words are mapped once a step; the gradient is gathered on the mapped words, then goes on to the maps.
    """
    torch = loaded("c1")
    words = tensor(torch, x), tensor(torch, y)
    maps = [tensor(torch, _or_identity(one, x.shape[1])).requires_grad_() for one in (start.source, start.target)]
    rows = torch.from_numpy(np.ascontiguousarray(pairs)).to(place())
    losses = []
    for step in range(how.steps):
        mapped = [_unit(torch, side @ w) for side, w in zip(words, maps, strict=True)]
        leaves = [side.detach().requires_grad_() for side in mapped]
        losses.append(_gathered(torch, leaves, rows, how.negatives))
        torch.autograd.backward(mapped, [leaf.grad for leaf in leaves])
        _step(torch, maps, how.rate * how.decay**step, how.clip)
        if not math.isfinite(losses[-1]):
            raise JobFailed(f"c1 diverged with a rate of {how.rate}; set a smaller one", deterministic=True)
    source, target = (w.detach().cpu().numpy().astype(np.float64) for w in maps)
    return Mapping(source, target), losses


def _or_identity(matrix: Matrix | None, width: int) -> Matrix:
    return np.eye(width) if matrix is None else matrix


def _unit(torch: Any, mapped: Tensor) -> Tensor:
    lengths = torch.linalg.vector_norm(mapped, dim=1, keepdim=True).detach()
    return mapped / (lengths + _TINY)


def _gathered(torch: Any, leaves: list[Tensor], rows: Tensor, negatives: int) -> float:
    """The mean loss of the pairs; its gradient is left on the leaves, chunk by chunk."""
    total = 0.0
    for some in rows.split(_CHUNK):
        loss = _loss(torch, leaves, some, negatives) / len(rows)
        loss.backward()
        total += float(loss.detach())
    return total


def _loss(torch: Any, leaves: list[Tensor], rows: Tensor, negatives: int) -> Tensor:
    """The sum over some pairs."""
    (x, y), (of_x, of_y) = leaves, rows.T
    here, there = x[of_x], y[of_y]
    right = (here * there).sum(dim=1, keepdim=True)
    wrong = [_largest(torch, here @ y.T, of_y, negatives), _largest(torch, there @ x.T, of_x, negatives)]
    return (torch.logsumexp(torch.cat([right, *wrong], dim=1), dim=1) - right[:, 0]).sum()


def _largest(torch: Any, cosines: Tensor, right: Tensor, count: int) -> Tensor:
    """Of each row, but for the cosine to the right word. (pairs, count)"""
    others = cosines.scatter(1, right[:, None], -torch.inf)
    found: Tensor = others.topk(min(count, others.shape[1] - 1), dim=1, sorted=False).values
    return found


def _step(torch: Any, maps: list[Tensor], rate: float, clip: float) -> None:
    torch.nn.utils.clip_grad_norm_(maps, clip)  # the length of both gradients together
    with torch.no_grad():
        for w in maps:
            w.sub_(rate * w.grad)
            w.grad = None
