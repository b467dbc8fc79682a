"""What is asked of a model, as tokens: contexts, and what may follow each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

_WORTHWHILE = 16  # tokens: a shorter shared beginning is not worth a pass of its own


@dataclass(frozen=True, slots=True)
class Request:
    """A context and its options; the log-likelihood of each option after the context is wanted."""

    context: tuple[int, ...]
    options: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not self.context or not all(self.options):
            raise ValueError("a request needs a token of context, and a token in every option")

    @property
    def opening(self) -> tuple[int, ...]:
        """The tokens all options begin with; each keeps a token of its own."""
        first, last = min(self.options), max(self.options)
        return first[: min(_alike(first, last), min(map(len, self.options)) - 1)]


def shared_beginning(requests: Sequence[Request]) -> tuple[int, ...]:
    """The tokens all contexts begin with (instructions, solved examples); each keeps a token of its own.

    Empty where sharing would not pay.
    """
    first = min(requests, key=lambda request: request.context).context
    last = max(requests, key=lambda request: request.context).context
    length = min(_alike(first, last), min(len(request.context) for request in requests) - 1)
    return first[:length] if length >= _WORTHWHILE and len(requests) > 1 else ()


def _alike(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two texts have in common at their beginnings."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
