"""Token rows for a forward pass: ids, positions, who may see whom, and which rows of the output are needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch

PADDING = -1  # the segment of tokens that are not there
CONTEXT = 0  # the segment all others see

Mask: TypeAlias = torch.Tensor | dict[str, torch.Tensor]


@dataclass
class Row:
    """One row while it is built: tokens with position and segment, and the tokens it predicts."""

    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    segments: list[int] = field(default_factory=list)
    predicted: list[tuple[int, int, int]] = field(default_factory=list)  # place in the row, token, option of the batch

    def add(self, tokens: Sequence[int], start: int, segment: int) -> None:
        self.ids += tokens
        self.positions += range(start, start + len(tokens))
        self.segments += [segment] * len(tokens)

    def predict(self, place: int, token: int, option: int) -> None:
        self.predicted.append((place, token, option))


@dataclass(frozen=True)
class Rows:
    """Rows of equal width, padded on the right, on the model's device."""

    ids: torch.Tensor  # (rows, width)
    positions: torch.Tensor
    segments: torch.Tensor

    def repeated(self, times: torch.Tensor) -> Rows:
        """Row n so many times as ``times[n]`` says."""
        return Rows(*(torch.repeat_interleave(one, times, dim=0) for one in (self.ids, self.positions, self.segments)))

    def after(self, before: Rows) -> Rows:
        """Both, side by side."""
        pairs = ((before.ids, self.ids), (before.positions, self.positions), (before.segments, self.segments))
        return Rows(*(torch.cat([one.expand(len(self.ids), -1), other], dim=1) for one, other in pairs))


@dataclass(frozen=True)
class Picks:
    """Where the output is needed: ``places`` in the flattened rows; token ``tokens[m]`` is predicted at
    ``places[at[m]]`` and counts for option ``owners[m]`` of the batch.
    """

    places: torch.Tensor
    at: torch.Tensor
    tokens: torch.Tensor
    owners: torch.Tensor

    def to(self, device: torch.device) -> Picks:
        """Where the output lies: a model that is spread over devices begins on another one."""
        return Picks(*(indices.to(device) for indices in (self.places, self.at, self.tokens, self.owners)))


def assemble(rows: Sequence[Row], device: torch.device) -> tuple[Rows, Picks]:
    width = max(len(row.ids) for row in rows)
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    positions = torch.zeros_like(ids)
    segments = torch.full_like(ids, PADDING)
    wanted: list[tuple[int, int, int]] = []
    for number, row in enumerate(rows):
        length = len(row.ids)
        ids[number, :length] = torch.tensor(row.ids)
        positions[number, :length] = torch.tensor(row.positions)
        segments[number, :length] = torch.tensor(row.segments)
        wanted += [(number * width + place, token, option) for place, token, option in row.predicted]
    wanted.sort()
    flat, tokens, owners = torch.tensor(wanted, dtype=torch.long).reshape(-1, 3).T.to(device)
    places, at = torch.unique_consecutive(flat, return_inverse=True)
    return Rows(ids.to(device), positions.to(device), segments.to(device)), Picks(places, at, tokens, owners)


@dataclass(frozen=True)
class Windows:
    """How far back a model's layers see, in tokens; None is all the way. By type of layer where it has several."""

    by_type: Mapping[str, int | None]

    @classmethod
    def of(cls, config: Any) -> Windows | None:
        """None for a model with layers that are no attention over all or the last tokens."""
        text = config.get_text_config(decoder=True)
        window = getattr(text, "sliding_window", None)
        types = getattr(text, "layer_types", None)
        if types is None:
            return cls({"all": window})
        if not set(types) <= {"full_attention", "sliding_attention"}:
            return None
        return cls({kind: window if kind == "sliding_attention" else None for kind in dict.fromkeys(types)})

    @property
    def narrowest(self) -> int | None:
        return min((window for window in self.by_type.values() if window), default=None)

    def mask(self, queries: Rows, keys: Rows, dtype: torch.dtype) -> Mask:
        """For each type of layer, what is added to the scores of attention (rows, 1, queries, keys)."""
        masks = {kind: _mask(queries, keys, window, dtype) for kind, window in self.by_type.items()}
        return masks if len(masks) > 1 else next(iter(masks.values()))


def _mask(queries: Rows, keys: Rows, window: int | None, dtype: torch.dtype) -> torch.Tensor:
    """A token sees the context and its own segment, up to itself; padding sees itself, so that nothing is NaN."""
    distance = queries.positions[:, :, None] - keys.positions[:, None, :]
    segment = keys.segments[:, None, :]
    seen = (distance >= 0) & ((segment == CONTEXT) | (segment == queries.segments[:, :, None])) & (segment != PADDING)
    if window is not None:
        seen &= distance < window
    own = torch.arange(queries.ids.shape[1], device=seen.device)
    seen[:, own, own + keys.ids.shape[1] - queries.ids.shape[1]] = True
    mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
    return mask.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]
