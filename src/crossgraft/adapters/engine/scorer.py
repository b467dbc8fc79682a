"""Scores requests on one model by the fastest way that gives the same numbers as the plain one."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch

from crossgraft.adapters.engine import Scores, Steps
from crossgraft.adapters.engine.body import Halves, Whole, zero_sums
from crossgraft.adapters.engine.paths import Kept, KeptContext, PackedRow, Path, PlainRows
from crossgraft.adapters.engine.requests import Request, shared_beginning
from crossgraft.adapters.engine.rows import Windows
from crossgraft.adapters.engine.selftest import self_test
from crossgraft.core import Floats
from crossgraft.errors import JobFailed

Way = Literal["auto", "packed", "kept", "plain"]

_CPU_TOKENS = 512  # a batch, for each thread; more falls out of the cache
_MOST_TOKENS = 65536
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
            while pending:
                batch = pending.pop(0)
                sums = self._sums([requests[n] for n in batch], kept)
                if sums is None:
                    pending = [batch[: len(batch) // 2], batch[len(batch) // 2 :], *pending]
                    continue
                start = 0
                for n in batch:
                    count = len(requests[n].options)
                    loglik[n, :count] = sums[start : start + count]
                    start += count
                done += len(batch)
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

    def _sums(self, batch: Sequence[Request], kept: Kept | None) -> Floats | None:
        """The sums of a batch; None when it did not fit into memory, after halving the budget."""
        sums = zero_sums(sum(len(request.options) for request in batch), self._device)
        try:
            self._path.add(batch, kept, sums)
            return np.asarray(sums.cpu().numpy())
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        if len(batch) == 1:
            tokens = len(batch[0].context) + sum(map(len, batch[0].options))
            raise JobFailed(
                f"out of memory on {self._device} with a single item of {tokens} tokens; use a smaller dtype, a larger "
                "device, or shorter items"
            )
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        self._tokens = max(1, self._tokens // 2)
        return None


def is_out_of_memory(error: BaseException) -> bool:
    """Out of memory on a GPU, or the CPU allocator's own words for it."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _tokens_that_fit(model: Any) -> int:
    """A first guess at the tokens of a batch; it is halved when it was too bold."""
    if model.device.type != "cuda":
        return _CPU_TOKENS * min(4, int(torch.get_num_threads()))
    free, _ = torch.cuda.mem_get_info(model.device)
    text = model.config.get_text_config(decoder=True)
    a_token = model.dtype.itemsize * (
        12 * text.hidden_size + 4 * (getattr(text, "intermediate_size", None) or 4 * text.hidden_size)
    )
    kept = 4 * model.dtype.itemsize * text.hidden_size * text.num_hidden_layers
    return int(min(_MOST_TOKENS, max(_CPU_TOKENS, free // 2 // (a_token + kept))))
