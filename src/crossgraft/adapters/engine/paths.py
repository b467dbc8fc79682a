"""Three ways to the same log-likelihoods: all options in one row, options on a kept context, plain rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from transformers import DynamicCache

from crossgraft.adapters.engine.body import Body
from crossgraft.adapters.engine.likelihoods import Wanted
from crossgraft.adapters.engine.requests import Request
from crossgraft.adapters.engine.rows import CONTEXT, Row, Rows, Windows, assemble


@dataclass(frozen=True)
class Kept:
    """A beginning that many contexts share, read once: its rows of one, and the keys and values of every layer."""

    rows: Rows
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    def __len__(self) -> int:
        return int(self.rows.ids.shape[1])

    def cache(self, size: int) -> DynamicCache:
        """A fresh cache that begins with it, for so many rows."""
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(self.layers):
            cache.update(keys.expand(size, -1, -1, -1), values.expand(size, -1, -1, -1), layer)
        return cache


class Path(Protocol):
    """One way to score requests. ``kept`` holds the beginning of their contexts, where it was read already."""

    @property
    def name(self) -> str: ...

    @property
    def body(self) -> Body: ...

    def keep(self, tokens: Sequence[int]) -> Kept | None:
        """Read the beginning that many contexts share; None for a way that cannot use it."""
        ...

    def size(self, request: Request, kept: int) -> tuple[int, int]:
        """Rows and width that a request takes."""
        ...

    def read(self, requests: Sequence[Request], kept: Kept | None) -> Wanted:
        """Hidden states where tokens of the options are predicted; options are numbered through, in order."""
        ...


@dataclass(frozen=True)
class PlainRows:
    """Every option with its context in a row of its own: what every other tool does, and what every model can do."""

    body: Body
    name: str = "plain"

    def keep(self, tokens: Sequence[int]) -> Kept | None:  # noqa: ARG002
        return None

    def size(self, request: Request, kept: int) -> tuple[int, int]:  # noqa: ARG002 - it keeps nothing
        rows = len({option[:-1] for option in request.options})
        return rows, len(request.context) + max(map(len, request.options)) - 1

    def read(self, requests: Sequence[Request], kept: Kept | None) -> Wanted:  # noqa: ARG002
        rows: list[Row] = []
        number = 0
        for request in requests:
            alike: dict[tuple[int, ...], Row] = {}  # options that differ in their last token only share a row
            for option in request.options:
                if option[:-1] not in alike:
                    row = alike[option[:-1]] = Row()
                    row.add([*request.context, *option[:-1]], 0, CONTEXT)
                    rows.append(row)
                for place, token in enumerate(option, len(request.context) - 1):
                    alike[option[:-1]].predict(place, token, number)
                number += 1
        batch, picks = assemble(rows, self.body.device)
        there = (batch.segments == CONTEXT).long()  # padding is on the right: a causal model does not see it
        return Wanted.of(self.body.states(batch, there), picks)


@dataclass(frozen=True)
class PackedRow:
    """One row an item: the context, then all options; a mask keeps the options apart."""

    body: Body
    windows: Windows
    dtype: torch.dtype
    name: str = "packed"

    def keep(self, tokens: Sequence[int]) -> Kept:
        return _keep(self.body, tokens, self.windows, self.dtype)

    def size(self, request: Request, kept: int) -> tuple[int, int]:
        return 1, _width(request, kept)

    def read(self, requests: Sequence[Request], kept: Kept | None) -> Wanted:
        rows = []
        number = 0
        for request in requests:
            begun = len(request.opening)
            row = _context_row(request, kept, number)
            for segment, option in enumerate(request.options, CONTEXT + 1):
                for place, token in enumerate(option[begun + 1 :], len(row.ids)):
                    row.predict(place, token, number)
                row.add(option[begun:-1], len(request.context) + begun, segment)
                number += 1
            rows.append(row)
        batch, picks = assemble(rows, self.body.device)
        keys = batch.after(kept.rows) if kept else batch
        cache = kept.cache(len(rows)) if kept else None
        states = self.body.states(batch, self.windows.mask(batch, keys, self.dtype), cache)
        return Wanted.of(states, picks)


@dataclass(frozen=True)
class KeptContext:
    """The context is read once and kept; the options are read after it, each in a row of its own."""

    body: Body
    windows: Windows
    dtype: torch.dtype
    name: str = "kept"

    def keep(self, tokens: Sequence[int]) -> Kept:
        return _keep(self.body, tokens, self.windows, self.dtype)

    def size(self, request: Request, kept: int) -> tuple[int, int]:
        return 1, _width(request, kept)

    def read(self, requests: Sequence[Request], kept: Kept | None) -> Wanted:
        contexts, rows, counts = [], [], []
        number = 0
        for request in requests:
            begun = len(request.opening)
            contexts.append(_context_row(request, kept, number))
            counts.append(len(request.options))
            for option in request.options:
                row = Row()
                row.add(option[begun:-1], len(request.context) + begun, CONTEXT + 1)
                for place, token in enumerate(option[begun + 1 :]):
                    row.predict(place, token, number)
                rows.append(row)
                number += 1
        first, picks = assemble(contexts, self.body.device)
        keys = first.after(kept.rows) if kept else first
        cache = kept.cache(len(first.ids)) if kept else DynamicCache()
        states = self.body.states(first, self.windows.mask(first, keys, self.dtype), cache)
        of_contexts = Wanted.of(states, picks)
        if not any(row.ids for row in rows):
            return of_contexts
        of_options = self._options(rows, keys, cache, torch.tensor(counts, device=self.body.device))
        return Wanted.together([(0, of_contexts), (0, of_options)])

    def _options(self, rows: Sequence[Row], contexts: Rows, cache: DynamicCache, counts: torch.Tensor) -> Wanted:
        batch, picks = assemble(rows, self.body.device)
        of_row = torch.repeat_interleave(torch.arange(len(counts), device=self.body.device), counts)
        for layer in cache.layers:  # each on its own device
            layer.batch_select_indices(of_row.to(layer.keys.device))
        keys = batch.after(contexts.repeated(counts))
        states = self.body.states(batch, self.windows.mask(batch, keys, self.dtype), cache)
        return Wanted.of(states, picks)


def _width(request: Request, kept: int) -> int:
    """Tokens that are read for a request, in one row or after its context."""
    begun = len(request.opening)
    return len(request.context) - kept + begun + sum(len(option) - 1 - begun for option in request.options)


def _context_row(request: Request, kept: Kept | None, number: int) -> Row:
    """The context with what all options begin with, and what it predicts of them: they are numbered from ``number``."""
    row = Row()
    begun = len(kept) if kept else 0
    row.add([*request.context[begun:], *request.opening], begun, CONTEXT)
    last = len(request.context) - begun - 1
    for option_number, option in enumerate(request.options, number):
        for place, token in enumerate(option[: len(request.opening) + 1], last):
            row.predict(place, token, option_number)
    return row


def _keep(body: Body, tokens: Sequence[int], windows: Windows, dtype: torch.dtype) -> Kept:
    row = Row()
    row.add(tokens, 0, CONTEXT)
    rows, _ = assemble([row], body.device)
    cache = DynamicCache()
    body.states(rows, windows.mask(rows, rows, dtype), cache)
    return Kept(rows, tuple((layer.keys, layer.values) for layer in cache.layers))
