"""Ways of retrieval by name, each the penalty that it takes off the cosine of a target."""

from __future__ import annotations

from typing import Literal

from crossgraft.embeddings.retrieval.csls import csls_penalty
from crossgraft.embeddings.retrieval.device import Device
from crossgraft.embeddings.retrieval.softmax import softmax_penalty
from crossgraft.embeddings.space import Vectors

Retrieval = Literal["nn", "csls", "inverted-softmax"]


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
