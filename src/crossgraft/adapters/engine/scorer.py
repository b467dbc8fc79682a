"""Scores requests on one model by the fastest way that gives the same numbers as the plain one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import accumulate
from typing import Any, Literal, TypeVar

import numpy as np
import torch

from crossgraft.adapters.engine import Scores, Steps
from crossgraft.adapters.engine.body import Halves, Whole
from crossgraft.adapters.engine.likelihoods import Wanted, log_likelihoods
from crossgraft.adapters.engine.paths import Kept, KeptContext, PackedRow, Path, PlainRows
from crossgraft.adapters.engine.requests import Request, shared_beginning
from crossgraft.adapters.engine.rows import Windows
from crossgraft.adapters.engine.selftest import self_test
from crossgraft.adapters.weights.placement import gpus_of
from crossgraft.core import Floats
from crossgraft.errors import JobFailed

T = TypeVar("T")
Way = Literal["auto", "packed", "kept", "plain"]

_CPU_TOKENS = 512  # a batch, for each thread; more falls out of the cache
_MOST_TOKENS = 65536
_ENOUGH_BYTES = 2**21  # of hidden states for a pass of the head: its weights are read once for all of them
_MASK_ENTRIES = 2**25  # a batch's mask: rows × width × (width + beginning)


class Scorer:
    """Holds a model, finds by a self-test how to score on it, and remembers what fits into memory.

    ``model`` is the Transformers model itself: adapters that PEFT puts into it, switches on or off are seen.
    """

    def __init__(self, model: Any, *, way: Way = "auto", tokens: int = 0) -> None:
        self._model = model
        self._device = model.device
        self._windows = Windows.of(model.config)
        self._tokens = tokens or _tokens_that_fit(model)
        self.test = self_test(model, list(self._candidates(way)))
        self._path = self.test.path

    @property
    def path(self) -> Path:
        return self._path

    @property
    def tokens(self) -> int:
        """The budget of a batch; it falls when memory runs out."""
        return self._tokens

    def _candidates(self, way: Way) -> Iterator[Path]:
        """The ways in the order of their speed: on a GPU a kept context, whose attention has fast kernels."""
        halves = Halves(self._model)
        if self._windows is not None and not getattr(self._model, "_is_stateful", False):
            clever: list[Path] = [
                PackedRow(halves, self._windows, self._model.dtype),
                KeptContext(halves, self._windows, self._model.dtype),
            ]
            if self._device.type == "cuda":
                clever.reverse()
            yield from (path for path in clever if way in ("auto", path.name))
        yield PlainRows(halves)
        yield PlainRows(Whole(self._model), name="plain, all logits")

    def score(self, requests: Sequence[Request]) -> Generator[Steps, None, Scores]:
        """The log-likelihood of every option, yielding requests done and total.

        Batches depend on the requests only, so that a model with and without an adapter is read in the same batches.
        """
        widest = max(len(request.options) for request in requests)
        loglik = np.full((len(requests), widest), np.nan)
        with torch.inference_mode():
            beginning = shared_beginning(requests)
            kept = self._path.keep(beginning) if beginning else None
            shared = len(kept) if kept else 0
            pending = self._batches(requests, shared)
            done = 0
            waiting: list[tuple[list[int], Wanted]] = []
            while pending:
                batch = pending.pop(0)
                read = self._read([requests[n] for n in batch], kept)
                if read is None:
                    pending = [*_halves(batch), *pending]
                    continue
                waiting.append((batch, read))
                done += len(batch)
                if not pending or self._are_enough([read for _, read in waiting]):
                    sums = self._sums(requests, waiting)
                    if sums is None:
                        pending = [half for batch, _ in waiting for half in _halves(batch)] + pending
                        done -= sum(len(batch) for batch, _ in waiting)
                    else:
                        _fill(loglik, requests, [n for batch, _ in waiting for n in batch], sums)
                    waiting = []
                yield done, len(requests)
        return Scores(loglik, self._path.name, shared)

    def _batches(self, requests: Sequence[Request], kept: int) -> list[list[int]]:
        """Requests of like width together, the widest first, as many as the budget holds."""
        sizes = [self._path.size(request, kept) for request in requests]
        batches: list[list[int]] = []
        rows = 0
        for n in sorted(range(len(requests)), key=lambda n: (-sizes[n][1], n)):
            more = sizes[n][0]
            widest = sizes[batches[-1][0]][1] if batches else 0
            total = rows + more
            if batches and total * widest <= self._tokens and total * widest * (widest + kept) <= _MASK_ENTRIES:
                batches[-1].append(n)
                rows = total
            else:
                batches.append([n])
                rows = more
        return batches

    def _are_enough(self, waiting: Sequence[Wanted]) -> bool:
        """Whether the head should run now: no more places wait than the budget of a batch, and in little memory."""
        waits = sum(map(len, waiting))
        return waits >= self._tokens or sum(one.states.nbytes for one in waiting) >= _ENOUGH_BYTES

    def _read(self, batch: Sequence[Request], kept: Kept | None) -> Wanted | None:
        """A batch through the body."""
        return self._attempt(lambda: self._path.read(batch, kept), batch)

    def _sums(self, requests: Sequence[Request], waiting: Sequence[tuple[list[int], Wanted]]) -> Floats | None:
        """All that waits through the head: the log-likelihoods of all options, in the order of the batches."""
        counts = [sum(len(requests[n].options) for n in batch) for batch, _ in waiting]
        firsts = accumulate(counts, initial=0)
        parts = [(first, read) for first, (_, read) in zip(firsts, waiting, strict=False)]
        return self._attempt(
            lambda: log_likelihoods(self._path.body, Wanted.together(parts), sum(counts)),
            [requests[n] for batch, _ in waiting for n in batch],
        )

    def _attempt(self, work: Callable[[], T], requests: Sequence[Request]) -> T | None:
        """What the work gives; None when it did not fit into memory, after halving the budget."""
        try:
            return work()
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        if len(requests) == 1:
            tokens = len(requests[0].context) + sum(map(len, requests[0].options))
            raise JobFailed(
                f"out of memory on {self._device} with a single item of {tokens} tokens; use a smaller dtype, a larger "
                "device, or shorter items"
            )
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        self._tokens = max(1, self._tokens // 2)
        return None


def _halves(batch: list[int]) -> list[list[int]]:
    """Two batches of half the size; one of a single request stays."""
    middle = len(batch) // 2
    return [half for half in (batch[:middle], batch[middle:]) if half]


def _fill(loglik: Floats, requests: Sequence[Request], numbers: Sequence[int], sums: Floats) -> None:
    """Write the sums, request by request, into their rows."""
    start = 0
    for n in numbers:
        count = len(requests[n].options)
        loglik[n, :count] = sums[start : start + count]
        start += count


def is_out_of_memory(error: BaseException) -> bool:
    """Out of memory on a GPU, or the CPU allocator's own words for it."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _tokens_that_fit(model: Any) -> int:
    """A first guess at the tokens of a batch; it is halved when it was too bold."""
    if model.device.type != "cuda":
        return _CPU_TOKENS * min(4, int(torch.get_num_threads()))
    free = min(torch.cuda.mem_get_info(gpu)[0] for gpu in gpus_of(model))
    text = model.config.get_text_config(decoder=True)
    a_token = model.dtype.itemsize * (
        12 * text.hidden_size + 4 * (getattr(text, "intermediate_size", None) or 4 * text.hidden_size)
    )
    kept = 4 * model.dtype.itemsize * text.hidden_size * text.num_hidden_layers
    return int(min(_MOST_TOKENS, max(_CPU_TOKENS, free // 2 // (a_token + kept))))
