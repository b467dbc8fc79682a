"""What is asked of a model, as tokens: contexts, and what may follow each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_WORTHWHILE = 16  # tokens: a shorter shared beginning is not worth a pass of its own


@dataclass(frozen=True, slots=True)
class Request:
    """A context and its options; the log-likelihood of each option after the context is wanted."""

    context: tuple[int, ...]
    options: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not self.context or not all(self.options):
            raise ValueError("a request needs a token of context, and a token in every option")


def shared_beginning(requests: Sequence[Request]) -> tuple[int, ...]:
    """The tokens all contexts begin with (instructions, solved examples); each keeps a token of its own.

    Empty where sharing would not pay.
    """
    first = min(requests, key=lambda request: request.context).context
    last = max(requests, key=lambda request: request.context).context
    length = 0
    for a, b in zip(first, last, strict=False):
        if a != b:
            break
        length += 1
    length = min(length, min(len(request.context) for request in requests) - 1)
    return first[:length] if length >= _WORTHWHILE and len(requests) > 1 else ()
