"""Ways of retrieval by name, each the penalty that it takes off the cosine of a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from crossgraft.embeddings.retrieval.csls import csls_penalty
from crossgraft.embeddings.retrieval.device import Device
from crossgraft.embeddings.retrieval.softmax import softmax_penalty
from crossgraft.embeddings.spaces.space import Vectors
from crossgraft.errors import SpecError

Retrieval = Literal["nn", "csls", "inverted-softmax"]


@dataclass(frozen=True)
class Search:
    """A way of retrieval with its parameter."""

    retrieval: Retrieval = "nn"
    k: int = 10  # neighbours of CSLS
    beta: float = 30.0  # of inverted softmax

    @classmethod
    def of(cls, retrieval: Retrieval, neighbours: int | None, beta: float | None) -> Self:
        """With what was asked for on the command line; a parameter of another way of retrieval is refused."""
        if neighbours is not None and retrieval != "csls":
            raise SpecError(f"--neighbours is of --retrieval csls; got --retrieval {retrieval}")
        if beta is not None and retrieval != "inverted-softmax":
            raise SpecError(f"--beta is of --retrieval inverted-softmax; got --retrieval {retrieval}")
        if beta is not None and not 0 < beta < float("inf"):
            raise SpecError(f"--beta: expected an inverse temperature above 0; got {beta}")
        return cls(retrieval, cls.k if neighbours is None else neighbours, cls.beta if beta is None else beta)

    def penalty(self, sources: Vectors, targets: Vectors) -> Vectors | None:
        return penalty(self.retrieval, sources, targets, k=self.k, beta=self.beta)


def penalty(
    retrieval: Retrieval,
    sources: Vectors,  # (n, d), rows of length 1: the whole source vocabulary, mapped
    targets: Vectors,  # (m, d), rows of length 1
    *,
    k: int = 10,  # of CSLS
    beta: float = 30.0,  # of inverted softmax
    device: Device = "auto",
) -> Vectors | None:
    """What is taken off the cosine of every target; None for nearest neighbours. (m,)"""
    if retrieval == "csls":
        return csls_penalty(sources, targets, k, device=device)
    if retrieval == "inverted-softmax":
        return softmax_penalty(sources, targets, beta, device=device)
    return None
